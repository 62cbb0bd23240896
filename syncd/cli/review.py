"""Commands of credit review 信用审查: a list of organisations in one go, its signed statement, and the review book."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import words
from syncd.cli.asking_for import ROLE, Lookback, Role, Unit, months_of, scoring_of
from syncd.cli.options import CONFIG, OWN_ACCOUNT, Account, AsJson, Config, On, day_of, family_of, settings_of
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]
family = family_of("Credit review 信用审查 of many organisations.", "review book")


def add_to(app: typer.Typer) -> None:
    """Put this family into the command line."""
    app.add_typer(family, name="review")


@family.command("batch")
def batch(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="List of codes, .csv or .xlsx.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Where the answers go, .csv or .xlsx.")],
    purpose: Annotated[str, typer.Option("--for", metavar="PURPOSE", help="tender, permit, fund, honour or loan.")],
    lookback: Lookback = "2y",
    unit: Unit = "",
    role: Role = ROLE,
    account: Account = OWN_ACCOUNT,
    on: On = "",
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Review a list of organisations; writes OUT, and beside it the signed statement OUT.statement 证明.

    \b
    Example:
      syncd review batch bidders.xlsx -o answers.xlsx --for tender --unit 财政局 -c kunshan/syncd.toml
    """
    from syncd.evidence.past_day import open_on
    from syncd.flows.review import Question
    from syncd.flows.review_book import asker
    from syncd.review_batch import review_list
    from syncd.statements import sign as sign_statement

    settings = settings_of(config)
    question = Question(purpose, day_of(on), months_of(lookback))
    with open_on(settings, question.day) as (books, past):
        who = asker(books, scoring_of(settings), account, role, unit)
        sign = partial(sign_statement, settings.data / "keys", books.code, passphrase=settings.passphrase)
        done = review_list(books, sign, who, question, file, out, past)
    give(done, as_json, _draw_batch)


@family.command("verify")
def verify(
    statement: Annotated[Path, typer.Argument(metavar="STATEMENT", help="The signed statement.")],
    result: Annotated[
        Path | None, typer.Option("--result", metavar="OUT", help="The answers that it is about.")
    ] = None,
    asked: Annotated[Path | None, typer.Option("--list", metavar="FILE", help="The list that was asked.")] = None,
    member: Annotated[
        Path | None, typer.Option("--member", metavar="FILE", help="Member file of the bureau; instead of a node.")
    ] = None,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Verify a signed statement, and that answers and list are the ones it is about. Needs no node and no network.

    \b
    Example:
      syncd review verify answers.xlsx.statement --result answers.xlsx --member member-320583.toml
    """
    from syncd.review_batch import read_file, verified

    authority = None
    if member is not None:
        from syncd.agreement.member import load_member

        authority = load_member(read_file(member))
    give(verified(statement, result, asked, authority or (lambda code: _held(config, code))), as_json, _draw_verified)


def _held(config: Path, code: str) -> Any:
    from syncd.agreement_files import read_members
    from syncd.errors import NeedsPerson

    settings = settings_of(config)
    held = read_members(settings.path(settings.node.agreement))
    if code not in held:
        raise NeedsPerson("This node holds no member file of that bureau, so it cannot judge; give --member FILE.")
    return held[code]


@family.command("book")
def book(
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="First day; 1 January if left out.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day; today if left out.")] = "",
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """List the reviews that were asked for, by unit, and what they come to in the yearly assessment 考核.

    \b
    Example:
      syncd review book --from 2026-01-01 -c kunshan/syncd.toml
    """
    from syncd.flows.review_book import book as booked
    from syncd.reading import open_books

    settings, end = settings_of(config), day_of(last, "--to")
    start = day_of(first, "--from") if first else end.replace(month=1, day=1)
    with open_books(settings) as books:
        found = booked(books, scoring_of(settings), start, end)
    give(found, as_json, _draw_book)


def _draw_batch(to: "Console", done: Json) -> None:
    said, counts = done["statement"], done["statement"]["counts"]
    stands = ", ".join(f"{words.STANDING[name]} {counts[name]}" for name in ("restricted", "noted", "clear"))
    say(to, f"{said['organisations']} organisations for {said['purpose']} on {said['on']}: {stands}", "bold")
    if said["refused"]:
        say(to, f"{said['refused']} lines hold no code that can be taken; the answers name line and reason.")
    say(to, f"Answers 结果: {done['result']}; signed statement 证明: {done['signed']}.")
    say(to, f"Review {said['review']} in the book 审查登记.")
    if said["demonstration"]:
        say(to, words.DEMONSTRATION, "bold magenta")


def _draw_verified(to: "Console", found: Json) -> None:
    said = found["statement"]
    say(to, f"The statement is true 属实: signed by {said['bureau']} at {said['at']}.", "bold green")
    say(to, f"{said['organisations']} organisations for {said['purpose']} on {said['on']}, {said['lookback_months']} "
            f"months looked back, under {said['agreement']}; asked by {said['unit']}.")  # fmt: skip
    for name, about in (("result", "answers 结果"), ("list", "list 名单")):
        say(to, f"The {about}: {'the ones it is about' if found[name] else 'not compared'}.")
    if said["demonstration"]:
        say(to, words.DEMONSTRATION, "bold magenta")


def _draw_book(to: "Console", found: Json) -> None:
    say(to, f"{found['total']} reviews 审查 from {found['from']} to {found['to']}", "bold")
    table(to, "By unit 单位", ("unit", "reviews"), [(one["unit"], one["reviews"]) for one in found["by_unit"]], "unit")
    rows = [
        (one["id"], one["at"], one["unit"], words.word(words.ROLE, one["role"]), one["account"], one["purpose"],
         one["uscc"] or f"{one['organisations']} organisations", one["restricted"], one["noted"])
        for one in found["reviews"]
    ]  # fmt: skip
    heads = ("n", "at", "unit", "role", "account", "for", "about", "restricted", "noted")
    table(to, "Reviews 审查登记", heads, rows, "unit")
    if found["scoring"]:
        items = found["scoring"]["items"]
        drawn = [(one["item"], one["unit"], one["reviews"], "yes" if one["met"] else "no", one["points"],
                  " ".join(one["also_needs"])) for one in items]  # fmt: skip
        table(to, f"Assessment 考核: {found['scoring']['source']}",
              ("item", "unit", "reviews", "met", "points", "also needs"), drawn, "unit")  # fmt: skip
