"""Options that several commands share, so that a word means the same everywhere; and how their values are read."""

import os
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from syncd.settings import Settings

MOST_ACCOUNT, MOST_NUMBER = 2**53 - 1, 2**31 - 1  # what the ledger and the store can hold
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)  # beyond these no period of the law can be counted
Config = Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="Settings of the node.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
On = Annotated[str, typer.Option("--on", metavar="DATE", help="The day asked about, 2026-11-22; today if left out.")]
Region = Annotated[str, typer.Option("--region", metavar="R", help="Another member's region 区划代码.")]


def _no_person(reason: str) -> str:
    """A reason is kept and shown, so no person's number may stand in it."""
    from schemas.identifiers import holds_person_id

    if holds_person_id(reason):
        raise typer.BadParameter("this holds a person's number, and a reason is kept; nothing was done, leave it out")
    return reason


Reason = Annotated[
    str,
    typer.Option(
        "--reason", metavar="TEXT", help="Why. Stays in this node; the ledger gets a code only.", callback=_no_person
    ),
]
Account = Annotated[
    int,
    typer.Option("--account", metavar="N", min=0, max=MOST_ACCOUNT, help="Number of the acting account in the ledger."),
]
Wait = Annotated[float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for a running daemon.")]
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
CONFIG = Path("syncd.toml")
WAIT_SECONDS = 30.0
OWN_ACCOUNT = os.getuid()


def family_of(about: str, example: str) -> typer.Typer:
    """A family of commands; its help has an example, as each command's has."""
    return typer.Typer(help=with_example(about, example), no_args_is_help=True, rich_markup_mode=None)


def with_example(about: str, example: str) -> str:
    """Help as the parser lays it out."""
    return f"{about}\n\n\b\nExample:\n  syncd {example}"


def settings_of(file: Path) -> "Settings":
    """The settings of the node that a command is about."""
    from syncd.settings import read_settings

    return read_settings(file)


def day_of(text: str, option: str = "--on") -> date:
    """The day asked about, in Asia/Shanghai; today there if none was given."""
    if not text:
        from datetime import datetime
        from zoneinfo import ZoneInfo

        return datetime.now(ZoneInfo("Asia/Shanghai")).date()
    if not _DAY.fullmatch(text):
        raise typer.BadParameter("a day is written as 2026-11-22", param_hint=option)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("there is no such day in the calendar", param_hint=option) from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise typer.BadParameter(f"a day lies between {FIRST_DAY} and {LAST_DAY}", param_hint=option)
    return day


def organisation_of(text: str) -> str:
    """A canonical USCC; raises ``Refuse`` with the reason where it is none, or no organisation's."""
    from schemas.fault import Fault
    from schemas.identifiers import canonical_uscc, is_sole_proprietor
    from syncd.errors import Refuse

    try:
        code = canonical_uscc(text)
    except Fault as fault:
        hint = "" if fault.reason == "person_id" else " `syncd who` looks up a name."
        raise Refuse(f"This is no unified social credit code 统一社会信用代码. {fault.sentence}{hint}") from None
    if is_sole_proprietor(code):
        raise Refuse("This is a sole proprietor 个体工商户; only organisations are taken in, so nothing is held here.")
    return code
