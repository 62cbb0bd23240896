"""Pairing the logs (L6, 对账): what was left out, judged finding by finding from the facts of all logs.

1. every finding is answered by every member: imposed, held or declined;
2. every restriction has its finding, in the log that its ``ref`` names;
3. every relief is by the finding's own log, and each region whose restriction stood has lifted it in time: within the
   working days of 行政处罚法 Art. 48 with Art. 85 from the relief's day, or from the day it takes effect, if later;
   none imposes what it knew to have ended;
4. every disclosure that is gone was ordered to be erased by the finding's own log.

Days are text in Asia/Shanghai. ``reached`` is the newest day that any checkpoint proves: what is not due by then is
*open*, no fault. The logs' own times are compared, as the members gave them.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from syncd.ledger.audited import Fact
from syncd.ledger.bundle import ABSENT, ERASED

RELIEF_WORKING_DAYS: Final = 3
ANSWER_WORKING_DAYS: Final = 1
"""A region answers at once; a working day later it is asked why it did not (a finding that vanished waits as long)."""
ENDS: Final = frozenset({"relief.repaired", "relief.revoked", "relief.expired", "relief.suspended"})
IMPOSED, LIFTED = "restriction.imposed", "restriction.lifted"
ANSWERS: Final = frozenset({IMPOSED, LIFTED, "restriction.declined", "finding.held"})
CLEARS: Final = frozenset({"finding.resumed", "finding.upheld"})


class Issue(NamedTuple):
    """What the pairing found: the place ``<origin>:<index>``, a code, the region it is about, and the days."""

    place: str
    code: str
    region: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The day of a leaf's time, and the day on which working days after a day are full; both as text."""

    day_of: Callable[[str], str]
    due: Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class Pairing:
    """The members as code → the origins of its logs (only those audited), the newest day proven, the calendar.

    ``sizes``: how many entries of each log are audited. ``owing``: the members that each version of the agreement
    names; responses are owed by those that the version of the entry names (LEDGER §1). A version not in it: by all.
    ``speaks_for``: whether a log may relieve what stands in another (itself, or its successor after a seal).
    """

    members: Mapping[str, Sequence[str]]
    reached: str
    calendar: Calendar
    speaks_for: Callable[[str, str], bool]
    sizes: Mapping[str, int]
    owing: Mapping[int, Collection[str]] = field(default_factory=dict)

    def owes(self, code: str, entry: Fact) -> bool:
        """Whether a member owes a response to an entry."""
        return code in self.owing.get(entry.version, (code,))


FAULTS: Final = frozenset(
    {"unanswered", "restriction_without_finding", "names_another", "relief_missing", "relief_late", "imposed_after_end"}
)
"""Codes of issues that are faults; the others are only worth knowing."""


def judge(facts: Sequence[Fact], rules: Pairing) -> Iterable[Issue]:
    """What is wrong, or open, about one leaf: ``facts`` are all that name it, and itself if it is held, by log."""
    issued = [one for one in facts if one.kind == "finding.issued"]
    answers = [one for one in facts if one.kind in ANSWERS]
    if not issued:
        for one in answers:
            if one.kind.startswith("restriction."):  # step 2; any entry may be held, but not restricted
                yield from _without_finding(one, rules)
        return
    for finding in issued:
        mine = [one for one in facts if one.ref == f"{finding.origin} {finding.id}"]
        yield from _misnamed(finding, facts, issued)
        ends = [one for one in mine if one.kind in ENDS and rules.speaks_for(one.origin, finding.origin)]
        marks = [one for one in mine if one.kind in CLEARS and one.origin == finding.origin]
        for one in mine:
            if one.kind in ENDS and one not in ends:
                yield Issue(_place(one), "relief_by_another_log", _region(one.origin))
        for code, origins in rules.members.items():
            said = sorted((one for one in mine if one.origin in origins and one.kind in ANSWERS), key=_order)
            if rules.owes(code, finding):
                yield from _answered(finding, code, said, rules)
            for end in ends:
                if rules.owes(code, end):
                    yield from _lifted(end, code, said, marks, rules)
                yield from _after(end, code, said, rules)


