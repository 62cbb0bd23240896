"""syncd: one finding, three places 一地失信，三地受限. ``docs/architecture.md`` is the map of its rooms."""
