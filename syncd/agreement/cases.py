"""Runs the test cases 测试用例 that live in the mapping files: given a record, the outcome and the answer expected."""

from collections.abc import Iterator

from syncd.agreement.kinds import Json
from syncd.agreement.local import Expected, Given, Region, TestCase
from syncd.agreement.mapping import Judgement, judge
from syncd.agreement.model import Agreement, Repeated
from syncd.agreement.names import Counts
from syncd.agreement.outcome import OutcomeOf, map_local_code, outcome_of


def failures_of(agreement: Agreement, region: Region) -> Iterator[tuple[str, str]]:
    """The title of each case that does not come out as expected, and what differs."""
    for case in region.cases:
        wrong = "; ".join(_differences(agreement, region, case))
        if wrong:
            yield case.title, wrong


def _differences(agreement: Agreement, region: Region, case: TestCase) -> Iterator[str]:
    given, expect = case.given, case.expect
    body = record_of(agreement, region, given)
    found = _outcome(agreement, body, given)
    yield from _differs("outcome", expect.outcome, found.kind)
    if expect.criterion is not None:
        yield from _differs("criterion", expect.criterion, found.criterion)
    if expect.by is not None:
        yield from _differs("by", expect.by, found.by)
    if expect.answer is not None or expect.reason is not None or expect.measures is not None or expect.until:
        if found.kind == "determined":
            body["criterion"] = found.criterion
        judged = judge(agreement, region.code, body, given.day, allow_candidates=given.demonstration)
        yield from _answer(expect, judged)


def _outcome(agreement: Agreement, body: Json, given: Given) -> OutcomeOf:
    """The outcome, an aggregate criterion that counts repeated penalties included."""
    counts = Counts(given.same_violation_12m, given.penalties_12m)
    found = outcome_of(agreement, body, counts, allow_candidates=given.demonstration)
    if found.kind in ("determined", "proposed"):
        return found
    for code, criterion in agreement.criteria.items():
        aggregate = criterion.aggregate
        reached = isinstance(aggregate, Repeated) and given.same_violation_12m >= aggregate.at_least
        if reached and (body["subject"]["type"] or criterion.applies_to[0]) in criterion.applies_to:
            return OutcomeOf("proposed", code, code)
    return found


def _answer(expect: Expected, judged: Judgement) -> Iterator[str]:
    if expect.answer is not None:
        yield from _differs("answer", expect.answer, judged.outcome)
    if expect.reason is not None:
        yield from _differs("reason", expect.reason, judged.reason)
    if expect.measures is not None:
        yield from _differs("measures", sorted(expect.measures), sorted(one.id for one in judged.measures))
    if expect.until is not None:
        yield from _differs("until", expect.until, max((one.to for one in judged.measures), default=None))


def _differs(field: str, expected: object, found: object) -> Iterator[str]:
    if expected != found:
        yield f"{field} is {found}, expected {expected}"


def record_of(agreement: Agreement, region: Region, given: Given) -> Json:
    """The record that a test case describes, as far as the mapping reads it."""
    place = given.place or region.code
    local = map_local_code(agreement, place, given.local_code)
    publicity = given.publicity_ends.isoformat() if given.publicity_ends else None
    return {
        "subject": {"type": given.subject_type or (local.subject_type if local else None)},
        "place": place,
        "local_code": given.local_code,
        "criterion": None,
        "legal_basis": given.legal_basis,
        "kinds": list(given.kinds),
        "amount": {"fine": given.fine_cny, "confiscated": given.confiscated_cny},
        "violation": given.violation,
        "decided_on": given.decided_on.isoformat(),
        "published_on": given.decided_on.isoformat(),
        "ends": {"publicity": publicity, "query": None, "measures": None},
    }
