"""The demonstration 演示: stand-in bureau systems, a generator of believable rows, and the story.

Nothing here shares code with ``adapters``: the stand-ins are the *other side* of each format, written from
the same page, so that an error on one side shows. Place names stand in ``config/demo``.
"""
