"""``erase`` and ``erasures``: order that everything said about a finding is deleted, and see who has done so."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.identifiers import holds_person_id
from syncd.cli.acting import draw_left
from syncd.cli.options import CONFIG, OWN_ACCOUNT, WAIT_SECONDS, Account, AsJson, Config, Wait, settings_of
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@#-]{0,63}", re.ASCII)
_FINDING = re.compile(r"[0-9a-f]{64}|[0-9a-f-]{36}|[a-z0-9/-]{6,80}:[0-9]{1,16}", re.ASCII)
HERE = {
    "held": "已收到 held",
    "off": "已解除 lifted",
    "cleared": "内容已删 cleared",
    "gone": "登记已删 gone",
    "done": "已办结 done",
    "closed": "各方已办结 closed",
}


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.command("erase")(erase)
    app.command("erasures")(erasures)


def erase(
    finding: Annotated[str, typer.Argument(metavar="FINDING", help="Its <log>:<index>, id or leaf hash.")],
    ground: Annotated[str, typer.Option("--ground", metavar="CODE", help="Why, as a code; it stands in the ledger.")],
    order: Annotated[str, typer.Option("--order", metavar="NO", help="Number of the order, as a code.")],
    revoke: Annotated[bool, typer.Option("--revoke", help="Revoke 撤销 it too, if it still stands.")] = False,
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Order that everything said about a finding or honour of this bureau's own is deleted 删除, everywhere.

    Every member lifts what it has restricted, forgets keys, texts, register, desk and outbox, and answers within three
    working days; the ledger keeps leaves that say nothing, and the order. It cannot be undone.

    \b
    Example:
      syncd erase 320583:41 --ground revoked --order KS-2026-0007 -c kunshan/syncd.toml
    """
    from syncd.asking import ask

    for value, name in ((ground, "--ground"), (order, "--order")):
        if not _CODE.fullmatch(value):
            raise typer.BadParameter(
                "letters, digits and _ . : / @ # - only, 64 at most: it stands in the ledger for ever", param_hint=name
            )
        if holds_person_id(value):
            raise typer.BadParameter(
                "this holds a person's number, and it would stand in the ledger for ever; nothing was ordered. Give "
                "the order's own number, or a code for it",
                param_hint=name,
            )
    if not _FINDING.fullmatch(finding):
        raise typer.BadParameter(
            "give <log>:<index>, id or leaf hash, as `syncd explain` shows them", param_hint="FINDING"
        )
    args = {"finding": finding, "ground": ground, "number": order, "revoke": revoke, "account": account}
    give(ask(settings_of(config), "erase", args, wait), as_json, _draw_ordered)


def erasures(config: Config = CONFIG, as_json: AsJson = False) -> None:
    """List orders of erasure 删除: who has answered, who owes it until when, and how far this node is.

    \b
    Example:
      syncd erasures -c kunshan/syncd.toml
    """
    import datetime as dt

    from syncd.flows.bureau import day_of
    from syncd.flows.erasures import listed
    from syncd.reading import open_books

    with open_books(settings_of(config)) as books, books.store.read() as conn:
        found = listed(books, conn, day_of(dt.datetime.now(dt.UTC)))
    give({"erasures": found}, as_json, _draw_list)


def _draw_ordered(to: "Console", answer: Json) -> None:
    result = answer["result"]
    also = "revoked 撤销 and " if result["revoked"] else ""
    say(to, f"It is {also}ordered to be erased 删除 by {result['log']}:{result['index']}")
    holders = ", ".join(result["holders"])
    say(to, f"due from {holders} by {result['due']} (job {answer['job']}, done by the {answer['by']})")
    draw_left(to, answer["left"])


def _draw_list(to: "Console", found: Json) -> None:
    if not found["erasures"]:
        say(to, "No erasure was ever ordered 无删除指令.")
        return
    rows = [
        (f"{one['log']}:{one['index']}", one["ground"], one["number"], one["due"], HERE.get(one["here"], one["here"]),
         " ".join(code for code, at in one["answers"].items() if at), " ".join(one["waiting_for"]),
         " ".join(one["late"])) for one in found["erasures"]
    ]  # fmt: skip
    table(to, "Erasures 删除", ("order", "ground", "number", "due", "here", "answered", "waiting-for", "late"), rows)
