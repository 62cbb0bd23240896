"""The whole audit 审计: each log by itself, then the pairing of all of them; nothing is changed, nobody is asked."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from schemas.registry import check_body
from syncd.agreement.workdays import due
from syncd.evidence.folder import FolderLog
from syncd.evidence.scratch import Scratch
from syncd.evidence.side_by_side import judged_ahead
from syncd.flows.bureau import SHANGHAI, day_of_text
from syncd.ledger.audit import Rules, audit_log
from syncd.ledger.audit_bundle import unread
from syncd.ledger.audited import KEPT, AuditedLog, Fact, LogReport
from syncd.ledger.pairing import FAULTS, Calendar, Issue, Pairing, judge
from syncd.ledger.policy import Policy
from syncd.ledger.verdict import speaks_for

_HOPS = 8
Told = Callable[[str, int], None]
"""Told of progress: which log, or the pairing, and how many entries more are done."""


@dataclass(slots=True)
class Report:
    """What an audit found: each log's own report, and the issues of the pairing; ``ok`` if no fault is among them."""

    level: int
    policy: str
    logs: list[LogReport] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    now: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything that was looked at is as it must be."""
        return not any(log.counts for log in self.logs) and not any(code in FAULTS for code in self.counts)

    def add(self, issue: Issue) -> None:
        """Note an issue of the pairing; the first of each code are listed, all are counted."""
        self.counts[issue.code] += 1
        if self.counts[issue.code] <= KEPT:
            self.issues.append(issue)


def audit(logs: Sequence[AuditedLog], policy: Policy, fingerprint: str, level: int, told: Told) -> Report:
    """Audit ``logs`` up to ``level`` (1 to 6). ``fingerprint`` of the policy stands in the report."""
    report = Report(level, fingerprint)
    with Scratch() as scratch:
        keep = scratch.keep if level >= 4 else _forget
        check = check_body if level >= 5 else unread
        for log in logs:
            rules = Rules(level, policy, check, keep, partial(told, log.origin), judged_ahead)
            report.logs.append(audit_log(log, rules))
            if isinstance(log, FolderLog) and level >= 3 and report.logs[-1].size:
                for name, code in log.beside(policy):
                    report.logs[-1].add(3, f"/{name}", code)
        by_origin = {log.origin: log for log in report.logs}
        if level >= 4:
            for origin, idx, entry_id in scratch.twice():
                by_origin[origin].add(4, f":{idx}", "id_twice", entry_id)
        if level >= 5:
            _cover(scratch, policy, by_origin)
        if level >= 6:
            _pair(scratch, policy, report, told)
    return report


def _forget(facts: Sequence[Fact]) -> None:
    """Below level 4 no fact is needed."""


def _cover(scratch: Scratch, policy: Policy, logs: dict[str, LogReport]) -> None:
    """Each disclosure that is gone must be covered by an order of erasure on the finding that it leads back to."""
    some = scratch.take_orders(lambda order: bool(order.ref) and _own(order, policy))
    for fact in scratch.missing():
        said_nothing = fact.kind == "feedback.reported" and not fact.ref  # an erased item: about what, is gone with it
        if not (some if said_nothing else _leads_to(scratch, fact)):
            code = "no_erasure_entry" if fact.state == "erased" else "missing_disclosure"
            logs[fact.origin].add(5, f":{fact.idx}", code)


def _own(order: Fact, policy: Policy) -> bool:
    return speaks_for(order.origin, order.ref.partition(" ")[0], policy)


def _leads_to(scratch: Scratch, fact: Fact) -> bool:
    """Whether an order is about this entry, or about one that it leads back to in a few steps."""
    leaf: bytes | None = fact.leaf
    for _ in range(_HOPS + 1):
        if leaf is None:
            return False
        if scratch.ordered(leaf):
            return True
        about = fact.about if leaf == fact.leaf else scratch.about(leaf)
        if about == leaf:
            return False
        leaf = about
    return False


def _pair(scratch: Scratch, policy: Policy, report: Report, told: Told) -> None:
    signed = max((log.last_signed for log in report.logs), default=0)
    report.now = dt.datetime.fromtimestamp(signed, SHANGHAI).date().isoformat()
    members: dict[str, list[str]] = {}
    for log in report.logs:
        members.setdefault(log.origin.split("/")[1], []).append(log.origin)
    calendar = Calendar(_day_of, _due)
    sizes = {log.origin: log.size for log in report.logs}
    owing = {version: named for log in report.logs for version, named in log.adopted.items()}
    rules = Pairing(members, report.now, calendar, lambda log, about: speaks_for(log, about, policy), sizes, owing)
    for facts in scratch.by_subject():
        told("pairing", len(facts))
        for issue in judge(facts, rules):
            report.add(issue)


def _day_of(at: str) -> str:
    return day_of_text(at).isoformat()


def _due(day: str, working_days: int) -> str:
    return due(dt.date.fromisoformat(day), working_days).day.isoformat()
