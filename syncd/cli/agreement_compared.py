"""Commands that compare versions of the agreement: ``diff`` before anybody signs, ``replay`` after it is in force."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import words
from syncd.cli.acting import Acting, act, draw_left
from syncd.cli.options import (
    CONFIG,
    MOST_NUMBER,
    OWN_ACCOUNT,
    WAIT_SECONDS,
    Account,
    AsJson,
    Config,
    On,
    Reason,
    Wait,
    day_of,
    settings_of,
)
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from rich.console import Console

    from syncd.agreement.model import Agreement
    from syncd.reading import OpenBooks

Json = dict[str, Any]
SHOWN = 100
Which = Annotated[str, typer.Argument(metavar="V1", help="A version's number that the node holds, or a folder.")]
Other = Annotated[str, typer.Argument(metavar="V2", help="The other version, as a number or a folder.")]


def diff(
    first: Which,
    second: Other,
    against: Annotated[
        str, typer.Option("--against", metavar="register", help="Also which companies of the register it would affect.")
    ] = "",
    on: On = "",
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say in words which rows two versions differ in; with --against register, whom that would restrict or release.

    Two folders without --against need no node.

    \b
    Example:
      syncd agreement diff 1 agreements/jiakuntai-eco-2 --against register -c kunshan/syncd.toml
    """
    from syncd.agreement.comparison import changes
    from syncd.reading import open_books

    if against not in ("", "register"):
        raise typer.BadParameter("the only thing to compare against is the register", param_hint="--against")
    day = day_of(on)
    with ExitStack() as stack:
        numbers = first.isdigit() or second.isdigit()
        books = stack.enter_context(open_books(settings_of(config))) if numbers or against else None
        one, two = (_version(books, text) for text in (first, second))
        found: Json = {"from": one.tag, "to": two.tag, "on": day.isoformat(), "effects": None, "counts": None}
        found["changes"] = [
            {"kind": c.kind, "table": c.table, "region": c.region, "id": c.id, "was": dict(c.was), "now": dict(c.now),
             "zh": c.zh, "en": c.en} for c in changes(one, two)
        ]  # fmt: skip
        if against and books is not None:
            found |= _effects(books, one, two, day)
    give(found, as_json, _draw_diff)


def _version(books: "OpenBooks | None", text: str) -> "Agreement":
    from syncd.agreement_files import read_agreement
    from syncd.errors import NeedsPerson

    if not text.isdigit() or books is None:
        return read_agreement(Path(text))
    held = books.timeline.of(int(text))
    if held is None:
        raise NeedsPerson(f"This node holds no version {text}; give its folder, or `syncd agreement load` it first.")
    return held


def _effects(books: "OpenBooks", one: "Agreement", two: "Agreement", day: Any) -> Json:
    from collections import Counter

    from syncd.flows.preview import preview

    regions = sorted({*one.members, *two.members})
    with books.store.read() as conn:
        effects = list(preview(books, conn, one, two, day, regions))
    counted = Counter((row["region"], row["effect"]) for row in effects)
    counts = [
        {"region": region, "effect": effect, "findings": count} for (region, effect), count in sorted(counted.items())
    ]
    return {"effects": effects, "counts": counts}


def _draw_diff(to: "Console", found: Json) -> None:
    say(to, f"{found['from']} → {found['to']}", "bold")
    if not found["changes"]:
        say(to, "No row differs 无差异.")
    for one in found["changes"]:
        say(to, f"- {one['zh']}")
        say(to, f"  {one['en']}")
    if found["effects"] is None:
        return
    counts = [(one["region"], words.word(words.EFFECT, one["effect"]), one["findings"]) for one in found["counts"]]
    table(to, "Effects 影响", ("region 地区", "effect 影响", "findings 认定"), counts)
    shown = found["effects"][:SHOWN]
    table(to, "Companies 企业", ("uscc", "name", "region", "effect", "gained", "lost", "until"),
          [(one["uscc"], one["name"], one["region"], words.word(words.EFFECT, one["effect"]), " ".join(one["gained"]),
            " ".join(one["lost"]), f"{one['until_was'] or '-'} → {one['until_now'] or '-'}") for one in shown],
          "name gained lost")  # fmt: skip
    if len(found["effects"]) > SHOWN:
        say(to, f"{len(found['effects']) - SHOWN} more; --json gives all.")
    if not found["effects"]:
        say(to, "Nobody would be affected 无企业受影响.")


def replay(
    version: Annotated[
        int, typer.Argument(metavar="V2", min=1, max=MOST_NUMBER, help="Number of a version in force here.")
    ],
    reason: Reason,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be proposed; change nothing.")] = False,
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Propose on the desk what a later version would change for findings judged by an earlier one, in this region.

    Nothing is changed before a person releases an item; refusing it leaves the finding as it was judged.

    \b
    Example:
      syncd agreement replay 2 --dry-run --reason "decided on 2026-12-01" -c kunshan/syncd.toml
    """
    settings = settings_of(config)
    if dry_run:
        give(_dry(settings, version), as_json, _draw_dry)
        return
    by = Acting(reason, account, wait)
    give(act(settings, "agreement.replay", {"version": version}, by), as_json, _draw_replayed)


def _dry(settings: Any, version: int) -> Json:
    from syncd.flows.preview import preview
    from syncd.reading import open_books

    with open_books(settings) as books, books.store.read() as conn:
        two = _version(books, str(version))
        effects = list(preview(books, conn, None, two, day_of(""), [books.code]))
    return {"agreement": two.tag, "proposed": len(effects), "effects": effects}


def _draw_dry(to: "Console", found: Json) -> None:
    say(
        to, f"{found['agreement']}: {found['proposed']} findings would be proposed 将提出; nothing was changed.", "bold"
    )
    table(to, "Findings 认定", ("uscc", "decision", "effect", "gained", "lost", "until"),
          [(one["uscc"], one["number"], words.word(words.EFFECT, one["effect"]), " ".join(one["gained"]),
            " ".join(one["lost"]), f"{one['until_was'] or '-'} → {one['until_now'] or '-'}")
           for one in found["effects"][:SHOWN]], "gained lost")  # fmt: skip


def _draw_replayed(to: "Console", answer: Json) -> None:
    result = answer["result"]
    effects = ", ".join(f"{words.word(words.EFFECT, name)}: {count}" for name, count in result["effects"].items())
    say(
        to,
        f"{result['agreement']}: {result['proposed']} proposals lie on the desk 已列入工作台 ({effects or 'none 无'})",
    )
    draw_left(to, answer["left"])
