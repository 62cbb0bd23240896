"""The review book and the honours on both databases: written once, read by day, unit and organisation."""

import hashlib
from typing import Any

from syncd.store import honours, reviews
from syncd.store.engine import Store
from syncd.store.honours import Honour, Withdrawal


def review(at: str, unit: str) -> dict[str, Any]:
    return {"at": at, "day": at[:10], "account": 7, "role": "handling", "unit": unit, "purpose": "tender",
            "lookback_months": 24, "uscc": None, "organisations": 3, "restricted": 1, "noted": 1, "statement": None,
            "demonstration": True}  # fmt: skip


def test_reviews_are_counted_by_unit_within_the_days(store: Store) -> None:
    with store.write() as conn:
        numbers = [reviews.enter(conn, review(f"2026-11-{day}T00:00:00.000Z", unit))
                   for day, unit in ((20, "财政局"), (21, "财政局"), (22, "审计局"))]  # fmt: skip
        reviews.attest(conn, numbers[1], "ab" * 32)
    assert len(set(numbers)) == 3
    with store.read() as conn:
        assert reviews.by_unit(conn, "2026-11-20", "2026-11-22") == {"财政局": 2}
        listed = reviews.listing(conn, "2026-11-21", "2026-11-23", 10)
        assert [(row.id, row.statement) for row in listed] == [(numbers[2], None), (numbers[1], "ab" * 32)]
        assert len(reviews.listing(conn, "2026-11-01", "2026-12-01", 1)) == 1


def leaf(n: int) -> bytes:
    return hashlib.sha256(b"%d" % n).digest()


def test_an_honour_stands_once_and_the_earliest_withdrawal_of_its_own_log_holds(store: Store) -> None:
    days = ("2026-01-01", "2027-01-01")
    row = Honour(leaf(1), 1, 0, "0" * 36, "310114", "91320583MA0000015L", "某厂", "HN-RED", "1号", *days)
    with store.write() as conn:
        honours.add(conn, [row, row], [Withdrawal(row.leaf, 2, leaf(2), "2026-02-01")])
    with store.read() as conn:
        assert honours.of(conn, [row.uscc]) == {row.uscc: [row]}, "another log withdraws nothing"
    late, early = Withdrawal(row.leaf, 1, leaf(3), "2026-06-01"), Withdrawal(row.leaf, 1, leaf(4), "2026-05-01")
    for one in (late, early, late):
        with store.write() as conn:
            honours.add(conn, [row], [one])
    with store.read() as conn:
        found = honours.one(conn, row.leaf)
        assert found is not None and found.withdrawn_on == "2026-05-01"
        assert honours.one(conn, leaf(9)) is None and honours.of(conn, []) == {}
