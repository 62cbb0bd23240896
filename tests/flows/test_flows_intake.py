"""What is counted of a source and what is alarmed: sums, a month's quality, silence, too few, too many, new columns."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from network import Network, Node, company, facts_of, network, penalty, relief

from adapters.facts import Expected
from adapters.records import Collected
from syncd.errors import NeedsPerson
from syncd.flows.drift import ENOUGH_ROWS
from syncd.flows.intake import ENDS, Intake, astray, in_time, outcome
from syncd.flows.planning import Plan
from syncd.flows.relieve import Relief
from syncd.store import alarms, desk, quality, sourcebook

Json = dict[str, Any]
HOME, SOURCE = "320583", "taicang"
GOOD = ("101", company(1), "KS-0104", HOME)
MONDAY = dt.datetime(2026, 11, 23, 1, tzinfo=dt.UTC)
BAD = company(2)[:17] + "~"


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    return network(tmp_path, store_urls, ("310114", HOME))


@pytest.fixture
def lite(tmp_path: Path) -> Network:
    """Where the store is not what is asked about: one kind of it is enough."""
    return network(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}", ("310114", HOME))


def standing(node: Node) -> dict[str, Json]:
    """The alarms that stand, by kind, with their facts."""
    with node.bureau.store.read() as conn:
        return {one.kind: one.facts | {"about": one.mark} for one in alarms.standing(conn)}


def board(node: Node) -> Json:
    with node.bureau.store.read() as conn:
        return sourcebook.read_one(conn, f"source:{SOURCE}")


def month(node: Node) -> Json:
    with node.bureau.store.read() as conn:
        (found,) = quality.months(conn, SOURCE)
    return found


def expect(node: Node, expected: Expected | None) -> None:
    """The facts page says what a cycle brings, or does not."""
    facts = node.source.facts.model_copy(update={"expected": expected})
    assert node.stages.collect is not None
    node.stages.collect._intake = Intake(node.bureau, SOURCE, facts)


def settle(net: Network, hours: float = 0) -> None:
    net.now += dt.timedelta(hours=hours, seconds=11)
    net.settle()


def test_every_row_ends_somewhere_and_the_sum_is_checked(net: Network) -> None:
    node = net.nodes[HOME]
    person = penalty("103", "", "", HOME, CF_XDR_LB="自然人")
    waiting = penalty("104", company(4), "KS-0104", HOME, FYZT="复议中")
    elsewhere = penalty("105", company(5), "KS-0104", "310114")
    first = penalty(*GOOD)
    node.home.put(first, penalty("102", BAD, "KS-0104", HOME), person, waiting, elsewhere)
    node.home.put(relief("r1", first, "异议"), relief("r2", penalty("900", company(9), "", HOME), "修复"))
    settle(net)
    assert {name: board(node)["last_round"][name] for name in ("rows", *ENDS, "astray")} == {
        "rows": 7, "recorded": 4, "unchanged": 0, "quarantined": 1, "refused": 1, "waiting": 1, "duplicates": 0,
        "astray": 0,
    }  # fmt: skip
    node.home.put(penalty(*GOOD, CF_NR_FK="3"))
    settle(net)
    again = board(node)["last_round"]
    assert (again["recorded"], again["unchanged"], again["quarantined"], again["astray"]) == (1, 3, 1, 0)
    assert board(node)["totals"] == {"issued": 1, "amended": 1, "relief": 1} and "imbalance" not in standing(node)
    (shown,) = [one for one in _status(node)["sources"] if one["source"] == SOURCE]
    assert shown["last_round"] == again and shown["quality"]["received"] == 5


def test_what_is_there_is_counted_and_not_how_often_it_was_read(net: Network) -> None:
    node = net.nodes[HOME]

    def there() -> tuple[int, Json]:
        (shown,) = [one for one in _status(node)["sources"] if one["source"] == SOURCE]
        return shown["rows_there"], shown["refused"]

    def read_all() -> None:
        assert node.stages.collect is not None
        with node.bureau.store.write() as conn:
            node.stages.collect.read_again(conn)
        settle(net)

    persons = [penalty("103", "", "", HOME, CF_XDR_LB="自然人"), penalty("104", "", "", HOME, CF_XDR_LB="个体工商户")]
    node.home.put(penalty(*GOOD), *persons)
    settle(net)
    both = (3, {"natural_person": 1, "sole_proprietor": 1})
    assert there() == both
    for amount in "345":
        node.home.put(penalty(*GOOD, CF_NR_FK=amount))
        settle(net)
    read_all()
    assert board(node)["last_round"]["refused"] == 2 and there() == both
    node.home.remove("104")
    read_all()
    assert there() == (2, {"natural_person": 1})


def _status(node: Node) -> Json:
    from syncd.flows.status import status

    return status(node.bureau, node.bureau.clock())


def test_a_row_that_is_nowhere_is_an_alarm_until_a_full_reading_adds_up(net: Network) -> None:
    node = net.nodes[HOME]
    page, nothing = Collected({}, False, rows=3, duplicates=1), Plan()
    assert astray(outcome(page, nothing, Relief(), 0)) == 2
    assert node.stages.collect is not None
    with node.bureau.store.write() as conn:
        node.stages.collect._intake.note(conn, page, nothing, Relief(), 0, False, False)
    assert standing(node)["imbalance"] == {
        "about": SOURCE, "rows": 3, "recorded": 0, "unchanged": 0, "quarantined": 0, "refused": 0, "waiting": 0,
        "duplicates": 1, "astray": 2,
    }  # fmt: skip
    node.home.put(penalty(*GOOD))
    settle(net)
    assert "imbalance" not in standing(node), "the first reading of all rows adds up"


def test_each_version_of_a_row_counts_once_in_the_month(net: Network) -> None:
    node = net.nodes[HOME]
    late = penalty("103", company(3), "KS-0104", HOME, GSRQ="2026-11-12")
    node.home.put(penalty(*GOOD), penalty("102", BAD, "KS-0104", HOME), late)
    node.home.put(penalty("104", company(4), "KS-0104", HOME, CF_WSH="无"))
    for _ in range(3):
        node.home.written += 1
        settle(net)
    found = month(node)
    counts = {name: found[name] for name in quality.COUNTS}
    assert counts == {"received": 4, "incomplete": 1, "invalid": 1, "in_time": 1, "late": 1}
    assert (found["completeness"], found["validity"], found["timeliness"]) == (0.75, 0.75, 0.5)
    assert found["month"] == "2026-11" and not found["reached"]
    node.home.put(penalty("102", company(2), "KS-0104", HOME))
    settle(net)
    assert month(node)["received"] == 5 and month(node)["in_time"] == 2


@pytest.mark.fast
def test_seven_working_days_from_the_decision() -> None:
    """2026-09-30 is followed by the National Day holiday; the working days after it begin on the 8th of October."""
    assert in_time("2026-11-02", "2026-11-11") and not in_time("2026-11-02", "2026-11-12")
    assert not in_time("2026-09-30", "2026-10-21") and in_time("2026-09-30", "2026-10-12")
    assert quality.rates(dict.fromkeys(quality.COUNTS, 0)) == {
        "completeness": None, "validity": None, "timeliness": None, "reached": True,
    }  # fmt: skip


def test_a_cycle_without_rows_is_noticed_and_clears(lite: Network) -> None:
    net, node = lite, lite.nodes[HOME]
    net.now = MONDAY
    expect(node, Expected(cycle_hours=24, penalties=(2, 3)))
    node.home.put(*[penalty(str(n), company(n), "KS-0104", HOME) for n in range(101, 121)])
    settle(net)
    assert standing(node) == {}, "the first filling belongs to no cycle"
    settle(net, 23)
    assert standing(node) == {}
    settle(net, 2)
    assert standing(node) == {"silence": {"about": f"{SOURCE}/penalty", "rows": 0, "least": 2, "most": 6}}
    node.home.put(penalty("201", company(201), "KS-0104", HOME))
    settle(net, 25)
    assert standing(node).keys() == {"too_few_rows"}
    node.home.put(*[penalty(str(n), company(n), "KS-0104", HOME) for n in range(301, 305)])
    settle(net, 1)
    assert standing(node).keys() == {"too_few_rows", "too_many_rows"}, "too much is said at once"
    settle(net, 25)
    node.home.put(*[penalty(str(n), company(n), "KS-0104", HOME) for n in range(401, 403)])
    settle(net, 1)
    settle(net, 25)
    assert standing(node) == {}
    settle(net, 65)
    assert standing(node) == {}, "from Friday afternoon to Monday morning, which nobody works"
    settle(net, 25)
    assert standing(node).keys() == {"silence"}


def test_a_source_that_cannot_be_read_for_a_cycle_is_noticed(lite: Network) -> None:
    net, node = lite, lite.nodes[HOME]
    net.now = MONDAY
    expect(node, None)
    settle(net)
    node.home.down = True
    settle(net, 23)
    assert standing(node) == {}
    settle(net, 2)
    assert standing(node) == {"source_unreached": {"about": SOURCE, "hours": 25, "allowed_hours": 24.0}}
    node.home.down = False
    settle(net)
    assert standing(node) == {}


def test_columns_that_come_and_go_are_named(lite: Network) -> None:
    net, node = lite, lite.nodes[HOME]
    node.home.put(*[penalty(str(n), company(n), "KS-0104", HOME) for n in range(101, 104)])
    settle(net)
    assert standing(node) == {}
    changed = penalty("104", company(104), "KS-0104", HOME, NEW_ONE="x")
    del changed.fields["CF_YJ"], changed.fields["FYZT"]
    node.home.rows = []
    node.home.put(changed)
    settle(net)
    assert standing(node)["schema_drift"] == {"about": SOURCE, "new": ["NEW_ONE"], "gone": ["CF_YJ", "FYZT"]}
    node.home.put(penalty(*GOOD))
    node.home.remove("104")
    settle(net)
    assert "schema_drift" not in standing(node), "as before"


def test_an_optional_column_is_gone_when_no_row_of_many_has_it(lite: Network) -> None:
    net, node = lite, lite.nodes[HOME]
    node.home.put(penalty(*GOOD))
    settle(net)
    few = [penalty(str(n), company(n), "KS-0104", HOME) for n in range(200, 200 + ENOUGH_ROWS)]
    for row in few:
        del row.fields["CF_GSJZQ"]
    node.home.rows = []
    node.home.put(*few[:-1])
    settle(net)
    assert "schema_drift" not in standing(node)
    node.home.put(*few)
    settle(net)
    assert standing(node)["schema_drift"]["gone"] == ["CF_GSJZQ"]
    decide = node.stages.work._decide
    with node.bureau.store.read() as conn:
        item = next(one.id for one in desk.listing(conn) if one.kind == "schema_drift")
    decide.run(item, True, 1, "column_dropped")
    node.home.written += 1
    settle(net)
    assert "schema_drift" not in standing(node), "a person has taken the columns as they are"
    with pytest.raises(NeedsPerson):
        decide.run(item, True, 1, "column_dropped")


def test_a_drift_that_a_person_leaves_as_it_is_stays_quiet(lite: Network) -> None:
    net, node = lite, lite.nodes[HOME]
    node.home.put(penalty(*GOOD))
    settle(net)
    node.home.put(penalty(*GOOD, NEW_ONE="x"))
    settle(net)
    with node.bureau.store.read() as conn:
        item = next(one.id for one in desk.listing(conn) if one.kind == "schema_drift")
    node.stages.work._decide.run(item, False, 1, "known")
    node.home.written += 1
    settle(net)
    assert "schema_drift" not in standing(node)
    node.home.put(penalty(*GOOD, NEW_ONE="x", NEW_TWO="y"))
    settle(net)
    assert standing(node)["schema_drift"]["new"] == ["NEW_ONE", "NEW_TWO"], "another change is another question"


def test_a_column_that_the_facts_page_names_is_no_news(lite: Network) -> None:
    net, node = lite, lite.nodes[HOME]
    node.home.put(penalty(*GOOD))
    settle(net)
    assert "SCBMBM" in facts_of(HOME).columns.ignored
    node.home.put(penalty(*GOOD, SCBMBM="x"))
    settle(net)
    assert standing(node) == {}