def _without_finding(answer: Fact, rules: Pairing) -> Iterable[Issue]:
    """A fault only if the region, by its own word, knew no more of the finding's log than is audited here."""
    log = answer.ref.partition(" ")[0]
    if log not in rules.sizes:
        return
    knew = (answer.body or {}).get("knew", {}).get(log)
    beyond = knew is None or knew > rules.sizes[log]
    code = "finding_not_audited" if beyond else "restriction_without_finding"
    yield Issue(_place(answer), code, _region(answer.origin))


def _misnamed(finding: Fact, facts: Sequence[Fact], issued: Sequence[Fact]) -> Iterable[Issue]:
    named = {f"{one.origin} {one.id}" for one in issued}
    if finding is issued[0]:
        for one in facts:
            if one.kind in ANSWERS and one.ref not in named:
                yield Issue(_place(one), "names_another", _region(one.origin), one.ref)


def _answered(finding: Fact, code: str, said: Sequence[Fact], rules: Pairing) -> Iterable[Issue]:  # step 1
    if said:
        return
    due = rules.calendar.due(rules.calendar.day_of(finding.at), ANSWER_WORKING_DAYS)
    late = due < rules.reached
    yield Issue(_place(finding), "unanswered" if late else "answer_open", code, f"since {finding.at}, due {due}")


def _lifted(
    end: Fact, code: str, said: Sequence[Fact], marks: Sequence[Fact], rules: Pairing
) -> Iterable[Issue]:  # step 3
    """Whether what stood when the relief came, or came after it unknowing, was taken off in time."""
    start = _effective(end, rules)
    standing: Fact | None = None
    for one in said:
        if one.kind == IMPOSED:
            standing = one
        elif standing is not None and (one.at >= end.at or _names(one, end)):
            yield from _in_time(end, code, one, start, rules)
            return
        else:
            standing = None
    if standing is None or _cleared(end, standing, marks):
        return
    due = rules.calendar.due(start, RELIEF_WORKING_DAYS)
    code_of = "relief_missing" if due < rules.reached else "relief_open"
    yield Issue(_place(end), code_of, code, f"restriction {_place(standing)} stands, due {due}")


def _names(lifted: Fact, end: Fact) -> bool:
    """Whether this lifting says that it is because of that relief; an erased one cannot say so any more."""
    return lifted.state == ERASED or (lifted.body or {}).get("because") == end.leaf.hex()


def _in_time(end: Fact, code: str, lifted: Fact, start: str, rules: Pairing) -> Iterable[Issue]:
    due, day = rules.calendar.due(start, RELIEF_WORKING_DAYS), rules.calendar.day_of(lifted.at)
    if day > due:
        yield Issue(_place(lifted), "relief_late", code, f"relief {_place(end)} was due {due}, lifted {day}")


def _after(end: Fact, code: str, said: Sequence[Fact], rules: Pairing) -> Iterable[Issue]:
    """What was imposed after the end by a region that already knew it, by its own word (``knew``)."""
    if end.kind == "relief.suspended":
        return
    for one in said:
        knew = (one.body or {}).get("knew", {}).get(end.origin, 0)
        if one.kind == IMPOSED and knew > end.idx and _effective(end, rules) <= rules.calendar.day_of(one.at):
            yield Issue(_place(one), "imposed_after_end", code, _place(end))


def _effective(end: Fact, rules: Pairing) -> str:
    """The day from which a relief is owed: its own, or a later one that its body names."""
    day, named = rules.calendar.day_of(end.at), (end.body or {}).get("effective_from")
    return max(day, named) if isinstance(named, str) and end.kind != "relief.revoked" else day


def _cleared(end: Fact, standing: Fact, marks: Sequence[Fact]) -> bool:
    """A suspension that the issuer has taken back, after which it was imposed again."""
    resumed = [one for one in marks if one.idx > end.idx and one.origin == end.origin]
    return end.kind == "relief.suspended" and bool(resumed)


def gone(fact: Fact) -> bool:
    """Whether this entry's disclosure is not there, so that an order of erasure must cover it (step 4)."""
    return fact.state in (ERASED, ABSENT)


def _order(one: Fact) -> tuple[str, int]:
    return one.origin, one.idx


def _place(one: Fact) -> str:
    return f"{one.origin}:{one.idx}"


def _region(origin: str) -> str:
    return origin.split("/")[1]
