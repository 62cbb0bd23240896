"""Commands of the desk 工作台: what needs a person, and what the person decides."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import words
from syncd.cli.acting import Acting, act, draw_left
from syncd.cli.adapter_shown import draw_causes
from syncd.cli.options import (
    CONFIG,
    MOST_NUMBER,
    OWN_ACCOUNT,
    WAIT_SECONDS,
    Account,
    AsJson,
    Config,
    Reason,
    Wait,
    family_of,
    organisation_of,
    settings_of,
)
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]
EXAMPLES = 3
_READ_AGAIN = ("quarantine", "relief_waiting")
"""Releasing these has the source read again; while it cannot be read, nothing was done yet."""
Item = Annotated[int, typer.Argument(metavar="N", min=1, max=MOST_NUMBER, help="Number of the item, from `desk list`.")]
family = family_of("The desk 工作台: what needs a person.", "desk list")


def add_to(app: typer.Typer) -> None:
    """Put this family into the command line."""
    app.add_typer(family, name="desk")


@family.command("list")
def listing(
    every: Annotated[bool, typer.Option("--all", help="Also what is decided or gone.")] = False,
    grouped: Annotated[
        bool, typer.Option("--grouped", help="Quarantine 隔离 by cause, with how to mend each.")
    ] = False,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """List what needs a person: quarantine 隔离, reviews 复核, unmapped codes, copies of others' decisions.

    \b
    Example:
      syncd desk list -c kunshan/syncd.toml
    """
    from syncd.reading import open_books
    from syncd.store import desk

    with open_books(settings_of(config)) as books, books.store.read() as conn:
        items = [_item(row) for row in desk.listing(conn, None if every else "open")]
    if grouped:
        give({"causes": causes(items)}, as_json, _draw_causes)
    else:
        give({"items": items}, as_json, _draw_list)


@family.command("show")
def show(item: Item, config: Config = CONFIG, as_json: AsJson = False) -> None:
    """Show one item with all that is known of it: keys, columns and codes, never a row's text; who did what, and why.

    \b
    Example:
      syncd desk show 3 -c kunshan/syncd.toml
    """
    from syncd.errors import NeedsPerson
    from syncd.reading import open_books
    from syncd.store import desk, jobs

    with open_books(settings_of(config)) as books, books.store.read() as conn:
        row, done = desk.one(conn, item), jobs.of_item(conn, item)
    if row is None:
        raise NeedsPerson(f"There is no item {item} on the desk; `syncd desk list --all` shows them.")
    give(_item(row) | {"acts": [_act_of(job) for job in done]}, as_json, _draw_item)


@family.command("release")
def release(
    item: Item,
    reason: Reason,
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Let an item go on by the normal road: a row is read again, a review imposed, an entry tried again.

    \b
    Example:
      syncd desk release 3 --reason "heard by the legal office" -c kunshan/syncd.toml
    """
    from syncd.errors import Retry
    from syncd.reading import open_books
    from syncd.store import desk

    settings = settings_of(config)
    answer = act(settings, "desk.release", {"item": item}, Acting(reason, account, wait))
    result = answer["result"]
    with open_books(settings) as books, books.store.read() as conn:
        if (row := desk.one(conn, item)) is not None:
            result["state"] = row.state  # what the job has woken may have taken the item away already
    give(answer, as_json, _draw_decided)
    if result["kind"] in _READ_AGAIN and result["state"] == "open" and "collect" in answer["left"]:
        raise typer.Exit(Retry.exit_code)


