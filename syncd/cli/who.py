"""``who``: who a code is, and which organisations a name may mean; and a person's choice about it at the desk."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli.acting import GROUND
from syncd.cli.options import CONFIG, OWN_ACCOUNT, WAIT_SECONDS, Account, AsJson, Config, Wait, settings_of
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]


def add_to(app: typer.Typer) -> None:
    """Put the command into the command line."""
    app.command("who")(who)


def who(
    text: Annotated[
        str, typer.Argument(metavar="NAME|CODE", help="USCC, organisation code, registration number, name")
    ],
    ask: Annotated[bool, typer.Option("--ask", help="Put the question on the desk, for a person to decide.")] = False,
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say who an organisation is 主体识别. A code decides; a name only suggests, until a person has decided.

    \b
    Example:
      syncd who "昆山彩虹涂料" -c kunshan/syncd.toml
    """
    settings = settings_of(config)
    if ask:
        from syncd.agreement.identity import read_question
        from syncd.asking import ask as ask_daemon

        args = {"text": read_question(text)[1], "account": account, "ground": GROUND}
        give(ask_daemon(settings, "who.ask", args, wait), as_json, _draw_asked)
        return
    from syncd.flows.who import who as known
    from syncd.reading import open_books

    with open_books(settings) as books:
        answer = known(books, text)
    give(answer, as_json, _draw)


def _draw(to: "Console", answer: Json) -> None:
    organisation, decision = answer["organisation"], answer["decision"]
    if organisation is not None:
        _draw_organisation(to, organisation)
    if decision is not None:
        said = (
            f"A person decided so 人工认定: account {decision['account']}, {decision['at']}, item {decision['item']}."
        )
        say(to, f"{said} `syncd desk reopen {decision['item']}` opens it again.")
    elif answer["asked"] in ("name", "registration"):
        say(
            to,
            "A name or a registration number decides nothing 名称不作认定; a person does: `syncd who … --ask`.",
            "bold",
        )
    _draw_candidates(to, answer["candidates"])
    if not answer["candidates"] and organisation is None:
        say(to, "Nobody like that is in the register 无相近主体.")


def _draw_organisation(to: "Console", one: Json) -> None:
    say(to, f"{one['uscc']} {one['name'] or 'no finding is known here 无记录'}", "bold")
    say(to, f"organisation code 组织机构代码 {one['organisation_code']}")
    rows = [(row["name"], row["first"], row["last"]) for row in one["former_names"]]
    table(to, "Former names 曾用名, by the days of decisions", ("name", "first", "last"), rows, "name")
    for row in one["linked_by_a_person"]:
        say(to, f"linked by a person 人工关联: {row['text']} (item {row['item']})")
    if one["parent"]:
        say(to, f"branch of 分支机构, parent 总机构 {one['parent']}; each answers for its own findings.")
    if one["branches"]:
        say(to, f"branches 分支机构: {' '.join(one['branches'])}")
    if one["may_be_branch_of"]:
        say(to, "Its name says that it is a branch 分支机构; `--ask` lets a person say of whom.")
        _draw_candidates(to, one["may_be_branch_of"])


def _draw_candidates(to: "Console", rows: list[Json]) -> None:
    drawn = [(one["uscc"], one["name"], one["score"], one["last"]) for one in rows]
    table(to, "Candidates 相近主体", ("uscc", "name", "likeness", "last decision"), drawn, "name")


def _draw_asked(to: "Console", answer: Json) -> None:
    result = answer["result"]
    say(to, f"Item {result['item']} lies on the desk 工作台. `syncd desk choose {result['item']} USCC` decides it.")
    _draw_candidates(to, result["candidates"])
