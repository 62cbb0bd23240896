"""Publicity ends by the rules of the day of the decision, and no measure outlives it."""

from dataclasses import replace
from datetime import date

import pytest
from test_agreement_mapping import by_code, finding

from syncd.agreement.mapping import judge
from syncd.agreement.model import Agreement
from syncd.agreement.publicity import Span, longest_publicity, publicity_of, severity_of

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("decided", "severity", "demonstration", "span"),
    [
        (date(2026, 4, 1), "minor", False, Span("PG-2026-M", "minor", date(2026, 4, 1), date(2026, 7, 1))),
        (date(2026, 4, 1), "general", False, Span("PG-2026-G", "general", date(2026, 7, 1), date(2027, 4, 1))),
        (date(2026, 11, 2), "severe", False, Span("PG-2026-S", "severe", date(2027, 11, 2), date(2029, 11, 2))),
        (date(2023, 4, 30), "general", False, Span("PG-2019-G", "general", date(2023, 7, 30), date(2024, 4, 30))),
        (date(2022, 8, 31), "severe", False, Span("PG-2019-S", "severe", date(2023, 2, 28), date(2025, 8, 31))),
        (date(2026, 3, 31), "general", False, None),
        (date(2026, 3, 31), "general", True, Span("PG-2023-G", "general", date(2026, 6, 30), date(2029, 3, 31))),
        (date(2026, 3, 31), "minor", True, None),
        (date(2018, 1, 1), "severe", True, None),
    ],
)
def test_the_rules_of_the_day_of_the_decision(
    agreement: Agreement, decided: date, severity: str, demonstration: bool, span: Span | None
) -> None:
    assert publicity_of(agreement, decided, severity, demonstration) == span  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kinds", "severity"),
    [
        (["警告"], "minor"),
        (["警告", "没收违法所得"], "general"),
        (["罚款"], None),
        (["警告", "罚款"], None),
        (["罚款", "吊销许可证件"], "severe"),
        ([], None),
    ],
)
def test_the_highest_class_of_a_decision_counts_and_a_fine_leaves_it_open(
    agreement: Agreement, kinds: list[str], severity: str | None
) -> None:
    assert severity_of(agreement, kinds, demonstration=True) == severity
    assert severity_of(agreement, kinds) is None, "a press summary is a candidate"


def test_no_measure_outlives_the_longest_publicity_of_its_time(agreement: Agreement) -> None:
    region = agreement.regions["310114"]
    rules = {**region.rules, "EP-04": replace(region.rules["EP-04"], months=60)}
    longer = replace(agreement, regions={**agreement.regions, "310114": replace(region, rules=rules)})
    judged = judge(longer, "310114", finding(decided_on="2026-11-02"), date(2026, 11, 22), allow_candidates=True)
    assert set(by_code(judged).values()) == {date(2029, 11, 2)}
    assert longest_publicity(agreement, date(2026, 11, 2), False) == date(2029, 11, 2)
    assert longest_publicity(agreement, date(2018, 1, 1), False) == date.max


def test_a_measure_ends_at_the_longest_its_law_or_itself_allows(agreement: Agreement) -> None:
    shorter = replace(agreement.measures["SF-01"], max_months=6)
    basis = replace(agreement.bases["LB-MA-04-1"], max_months=12)
    changed = replace(
        agreement,
        measures={**agreement.measures, "SF-01": shorter},
        bases={**agreement.bases, "LB-MA-04-1": basis},
    )
    judged = judge(changed, "310114", finding(decided_on="2026-11-02"), date(2026, 11, 22), allow_candidates=True)
    ends = by_code(judged)
    assert (ends["SF-01"], ends["MA-04"]) == (date(2027, 5, 2), date(2027, 11, 2))
    assert ends["PP-03"] == date(2028, 11, 2)
