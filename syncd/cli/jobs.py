"""``jobs`` 任务: what was asked of this node by command, by which account and why, and what came of it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import words
from syncd.cli.options import CONFIG, AsJson, Config, settings_of
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]
NEWEST = 20


def add_to(app: typer.Typer) -> None:
    """Put this command into the command line."""
    app.command("jobs")(jobs)


def jobs(
    every: Annotated[bool, typer.Option("--all", help=f"All, not the newest {NEWEST} only.")] = False,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """List what was asked of this node 任务: what, by which account, when, why, and whether it is done.

    Reasons stand in this node only: the ledger has a code in their place, and no log line has them.

    \b
    Example:
      syncd jobs -c kunshan/syncd.toml
    """
    from syncd.reading import open_books
    from syncd.store import jobs as kept

    with open_books(settings_of(config)) as books, books.store.read() as conn:
        found = [_shown(row) for row in kept.newest(conn, None if every else NEWEST)]
    give({"jobs": found}, as_json, _draw)


def _shown(row: Any) -> Json:
    import orjson

    args, result = orjson.loads(row.args), orjson.loads(row.result or "{}")
    return {
        "job": row.id,
        "kind": row.kind,
        "state": row.state,
        "account": args.get("account"),
        "asked_at": row.asked_at,
        "done_at": row.done_at,
        "reason": args.get("reason"),
        "error": result.get("error") if row.state == "failed" else None,
    }


def _draw(to: "Console", value: Json) -> None:
    rows = [
        (one["job"], one["kind"], one["account"], words.short(one["asked_at"]), words.word(words.JOB, one["state"]),
         one["reason"], one["error"]) for one in value["jobs"]
    ]  # fmt: skip
    table(to, "Jobs 任务", ("job", "kind", "account", "asked", "state", "reason", "error"), rows, "reason error")
    if not rows:
        say(to, "Nothing was asked yet 无任务.")
