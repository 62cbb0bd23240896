"""Commands that ask: ``check`` an organisation, ``explain`` why, and the whole ``register`` 登记."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import explained, words
from syncd.cli.asking_for import ROLE, Lookback, Role, Unit, ask_for, draw_review, months_of
from syncd.cli.honour import draw_honours
from syncd.cli.options import (
    CONFIG,
    OWN_ACCOUNT,
    Account,
    AsJson,
    Config,
    On,
    Region,
    day_of,
    organisation_of,
    settings_of,
)  # fmt: skip
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console

Json = dict[str, Any]
Organisation = Annotated[str, typer.Argument(metavar="USCC", help="Unified social credit code 统一社会信用代码.")]
EXIT_CODES = {"clear": 0, "restricted": 10, "noted": 11}


def add_to(app: typer.Typer) -> None:
    """Put this family into the command line."""
    app.command("check")(check)
    app.command("explain")(explain)
    app.command("register")(register)


def check(
    uscc: Organisation,
    on: On = "",
    region: Region = "",
    known: Annotated[
        str, typer.Option("--known", metavar="DATE", help="By what was known at the end of this day; now if left out.")
    ] = "",
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Leave with 10 if restricted, 11 if noted, 0 if clear.")
    ] = False,
    purpose: Annotated[
        str, typer.Option("--for", metavar="PURPOSE", help="Credit review: tender, permit, fund, honour or loan.")
    ] = "",
    lookback: Lookback = "2y",
    unit: Unit = "",
    role: Role = ROLE,
    account: Account = OWN_ACCOUNT,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say whether an organisation is restricted 受限, noted 关注 or clear 无, by which findings and until when.

    Restricted is who has at least one binding or discretionary measure in force; advice alone is noted. With --for
    it is a credit review 信用审查, which is logged: what touches the purpose, and the records of the last years.

    \b
    Example:
      syncd check 91320583MB00000193 --on 2026-11-22 -c kunshan/syncd.toml
    """
    from syncd.evidence.past_day import open_on
    from syncd.flows.inquiry import Inquiry

    code, day = organisation_of(uscc), day_of(on)
    if purpose:
        if known or region:
            raise typer.BadParameter("a review is asked of this region as it is known now", param_hint="--for")
        answer = ask_for(code, day, months_of(lookback), purpose, (account, role, unit), config)
        give(answer, as_json, draw_review)
    elif known:
        answer = _as_known(code, day, day_of(known, "--known"), region or None, config)
        give(answer, as_json, _draw_as_known)
    else:
        with open_on(settings_of(config), day) as (books, past):
            answer = Inquiry(books, past).check(code, day, region or None)
        give(answer, as_json, _draw_check)
    if exit_code:
        raise typer.Exit(EXIT_CODES[answer["standing"]])


def _as_known(code: str, day: "date", known: "date", region: str | None, config: Path) -> Json:
    """From the entries themselves, which needs the vault; the register answers for now only."""
    from syncd.evidence.books import open_evidence
    from syncd.evidence.past import as_known

    settings = settings_of(config)
    with open_evidence(settings) as evidence, evidence.logs.store.read() as conn:
        answer = as_known(evidence, conn, code, day, known, region)
    return answer | {"demonstration": answer["demonstration"] or settings.node.allow_candidates}


def _draw_as_known(to: "Console", answer: Json) -> None:
    stands = words.word(words.STANDING, answer["standing"])
    asked = f"on {answer['on']}, as known on {answer['known_on']}"
    say(to, f"{answer['uscc']} in {answer['region']} {asked}: {stands}", "bold")
    if answer["demonstration"]:
        say(to, words.DEMONSTRATION, "bold magenta")
    rows = [
        [one["finding"][:16], one["answer"], one["reason"] or one["ended"],
         " ".join(measure["id"] for measure in one["measures"])]
        for one in answer["findings"]
    ]  # fmt: skip
    table(to, "Findings 认定", ["finding 认定", "answer 结果", "why 原因", "measures 措施"], rows, "measures")


def explain(uscc: Organisation, on: On = "", config: Config = CONFIG, as_json: AsJson = False) -> None:
    """Say why: finding 认定, criterion 标准, rule 规则, measure 措施, basis 依据, entry 条目 and receipts 回执.

    \b
    Example:
      syncd explain 91320583MB00000193 -c kunshan/syncd.toml
    """
    from syncd.evidence.past_day import open_on
    from syncd.flows.inquiry import Inquiry

    code, day = organisation_of(uscc), day_of(on)
    with open_on(settings_of(config), day) as (books, past):
        answer = Inquiry(books, past).explain(code, day)
    give(answer, as_json, _draw_explain)


