"""``adapter tap``: a source's normalised records for any reader of the Singer protocol."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli.adapter import Name, NodeConfig, Setting, family, home_of
from syncd.cli.options import AsJson


def add_to(app: typer.Typer) -> None:
    """Put this command beside the others about a source."""
    family.command("tap")(tap)


def tap(
    name: Name,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="FILE", help="Where the last reading ended: its last STATE value.")
    ] = None,
    discover: Annotated[bool, typer.Option("--discover", help="Only print the catalogue of streams.")] = False,
    setting: Setting = None,
    config: NodeConfig = None,
    as_json: AsJson = False,
) -> None:
    """Write a source's normalised records to standard output as Singer messages: SCHEMA, RECORD, STATE.

    Only what has passed the border comes out. The node's own reading is not touched, and nothing is moved at the
    source. The output is JSON lines with or without --json.

    \b
    Example:
      syncd adapter tap kunshan -c kunshan/syncd.toml | target-csv
    """
    from adapters.check import reading_only
    from adapters.singer import catalog, line_of, messages, read_state
    from adapters.source import Source
    from syncd.errors import NeedsPerson

    out = sys.stdout.buffer
    if discover:
        out.write(line_of(catalog()))
        out.flush()
        return
    try:
        before = read_state(state.read_bytes()) if state is not None else {}
    except OSError:
        raise NeedsPerson(f"The state file {state} cannot be read; nothing was read of the source.") from None
    home = home_of(name, config, setting)
    facts = reading_only(home.facts)
    source = Source(home.adapter(facts), facts, home.row_key)
    try:
        for message in messages(source, before):
            out.write(line_of(message))
            if message["type"] == "STATE":
                out.flush()
    finally:
        source.close()
