"""``alarms`` 告警: what is wrong at this node now, and what was."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import words
from syncd.cli.options import CONFIG, AsJson, Config, settings_of
from syncd.cli.output import give, say

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]


def add_to(app: typer.Typer) -> None:
    """Put this command into the command line."""
    app.command("alarms")(alarms)


def alarms(
    every: Annotated[bool, typer.Option("--all", help="Also those that were cleared.")] = False,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """List the alarms 告警 of this node: what is wrong, since when, and what to do.

    An alarm clears by itself when its cause has gone; one with an item on the desk also when a person decides it.

    \b
    Example:
      syncd alarms -c kunshan/syncd.toml
    """
    from syncd.flows.alarms import shown
    from syncd.reading import open_books
    from syncd.store import alarms as kept

    with open_books(settings_of(config)) as books, books.store.read() as conn:
        found = [shown(one) for one in (kept.listing(conn) if every else kept.standing(conn))]
    give({"alarms": found}, as_json, _draw)


def draw_alarm(to: "Console", one: Json) -> None:
    """One alarm as a line, with the facts that name what is wrong."""
    facts = ", ".join(f"{name} {value}" for name, value in one["facts"].items() if name != "sentence")
    ended = f", cleared 已消除 {words.short(one['cleared_at'])}" if one["cleared_at"] else ""
    head = f"ALARM 告警 {words.word(words.ALARM, one['kind'])} {one['about']} since {words.short(one['since'])}{ended}"
    say(to, f"{head}: {one['sentence']}" + (f" ({facts})" if facts else ""), "" if ended else "bold red")


def _draw(to: "Console", value: Json) -> None:
    for one in value["alarms"]:
        draw_alarm(to, one)
    if not value["alarms"]:
        say(to, "No alarm stands 无告警.")
