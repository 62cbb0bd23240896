"""Options of a credit review 信用审查 that ``check --for`` and ``review`` share; asking and drawing one."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import words
from syncd.cli.options import settings_of
from syncd.cli.output import say, table

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console

    from syncd.agreement.scoring import Scoring
    from syncd.settings import Settings

Json = dict[str, Any]
ROLE = "handling"
Lookback = Annotated[str, typer.Option("--lookback", metavar="SPAN", help="How far to look back: 2y, 18m.")]
Unit = Annotated[str, typer.Option("--unit", metavar="UNIT", help="The unit that asks; the bureau if left out.")]
Role = Annotated[str, typer.Option("--role", metavar="ROLE", help="handling 经办, approving 审批 or supervising 监督.")]
_MOST_MONTHS = 120


def months_of(text: str) -> int:
    """``2y`` or ``18m`` as months, 1 to 120."""
    found = re.fullmatch(r"([1-9][0-9]{0,2})([ym])", text, re.ASCII)
    months = int(found[1]) * (12 if found[2] == "y" else 1) if found else 0
    if not 1 <= months <= _MOST_MONTHS:
        raise typer.BadParameter("a span is written as 2y or 18m, ten years at most", param_hint="--lookback")
    return months


def scoring_of(settings: "Settings") -> "Scoring | None":
    """The scoring tables that the settings name, if they name any."""
    from syncd.agreement.scoring import load_scoring
    from syncd.errors import NeedsPerson

    if settings.node.scoring is None:
        return None
    file = settings.path(settings.node.scoring)
    if not file.is_file():
        raise NeedsPerson(f"There is no file {file}, which node.scoring names. Nothing was asked; correct syncd.toml.")
    return load_scoring(file.read_bytes())


def ask_for(uscc: str, day: "date", months: int, purpose: str, who: tuple[int, str, str], config: Path) -> Json:
    """One credit review: answered only when it stands in the book; ``who`` is account, role and unit."""
    import datetime as dt

    from syncd.evidence.past_day import open_on
    from syncd.flows.review import Question, Review
    from syncd.flows.review_book import asker, log_review

    settings = settings_of(config)
    question = Question(purpose, day, months)
    with open_on(settings, day) as (books, past):
        asking = asker(books, scoring_of(settings), *who)
        answer = Review(books, question, past).one(uscc)
        number = log_review(books, asking, question, [answer], dt.datetime.now(dt.UTC), uscc)
    return {**answer, "review": number}


def draw_review(to: "Console", answer: Json) -> None:
    """The answer to one review: how it stands for the purpose, until when, by which records and measures."""
    say(to, f"{answer['uscc']} {answer['name'] or 'no record 无记录'}", "bold")
    colour = {"restricted": "bold red", "noted": "bold yellow"}.get(answer["standing"], "bold green")
    until = f", until 至 {answer['until']}" if answer["until"] else ""
    about = f"for {answer['purpose']} {answer['purpose_zh']} in {answer['region']} {answer['region_zh']}"
    say(to, f"{words.STANDING[answer['standing']]} {about} on {answer['on']}{until}", colour)
    if answer["demonstration"]:
        say(to, words.DEMONSTRATION, "bold magenta")
    title = f"Records 记录 of the last {answer['lookback_months']} months, or acting"
    table(to, title, ("decision", "by", "criterion", "decided", "marks"),
          [(one["number"], one["issuer"], one["criterion"] or "-", one["decided_on"],
            words.MARK["disputed"] if one["disputed"] else "") for one in answer["records"]])  # fmt: skip
    table(to, "Measures that touch it 有关措施", ("measure", "name", "kind", "until", "department"),
          [(one["id"], one["name_zh"], words.KIND[one["kind"]], one["to"], one["responder"])
           for one in answer["measures"]], "name department")  # fmt: skip
    table(to, "Incentives 激励措施", ("incentive", "name", "state", "honour", "until", "department"),
          [(one["id"], one["name_zh"], words.word(words.OFFER, one["state"]), one["honour"], one["to"],
            one["responder"]) for one in answer["incentives"]], "name department")  # fmt: skip
    say(to, f"Review {answer['review']} in the book 审查登记. Which measures touch a purpose is "
            f"{words.word(words.STATUS, answer['purpose_status'])} data of {answer['agreement']}.")  # fmt: skip
