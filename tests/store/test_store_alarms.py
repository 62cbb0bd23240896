"""Alarms are kept by kind and mark: saying one again changes nothing, and clearing what does not stand neither."""

from syncd.store import alarms
from syncd.store.engine import Store

FIRST, SECOND, THIRD = (f"2026-11-22T0{n}:00:00.000Z" for n in (1, 2, 3))


def test_an_alarm_stands_once_until_it_is_cleared_and_can_come_back(store: Store) -> None:
    with store.write() as conn:
        assert alarms.put(conn, "fork", "a/310114/1", {"size": 3}, FIRST)
        assert not alarms.put(conn, "fork", "a/310114/1", {"size": 4}, SECOND)
        assert alarms.put(conn, "fork", "a/320585/1", {}, SECOND)
        assert alarms.standing_marks(conn, "fork") == {"a/310114/1", "a/320585/1"}
        (first, _) = alarms.standing(conn)
        assert (first.since, first.seen_at, first.facts) == (FIRST, SECOND, {"size": 4})
        assert alarms.clear(conn, "fork", ["a/310114/1", "never raised"], THIRD) == ["a/310114/1"]
        assert alarms.clear(conn, "fork", ["a/310114/1"], THIRD) == []
        assert [one.mark for one in alarms.standing(conn)] == ["a/320585/1"]
        assert {one.cleared_at for one in alarms.listing(conn)} == {THIRD, None}
        assert alarms.put(conn, "fork", "a/310114/1", {}, THIRD)
        assert {one.mark: one.since for one in alarms.standing(conn)}["a/310114/1"] == THIRD


def test_what_could_be_a_name_is_left_out_of_the_facts(store: Store) -> None:
    facts = {"log": "a/1/1", "name": "某某化工有限公司", "list": ["甲某某", 3], "deep": {"x": "y" * 300}}
    with store.write() as conn:
        alarms.put(conn, "fork", "m", facts, FIRST)
        (one,) = alarms.standing(conn)
    assert one.facts == {"log": "a/1/1", "name": "…", "list": ["…", 3], "deep": {"x": "y" * 200}}
