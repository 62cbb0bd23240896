"""A trial 自检 of a facts page: invented rows under its own column names, and the verdict that each must have.

It needs no source. A page by which a good row is refused, or a bad one passes, shows here before anybody is asked for
an account: an alias that leads astray, a value of the review column that is missing, odd values that hide too much.
"""

import datetime as dt
from typing import NamedTuple

from adapters.base import Ack, AckPage, Adapter, Json, Page, RawRow
from adapters.facts import SourceFacts
from adapters.records import Collected, FindingRecord
from adapters.source import Source
from schemas.identifiers import make_uscc

TODAY = dt.date(2026, 11, 22)
PASSES, WAITS = "finding", "waiting"
_NUMBER = "11010519491231002X"  # the standard's own example of an identity number (GB 11643)


class Case(NamedTuple):
    """What the row is like, the columns in which it differs from a good one, and its verdict."""

    about: str
    changes: dict[str, str]
    verdict: str


class _Rows(Adapter):
    """One row, as a source."""

    def __init__(self, row: RawRow) -> None:
        self._row = row

    def pull(self, cursor: Json | None) -> Page:
        return Page([self._row], {}, False)

    def push(self, rows: object) -> str:
        """Takes nothing: no order is ever tried."""
        return ""

    def acknowledgements(self, cursor: Json | None) -> AckPage:
        return AckPage(list[Ack](), {}, False)


def cases(facts: SourceFacts) -> list[Case]:
    """The rows that every page is tried with."""
    own = facts.columns
    return [
        Case("a good row 正常", {}, PASSES),
        Case("a natural person 自然人", {"CF_XDR_LB": "自然人", "CF_XDR_SHXYM": ""}, "natural_person"),
        Case("a person's number as code 身份证号", {"CF_XDR_SHXYM": _NUMBER}, "natural_person"),
        Case("a sole proprietor 个体工商户", {"CF_XDR_SHXYM": make_uscc("92110000", "MA000001")}, "sole_proprietor"),
        Case("a mistyped code 代码校验", {"CF_XDR_SHXYM": _mistyped(make_uscc("91110000", "MA000001"))}, "outer_check"),
        Case("no code 代码为空", {"CF_XDR_SHXYM": ""}, "missing"),
        Case("no number of the decision 文号无", {"CF_WSH": "无"}, "placeholder"),
        Case("no place 属地为空", {own.place: ""}, "missing"),
        Case("decided tomorrow 决定日在后", {"CF_JDRQ": "2026-11-23"}, "in_future"),
        Case("ended before it was decided 截止日在前", {"CF_GSJZQ": "2026-11-01"}, "before_decision"),
        Case("an end stamped at each edit 自动更新之截止期", {"CF_GSJZQ": "2028-11-02 14:05:33"}, "stamped"),
        Case("name and code swapped 名称代码填反", {"CF_SJLY": "DIR-01", "CF_SJLYDM": "某某局"}, "swapped"),
        Case("an identity number in a text 夹带身份证号", {"CF_WFXW": f"由{_NUMBER}排放"}, "personal_content"),
        Case("open to review 复议诉讼中", {own.review: facts.review.open[0]}, WAITS),
        Case("a state of review nobody explained 未知复议状态", {own.review: "?"}, "unknown_value"),
        Case("to be published next week 尚未公示", {own.published: "2026-11-29"}, WAITS),
    ]


def trial(facts: SourceFacts) -> list[Json]:
    """Each case with the verdict it must have and the one it has; ``fine`` where they agree."""
    tried = []
    for case in cases(facts):
        got = _verdict(facts, case)
        fine = got == case.verdict
        tried.append({"about": case.about, "expected": case.verdict, "got": got, "fine": fine})
    return tried


def _verdict(facts: SourceFacts, case: Case) -> str:
    row = RawRow("penalty", "TRIAL-1", {**_good(facts), **case.changes}, "trial")
    page = Source(_Rows(row), facts, bytes(32)).collect(None, TODAY)
    return _said(page)


def _said(page: Collected) -> str:
    """The one verdict of a page with one row."""
    verdicts = [one.reason for one in page.quarantined] + list(page.refused)
    verdicts += [WAITS for _ in page.waiting]
    verdicts += [PASSES if isinstance(one, FindingRecord) else "relief" for one in page.records]
    return verdicts[0] if verdicts else "nothing"


def _good(facts: SourceFacts) -> dict[str, str]:
    own = facts.columns
    code = make_uscc("91110000", "MA000001")
    beside = {own.row: "TRIAL-1", own.determination: "TRIAL", own.place: "110105", own.published: "2026-11-05"}
    beside |= {own.review: facts.review.closed[0], own.updated: "2026-11-05 08:00:00"}
    if own.state:
        beside[own.state] = next((value for value, means in facts.state.items() if means == "in_force"), "")
    return {
        "CF_XDR_MC": "自检（虚构）有限公司", "CF_XDR_LB": "法人及非法人组织", "CF_XDR_SHXYM": code,
        "CF_WSH": "虚环罚〔2026〕1号", "CF_WFXW": "超标排放水污染物", "CF_YJ": "《水污染防治法》第八十三条",
        "CF_CFLB": "罚款", "CF_NR_FK": "2.5", "CF_JDRQ": "2026/11/02", "CF_YXQ": "2029/11/02", "CF_GSJZQ": "2028/11/02",
        "CF_CFJG": "某某生态环境局", "CF_CFJGDM": facts.publisher.organ, "CF_SJLY": "某某生态环境局",
        "CF_SJLYDM": facts.publisher.organ,
    } | beside  # fmt: skip


def _mistyped(code: str) -> str:
    return code[:17] + ("1" if code[17] != "1" else "2")
