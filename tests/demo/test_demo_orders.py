"""The order book 惩戒台账: what a bureau system does with orders that come late, twice or out of sequence."""

import itertools
from pathlib import Path

import pytest
from demo_processes import order

from syncd.demo.orders import OrderBook, kept_of, read_counts, read_held

pytestmark = pytest.mark.fast


def states(book: OrderBook) -> dict[tuple[str, str], tuple[int, int]]:
    found = read_held(book.db, None, lifted=True)
    return {(o["CJD_RDBH"][-1], o["CJD_CS"]): (o["CJD_BBH"], o["CJD_ZT"]) for o in found}


def test_any_sequence_of_the_same_orders_ends_in_the_same_state(tmp_path: Path) -> None:
    orders = [order(1), order(1, counter=2, state="0"), order(1, counter=2), order(1, counter=3)]
    for number, arrival in enumerate(itertools.permutations(orders)):
        book = OrderBook(tmp_path / str(number))
        for one in arrival:
            book.apply([kept_of(one)])
        assert states(book) == {("1", "MA-01"): (3, 1)}
        book.close()


def test_at_equal_counters_lifted_wins_in_one_batch_too(tmp_path: Path) -> None:
    book = OrderBook(tmp_path)
    book.apply(map(kept_of, [order(1, state="0"), order(1, state="1"), order(2, state="1"), order(2, state="0")]))
    assert states(book) == {("1", "MA-01"): (1, 0), ("2", "MA-01"): (1, 0)}
    assert read_counts(book.db) == {"orders": 2, "in_force": 0, "lifted": 2, "findings": 0}


def test_an_old_order_does_not_bring_its_mark_back(tmp_path: Path) -> None:
    book = OrderBook(tmp_path)
    book.apply(map(kept_of, [order(1, counter=2, CJD_BJ="异议"), order(1, counter=1)]))
    assert [o["CJD_BJ"] for o in read_held(book.db, None, lifted=False)] == ["异议"]


def test_ten_is_more_than_nine(tmp_path: Path) -> None:
    book = OrderBook(tmp_path)
    book.apply([kept_of(order(1, counter=10, state="0"))])
    book.apply([kept_of(order(1, counter=9))])
    assert states(book) == {("1", "MA-01"): (10, 0)}


def test_what_was_taken_is_acknowledged_once_and_again_when_it_comes_again(tmp_path: Path) -> None:
    book = OrderBook(tmp_path)
    book.apply(map(kept_of, [order(1), order(1, "SF-01"), order(2)]))
    acks, number, more = book.acknowledgements(0, 100)
    assert [(a[0][-1], *a[1:5]) for a in acks] == [
        ("1", "MA-01", 1, "执行部门", "已执行"),
        ("1", "SF-01", 1, "执行部门", "已执行"),
        ("2", "MA-01", 1, "执行部门", "已执行"),
    ]
    assert not more and book.acknowledgements(number, 100) == ([], number, False)
    book.apply([kept_of(order(1, "SF-01", counter=2, state="0"))])
    acks, number, more = book.acknowledgements(number, 100)
    assert [a[1:5] for a in acks] == [("SF-01", 2, "执行部门", "已解除")]
    book.apply([kept_of(order(1, "SF-01", counter=1))])
    assert book.acknowledgements(number, 100) == ([], number, False)
    book.apply([kept_of(order(1, "SF-01", counter=2, state="0"))])
    assert len(book.acknowledgements(number, 100)[0]) == 1


def test_orders_of_one_finding_in_two_batches_are_all_acknowledged_in_pages(tmp_path: Path) -> None:
    book = OrderBook(tmp_path)
    measures = [f"MA-{n:02d}" for n in range(6)]
    everything = [order(n, measure) for n in range(50) for measure in measures]
    for start in range(0, len(everything), 100):
        book.apply(map(kept_of, everything[start : start + 100]))
    number, more, told = 0, True, set()
    while more:
        acks, number, more = book.acknowledgements(number, 40)
        assert len(acks) <= 40
        told |= {(a[0], a[1]) for a in acks}
    assert told == {(o["CJD_RDBH"], o["CJD_CS"]) for o in everything}


def test_a_batch_with_an_unreadable_counter_keeps_nothing_and_the_next_goes_on(tmp_path: Path) -> None:
    book = OrderBook(tmp_path)
    with pytest.raises(ValueError, match="invalid literal"):
        book.apply(map(kept_of, [order(1), order(2) | {"CJD_BBH": "one"}]))
    assert read_counts(book.db)["orders"] == 0
    book.apply([kept_of(order(3))])
    assert read_counts(book.db)["orders"] == 1


def test_the_book_survives_being_opened_again(tmp_path: Path) -> None:
    first = OrderBook(tmp_path)
    first.apply([kept_of(order(1))])
    first.set_mark("told", 1)
    first.close()
    second = OrderBook(tmp_path)
    second.apply([kept_of(order(2))])
    assert (second.mark("told"), second.mark("seen")) == (1, 0)
    assert [a[0][-1] for a in second.acknowledgements(1, 10)[0]] == ["2"]
    assert read_held(second.db, "91310114MA0000015X", lifted=False)[0]["CJD_XDR_MC"] == "虚构化工有限公司"
    assert read_held(second.db, "91320583MA0000015L", lifted=False) == []
