"""Conditions are typed, closed and decidable: nothing unknown is taken, and every overlap and gap is found."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.agreement.conditions import BadCondition, Conditions, read_atoms
from syncd.agreement.samples import TooMany, samples, shown

pytestmark = pytest.mark.fast

FACTS = {
    "subject.type": "POLLUTER",
    "penalty.amount_cny": 200000.0,
    "penalty.confiscated_cny": 0.0,
    "penalty.kinds": ["罚款", "责令停产停业"],
    "penalty.violation": "非法倾倒危险废物",
    "penalty.legal_basis": "",
    "penalty.decided_on": "2026-11-02",
    "penalty.published_on": "2026-11-05",
    "history.same_violation_12m": 2,
    "history.penalties_12m": 3,
}


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("penalty.amount_cny >= 200000.0", True),
        ("penalty.amount_cny > 200000.00", False),
        ('"责令停产停业" in penalty.kinds', True),
        ('!("警告" in penalty.kinds)', True),
        ('penalty.violation.contains("倾倒") && (penalty.amount_cny < 1.0 || subject.type == "POLLUTER")', True),
        ('penalty.violation.startsWith("倾倒")', False),
        ('subject.type in ["MONITORING_AGENCY", "POLLUTER"]', True),
        ('penalty.decided_on >= "2026-11-02" && penalty.decided_on < "2026-12-01"', True),
        ("history.same_violation_12m >= 2 && !(history.penalties_12m == 4)", True),
    ],
)
def test_a_condition_says_what_it_reads_like(source: str, holds: bool) -> None:
    assert Conditions([source]).hold(FACTS) == (holds,)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("penalty.amount_cny >= 200000", "decimal point"),
        ("penalty.amount_cny >= 200000.001", "decimal point"),
        ("penalty.amount_cny + 1.0 > 2.0", "not understood from"),
        ("penalty.amount_cny >= penalty.confiscated_cny", "exactly one name"),
        ("penalty.amount >= 1.0", "the name penalty.amount is unknown"),
        ("true", "the name true is unknown"),
        ("", "exactly one name"),
        ("penalty.amount_cny >= 1.0 &&", "exactly one name"),
        ("(penalty.amount_cny >= 1.0", "is not understood"),
        ("penalty.amount_cny >= 1.0)", "is not understood"),
        ("history.penalties_12m >= 2.0", "whole number"),
        ('penalty.decided_on < "2026-4-1"', "2026-11-22"),
        ('penalty.decided_on < "2026-13-01"', "2026-11-22"),
        ('penalty.violation < "倾倒"', "compared by == or !="),
        ('penalty.violation.matches("倾.*")', "not understood from"),
        ('penalty.kinds == ["罚款"]', 'asked "…" in name'),
        ('penalty.kinds.exists(k, k == "罚款")', "not understood from"),
        ('"a\\"b" == penalty.violation', "not understood from"),
        ("penalty.amount_cny >= 1.0 // 备注", "not understood from"),
        ("penalty.amount_cny >= 1.0], [true", "the name true is unknown"),
        ("penalty.amount_cny >= 1.0], [penalty.amount_cny < 1.0", "exactly one name"),
        ('penalty.violation == "' + "长" * 1000 + '"', "longer than 1000"),
    ],
)
def test_what_is_more_than_a_comparison_is_refused(source: str, why: str) -> None:
    with pytest.raises(BadCondition) as caught:
        list(read_atoms(source))
    assert why in str(caught.value)


@given(st.text(alphabet="pa.ns_t1 0()[]&|!<>=\"',", max_size=40))
@settings(max_examples=300, deadline=None)
def test_nothing_that_is_typed_breaks_the_reader(source: str) -> None:
    with pytest.raises(BadCondition):
        list(read_atoms(source))


def test_an_error_is_no_decision() -> None:
    conditions = Conditions(["penalty.amount_cny >= 1.0", '"罚款" in penalty.kinds'])
    assert conditions.hold({"penalty.amount_cny": 2.0}) is None


def test_samples_stand_for_every_record() -> None:
    """Against brute force: the pattern of answers of any record is the pattern of some sample."""
    conditions = Conditions(
        [
            "penalty.amount_cny >= 1000.0 && penalty.amount_cny < 5000.0",
            '"罚款" in penalty.kinds || penalty.amount_cny == 5000.0',
            'penalty.violation.contains("倾倒") && !penalty.violation.startsWith("非法")',
            "history.same_violation_12m > 2",
            'penalty.decided_on <= "2026-03-31"',
        ]
    )
    patterns = {conditions.hold(sample) for sample in samples(conditions)}
    seen = product(
        [0.0, 0.01, 999.99, 1000.0, 1000.5, 4999.99, 5000.0, 5000.01, 9e9],
        [["罚款"], ["警告"], ["警告", "罚款"]],
        ["倾倒", "非法倾倒", "其他", "非法", "倾倒，非法"],
        [1, 2, 3, 50],
        ["2019-01-01", "2026-03-31", "2026-04-01", "2030-01-01"],
    )
    names = ("penalty.amount_cny", "penalty.kinds", "penalty.violation", "history.same_violation_12m",
             "penalty.decided_on")  # fmt: skip
    for values in seen:
        assert conditions.hold(dict(zip(names, values, strict=True))) in patterns


def test_too_many_kinds_of_records_are_refused_and_not_looked_through() -> None:
    many = " || ".join(f'penalty.violation.contains("类{n}")' for n in range(24))
    with pytest.raises(TooMany, match="more than 50000"):
        list(samples(Conditions([many, "penalty.amount_cny > 1.0", "history.penalties_12m > 3"])))


def test_a_sample_is_shown_in_words() -> None:
    conditions = Conditions(['penalty.amount_cny >= 2.5 && "罚款" in penalty.kinds'])
    listed = [shown(sample) for sample in samples(conditions)]
    assert 'penalty.amount_cny = 2.50, penalty.kinds = ["罚款", "…"]' in listed
