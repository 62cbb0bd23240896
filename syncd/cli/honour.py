"""Commands of honours 守信荣誉: granted and withdrawn by this bureau, shared with all members; and their list."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import words
from syncd.cli.acting import Acting, act, draw_left
from syncd.cli.options import (
    CONFIG,
    OWN_ACCOUNT,
    WAIT_SECONDS,
    Account,
    AsJson,
    Config,
    Reason,
    Wait,
    day_of,
    family_of,
    organisation_of,
    settings_of,
)
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]
_LEAF = re.compile(r"[0-9a-f]{64}", re.ASCII)
family = family_of("Honours 守信荣誉 of this bureau.", "honour list")


def add_to(app: typer.Typer) -> None:
    """Put this family into the command line."""
    app.add_typer(family, name="honour")


@family.command("grant")
def grant(
    uscc: Annotated[str, typer.Argument(metavar="USCC", help="The organisation that is honoured.")],
    honour: Annotated[str, typer.Option("--honour", metavar="CODE", help="As in the agreement's honours.toml.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Its registered name 登记名称.")],
    number: Annotated[str, typer.Option("--number", metavar="N", help="Number of the document 文号.")],
    organ: Annotated[str, typer.Option("--organ", metavar="USCC", help="Code of the organ that grants it.")],
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Its last day.")],
    reason: Reason,
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="Day of the grant; today if left out.")] = "",
    published: Annotated[
        str, typer.Option("--published", metavar="DATE", help="Day of publication; the day of the grant if left out.")
    ] = "",
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say in this bureau's log that an organisation is honoured, by a published document and until a day.

    \b
    Example:
      syncd honour grant 91320583MB00000193 --honour HN-RED --name 虚构第1号厂 --number 昆诚〔2026〕1号 \\
        --organ 11320500MB2000020M --until 2027-10-31 --reason published -c kunshan/syncd.toml
    """
    day = day_of(on).isoformat()
    args = {
        "uscc": organisation_of(uscc),
        "honour": honour,
        "name": name,
        "number": number,
        "organ": organ,
        "on": day,
        "published": day_of(published, "--published").isoformat() if published else day,
        "until": day_of(until, "--until").isoformat(),
    }
    give(act(settings_of(config), "honour.grant", args, Acting(reason, account, wait)), as_json, _draw_done)


@family.command("withdraw")
def withdraw(
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="Leaf hash of the honour, from `honour list`.")],
    reason: Reason,
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="From which day; today if left out.")] = "",
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Withdraw an honour of this bureau; what it brought ends everywhere.

    \b
    Example:
      syncd honour withdraw 7ab61ef3452e220818e20fba17de6f3c3cdd44cbc3712c35db00d7e538ec2680 --reason revoked
    """
    if not _LEAF.fullmatch(entry):
        raise typer.BadParameter("give the leaf hash that `syncd honour list` shows", param_hint="ENTRY")
    day = day_of(first, "--from").isoformat() if first else None
    args = {"entry": entry, "from": day}
    give(act(settings_of(config), "honour.withdraw", args, Acting(reason, account, wait)), as_json, _draw_done)


@family.command("list")
def listing(config: Config = CONFIG, as_json: AsJson = False) -> None:
    """List all honours that are known here, of every member.

    \b
    Example:
      syncd honour list -c kunshan/syncd.toml
    """
    from syncd.reading import open_books
    from syncd.store import honours

    with open_books(settings_of(config)) as books, books.store.read() as conn:
        rows = [one._asdict() | {"leaf": one.leaf.hex()} for found in honours.of(conn).values() for one in found]
    give({"honours": rows}, as_json, _draw_list)


def _draw_done(to: "Console", answer: Json) -> None:
    result = answer["result"]
    say(to, f"{result['uscc']} {result['honour']} to 至 {result['until']}, entry 条目 {result['entry']}")
    draw_left(to, answer["left"])


def _draw_list(to: "Console", found: Json) -> None:
    rows = [
        (one["uscc"], one["name"], one["honour"], one["issuer"], one["granted_on"], one["until"],
         one["withdrawn_on"] or "", one["leaf"])
        for one in found["honours"]
    ]  # fmt: skip
    heads = ("uscc", "name", "honour", "by", "granted", "until", "withdrawn", "entry")
    table(to, "Honours 守信荣誉", heads, rows, "name")
    if not rows:
        say(to, "No honour is known here 无记录.")


def draw_honours(to: "Console", honours: list[Json]) -> None:
    """What an organisation's honours bring, under an answer about it; why nothing does where nothing does."""
    for one in honours:
        say(
            to,
            f"Honour 荣誉 {one['honour']} {one['name_zh']} by {one['issuer']}, {one['number']}, to {one['until']}",
        )
        if one["reason"]:
            say(to, f"   nothing follows: {words.word(words.REASON, one['reason'])}")
        for offer in one["incentives"]:
            state = words.word(words.OFFER, offer["state"])
            say(to, f"   {state}: {offer['id']} {offer['name_zh']}, {offer['responder']}, to 至 {offer['to']}")
        if one["suspended_by"]:
            why = " ".join(leaf[:12] for leaf in one["suspended_by"])
            say(to, f"   suspended by an active severe finding 因严重失信暂停: {why}", "bold yellow")