@family.command("refuse")
def refuse(
    item: Item,
    reason: Reason,
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Close an item and leave everything as it is.

    \b
    Example:
      syncd desk refuse 3 --reason "not ours to decide" -c kunshan/syncd.toml
    """
    _act("desk.refuse", {"item": item}, Acting(reason, account, wait), config, as_json, _draw_decided)


@family.command("choose")
def choose(
    item: Item,
    uscc: Annotated[str, typer.Argument(metavar="USCC", help="The organisation that is meant.")],
    reason: Reason,
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Decide a question of identity 主体识别: whose a name is, or whose branch. Restricts nobody.

    \b
    Example:
      syncd desk choose 4 91320583MB00000193 --reason "business licence seen" -c kunshan/syncd.toml
    """
    args = {"item": item, "uscc": organisation_of(uscc)}
    _act("desk.choose", args, Acting(reason, account, wait), config, as_json, _draw_identified)


@family.command("reopen")
def reopen(
    item: Item,
    reason: Reason,
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Open a decided question of identity again; what was decided before stays on record.

    \b
    Example:
      syncd desk reopen 4 --reason "the licence was another's" -c kunshan/syncd.toml
    """
    _act("desk.reopen", {"item": item}, Acting(reason, account, wait), config, as_json, _draw_identified)


def _act(
    kind: str, args: Json, by: Acting, config: Config, as_json: bool, draw: Callable[["Console", Any], None]
) -> None:
    give(act(settings_of(config), kind, args, by), as_json, draw)


def _draw_identified(to: "Console", answer: Json) -> None:
    result = answer["result"]
    said = f"Item {result['item']} ({words.word(words.DESK, result['kind'])}): {words.ITEM_STATE[result['state']]}"
    say(to, said + (f"; {result['chosen']} is meant." if result["chosen"] else "."))
    draw_left(to, answer["left"])


def causes(items: list[Json]) -> list[Json]:
    """Rows in quarantine by source, column and cause, most frequent first, with whose turn it is and how to mend."""
    from adapters.remedies import remedy_of

    found: dict[tuple[str, str, str], list[Json]] = {}
    for item in items:
        if item["kind"] == "quarantine":
            facts = item["facts"]
            found.setdefault((facts["source"], facts["field"], item["reason"]), []).append(item)
    return [
        {"source": source, "field": field, "reason": reason, "rows": len(several), "turn": remedy_of(reason).turn,
         "mend": remedy_of(reason).english, "mend_zh": remedy_of(reason).chinese,
         "since": min(str(one["opened_at"]) for one in several), "items": [one["id"] for one in several],
         "examples": [str(one["facts"]["row"]) for one in several[:EXAMPLES]]}
        for (source, field, reason), several in sorted(found.items(), key=lambda cause: (-len(cause[1]), cause[0]))
    ]  # fmt: skip


def _item(row: Any) -> Json:
    import orjson

    return {str(name): value for name, value in row._mapping.items()} | {"facts": orjson.loads(row.facts)}


def _act_of(job: Any) -> Json:
    import orjson

    args = orjson.loads(job.args)
    return {"act": job.kind, "account": args["account"], "at": job.done_at, "reason": args["reason"]}


def _draw_list(to: "Console", found: Json) -> None:
    if not found["items"]:
        say(to, "The desk is empty 无待办.")
    rows = [
        (one["id"], words.word(words.DESK, one["kind"]), one["reason"], _what(one), words.ITEM_STATE[one["state"]])
        for one in found["items"]
    ]
    table(to, "Desk 工作台", ("n", "kind", "reason", "what", "state"), rows, "kind reason")


def _draw_causes(to: "Console", found: Json) -> None:
    if not found["causes"]:
        say(to, "Nothing is in quarantine 无隔离.")
        return
    for source in sorted({one["source"] for one in found["causes"]}):
        draw_causes(to, f"Quarantine 隔离 of {source}", [one for one in found["causes"] if one["source"] == source])
    say(to, "A row that is mended in the source leaves by itself; `syncd desk release N` has the source read again.")


def _what(item: Json) -> str:
    facts = item["facts"]
    if "row" in facts:
        return " ".join(str(facts[name]) for name in ("source", "row", "field") if facts.get(name))
    if "uscc" in facts:
        return f"{facts['uscc']} {facts['finding'][:12]}"
    return str(item["mark"])[:40]


def _draw_item(to: "Console", item: Json) -> None:
    kind, state = words.word(words.DESK, item["kind"]), words.ITEM_STATE[item["state"]]
    since = item["closed_at"] or item["opened_at"]
    say(to, f"Item {item['id']}: {kind}, {item['reason']}, {state} since {since}", "bold")
    for name, value in item["facts"].items():
        say(to, f"  {name}: {_told(value)}")
    if item["closed_by"]:
        say(to, f"  decided by account {item['closed_by']} on the ground {item['ground']}")
    for one in item["acts"]:
        say(to, f"  {one['act']} by account {one['account']} at {words.short(one['at'])}: {one['reason']}")


def _told(value: Any) -> str:
    """A fact as a person reads it; what is not there says so."""
    if value is None or value == [] or value == "":
        return "none 无"
    if isinstance(value, bool):
        return "yes 是" if value else "no 否"
    if isinstance(value, list):
        return ", ".join(_told(one) for one in value)
    if isinstance(value, dict):
        return "; ".join(f"{name} {_told(one)}" for name, one in value.items())
    return str(value)


def _draw_decided(to: "Console", answer: Json) -> None:
    result = answer["result"]
    said = f"Item {result['item']} ({words.word(words.DESK, result['kind'])}): {words.ITEM_STATE[result['state']]}"
    say(to, f"{said}; {result['done']} (job {answer['job']}, done by the {answer['by']})")
    draw_left(to, answer["left"])