def register(region: Region = "", on: On = "", config: Config = CONFIG, as_json: AsJson = False) -> None:
    """List every organisation with a finding, and what is in force on it.

    \b
    Example:
      syncd register --region 310114 --on 2026-11-22 -c kunshan/syncd.toml
    """
    from syncd.evidence.past_day import open_on
    from syncd.flows.inquiry import Inquiry

    day = day_of(on)
    with open_on(settings_of(config), day) as (books, past):
        found = Inquiry(books, past).register(region or None, day)
        shown = books.allow_candidates or any(one["demonstration"] for one in found)
        head = {"region": region or books.code, "on": day.isoformat(), "demonstration": shown}
    give({**head, "organisations": found}, as_json, _draw_register)


def draw_standing(to: "Console", answer: Json) -> None:
    """The first lines of an answer: who, how it stands, where, on which day, until when."""
    name = answer["name"] or "no finding is known here 无记录"
    say(to, f"{answer['uscc']} {name}", "bold")
    until = f", until 至 {answer['until']}" if answer["until"] else ""
    where = f"in {answer['region']} {answer['region_zh']} on {answer['on']}"
    colour = {"restricted": "bold red", "noted": "bold yellow"}.get(answer["standing"], "bold green")
    say(to, f"{words.STANDING[answer['standing']]} {where}{until}", colour)
    if answer["demonstration"]:
        say(to, words.DEMONSTRATION, "bold magenta")


def _draw_check(to: "Console", answer: Json) -> None:
    draw_standing(to, answer)
    findings = list(enumerate(answer["findings"], 1))
    table(to, "Findings 认定", ("n", "decision", "by", "criterion", "answer", "marks"),
          [(n, one["number"], one["issuer"], one["criterion"] or one["grade"] or "-",
            words.word(words.ANSWER, one["answer"]), marks_of(one)) for n, one in findings],
          "marks")  # fmt: skip
    table(to, "Measures in force 有效措施", ("n", "measure", "name", "kind", "until", "department"),
          [(n, measure["id"], measure["name_zh"], words.KIND[measure["kind"]], measure["to"], measure["responder"])
           for n, one in findings for measure in one["measures"]],
          "name department")  # fmt: skip
    draw_honours(to, answer["honours"])
    for n, one in findings:
        if one["reason"] and not one["measures"]:
            to.print()
            say(to, f"{n}: {why_not(one)}")


def why_not(finding: Json) -> str:
    """Why nothing follows from a finding: the reason, and each measure's own."""
    grouped: dict[str, list[str]] = {}
    for detail in finding["details"]:
        if detail["measure"]:
            grouped.setdefault(detail["reason"], []).append(detail["measure"])
    each = "; ".join(f"{words.word(words.REASON, why)}: {' '.join(ids)}" for why, ids in grouped.items())
    answer, reason = words.word(words.ANSWER, finding["answer"]), words.word(words.REASON, finding["reason"])
    return f"{answer}, {reason}" + (f" ({each})" if each else "")


def marks_of(finding: Json) -> str:
    """Marks and ends 异议, 中止, 修复…; and a delivery that is still on its way home."""
    marks = [words.MARK[name] for name in ("disputed", "suspended") if finding[name]]
    if finding["ended"]:
        marks.append(f"{words.word(words.RELIEF, finding['ended'])} {finding['ended_on'] or ''}".strip())
    if finding["home"] not in (None, "acknowledged"):
        marks.append(words.word(words.DELIVERY, finding["home"]))
    return ", ".join(marks)


def _draw_explain(to: "Console", answer: Json) -> None:
    draw_standing(to, answer)
    draw_honours(to, answer["honours"])
    for n, finding in enumerate(answer["findings"], 1):
        explained.draw_finding(to, n, finding, why_not(finding))


def _draw_register(to: "Console", found: Json) -> None:
    shown = f"Register 登记 of {found['region']} on {found['on']}"
    say(to, f"{shown} · {words.DEMONSTRATION}" if found["demonstration"] else shown, "bold")
    if not found["organisations"]:
        say(to, "No organisation has a finding 无记录.")
    order = {"restricted": 0, "noted": 1, "clear": 2}
    rows = sorted(found["organisations"], key=lambda one: (order[one["standing"]], one["uscc"]))
    table(to, "", ("uscc", "name", "standing", "until", "by", "measures"),
          [(one["uscc"], one["name"], _stands(one), one["until"], _by(one), _acting(one)) for one in rows],
          "name measures")  # fmt: skip


def _stands(organisation: Json) -> str:
    """How it stands, marked by itself: answers of one region may be demonstrations, and another's not."""
    mark = f" · {words.DEMONSTRATION}" if organisation["demonstration"] else ""
    return words.STANDING[organisation["standing"]] + mark


def _by(organisation: Json) -> str:
    """How many of its findings act today, of how many: ``1/2``."""
    acting = sum(1 for one in organisation["findings"] if one["measures"])
    return f"{acting}/{len(organisation['findings'])}"


def _acting(organisation: Json) -> str:
    ids = {measure["id"] for one in organisation["findings"] for measure in one["measures"]}
    marks = {mark for one in organisation["findings"] for mark in (marks_of(one),) if mark and one["disputed"]}
    return " ".join(sorted(ids) + sorted(marks))
