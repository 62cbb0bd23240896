"""The promise of an adapter as one suite: each bureau's adapter is put to it against real parts of its mode."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import orjson
import pytest
from adapter_rows import PERSON, PERSON_NUMBER, ROW_KEY, STAMP, TELEPHONE, Row, ack, company, order, penalty, relief

from adapters.base import PAGE_LIMIT, Adapter, Json, SourceError
from adapters.facts import SourceFacts
from adapters.source import Collected, FindingRecord, ReliefRecord, Source


class BureauSystem(ABC):
    """A bureau's own system, for one test: its people write rows, and it applies what is delivered to it."""

    facts: SourceFacts

    @abstractmethod
    def adapter(self) -> Adapter:
        """An adapter that remembers nothing, as after a restart."""

    @abstractmethod
    def put(self, penalties: Sequence[Row] = (), reliefs: Sequence[Row] = ()) -> None:
        """Write rows as they are; a row under a key that is there replaces it where the mode can."""

    @abstractmethod
    def put_acks(self, acks: Sequence[Row]) -> None:
        """Acknowledge orders."""

    @abstractmethod
    def orders(self) -> dict[tuple[str, str], Json]:
        """What the system applies now, by finding and measure."""

    @abstractmethod
    def ruin(self) -> AbstractContextManager[None]:
        """While it holds, the system is broken in the way its mode breaks: what it gives is cut off or not there."""

    def source(self) -> Source:
        """The source as the stages have it."""
        return Source(self.adapter(), self.facts, ROW_KEY)


def pages(system: BureauSystem, cursor: Json | None = None, restarts: bool = False) -> Iterator[Collected]:
    """All pages behind the cursor; with ``restarts`` the adapter is a new one for each page."""
    source = system.source()
    while True:
        page = source.collect(cursor)
        assert page.rows <= PAGE_LIMIT
        assert page.balanced
        yield page
        if not page.more:
            source.close()
            return
        cursor = orjson.loads(orjson.dumps(page.cursor))
        if restarts:
            source.close()
            source = system.source()


def findings(collected: Sequence[Collected]) -> list[FindingRecord]:
    """The findings of pages."""
    return [one for page in collected for one in page.records if isinstance(one, FindingRecord)]


def reliefs(collected: Sequence[Collected]) -> list[ReliefRecord]:
    """The relief of pages."""
    return [one for page in collected for one in page.records if isinstance(one, ReliefRecord)]


class AdapterPromise:
    """Inherit, and give a fixture ``system``."""

    def test_an_empty_source_has_nothing_and_a_cursor(self, system: BureauSystem) -> None:
        (page,) = pages(system)
        assert page.rows == 0 and not page.more
        assert [one.rows for one in pages(system, page.cursor)] == [0]

    @pytest.mark.parametrize("restarts", [False, True])
    def test_many_rows_of_one_time_all_come_once(self, system: BureauSystem, restarts: bool) -> None:
        system.put([penalty(n) for n in range(1, 1203)], [relief(n) for n in range(1, 803)])
        collected = list(pages(system, restarts=restarts))
        assert sorted(one.row for one in findings(collected)) == [f"KS2026{n:06d}" for n in range(1, 1203)]
        assert sorted(one.row for one in reliefs(collected)) == [f"relief/XF{n:06d}" for n in range(1, 803)]
        assert all(len(orjson.dumps(page.cursor)) <= 4096 for page in collected)
        assert [page.rows for page in pages(system, collected[-1].cursor)] == [0]

    def test_relief_comes_behind_the_findings(self, system: BureauSystem) -> None:
        system.put([penalty(n) for n in range(1, 700)], [relief(1)])
        kinds = [type(one) for page in pages(system) for one in page.records]
        assert kinds == [FindingRecord] * 699 + [ReliefRecord]

    def test_relief_waits_for_no_backlog_of_penalties(self, system: BureauSystem) -> None:
        system.put([penalty(1)], [relief(1)])
        first = list(pages(system))
        later = "2026-11-23 09:00:00.000000"
        system.put([penalty(n, GXSJ=later) for n in range(2, 1202)], [relief(2, GXSJ=later)])
        backlog = list(pages(system, first[-1].cursor))
        assert "relief/XF000002" in {one.row for one in reliefs(backlog[:1])}
        assert {one.row for one in findings(backlog)} >= {f"KS2026{n:06d}" for n in range(2, 1202)}

    def test_relief_waits_for_no_comparison(self, system: BureauSystem) -> None:
        system.put([penalty(n) for n in range(1, 1202)], [relief(2)])
        again = system.adapter().again
        compared = list(pages(system, again))
        assert "relief/XF000002" in {one.row for one in reliefs(compared[:1])}
        assert {one.row for one in findings(compared)} == {f"KS2026{n:06d}" for n in range(1, 1202)}

    def test_a_new_row_and_a_changed_row_come(self, system: BureauSystem) -> None:
        system.put([penalty(n) for n in range(1, 11)])
        first = list(pages(system))
        later = "2026-11-23 09:00:00.000000"
        system.put([penalty(5, CF_NR_FK="3", GXSJ=later), penalty(11, GXSJ=later)])
        second = list(pages(system, first[-1].cursor))
        before = {one.row: one.digest for one in findings(first)}
        news = sorted(one.row for one in findings(second) if one.digest != before.get(one.row))
        assert news == ["KS2026000005", "KS2026000011"]
        changed = next(one for one in findings(second) if one.row == "KS2026000005")
        assert changed.digest != before[changed.row]
        assert changed.updated == later
        assert changed.body["amount"]["fine"] == "30000.00"

    def test_reading_again_gives_the_same(self, system: BureauSystem) -> None:
        system.put([penalty(n) for n in range(1, 4)], [relief(1)])
        once, again = list(pages(system)), list(pages(system))
        assert once == again

    def test_no_person_in_anything_that_comes_out(self, system: BureauSystem) -> None:
        person = penalty(2, CF_XDR_LB="自然人", CF_XDR_SHXYM="", CF_XDR_MC=PERSON, CF_XDR_ZJHM=PERSON_NUMBER)
        bad = penalty(3, CF_XDR_SHXYM=PERSON_NUMBER, ID="PERSONS-OWN-KEY")
        told = penalty(4, CF_WFXW=f"由{PERSON_NUMBER}排放")
        system.put([penalty(1), person, bad, told, penalty(5, CF_JDRQ="昨天")])
        collected = list(pages(system))
        everything = repr([replace(page, cursor={}) for page in collected])  # a cursor holds the last key read
        for secret in (PERSON, PERSON_NUMBER, TELEPHONE, "PERSONS-OWN-KEY", person["ID"], "昨天"):
            assert secret not in everything
        assert sum(page.refused["natural_person"] for page in collected) == 2
        assert sum(page.personal["CF_FRDB"] for page in collected) == 5

    def test_orders_are_delivered_and_again_changes_nothing(self, system: BureauSystem) -> None:
        source = system.source()
        rows = [order(1), order(1, "EV-02"), order(2)]
        source.push(rows)
        source.push(rows)
        assert {key: int(row["CJD_ZT"]) for key, row in system.orders().items()} == {
            (f"{1:064x}", "EV-01"): 1,
            (f"{1:064x}", "EV-02"): 1,
            (f"{2:064x}", "EV-01"): 1,
        }
        source.close()

    def test_lower_counters_are_ignored_and_lifted_wins(self, system: BureauSystem) -> None:
        source = system.source()
        source.push([order(1, counter=2), order(2, counter=1)])
        source.push([order(1, counter=1, state=0), order(2, counter=1, state=0)])
        source.push([order(2, counter=1, state=1)])
        held = {finding: (int(row["CJD_BBH"]), int(row["CJD_ZT"])) for (finding, _), row in system.orders().items()}
        assert held == {f"{1:064x}": (2, 1), f"{2:064x}": (1, 0)}
        source.close()

    def test_a_thousand_orders_and_more(self, system: BureauSystem) -> None:
        source = system.source()
        source.push([order(n, f"EV-{m:02d}") for n in range(1, 451) for m in range(5)])
        assert len(system.orders()) == 2250
        source.push([])
        source.close()

    def test_acknowledgements_all_come_once(self, system: BureauSystem) -> None:
        system.put_acks([ack(n) for n in range(1, 1502)])
        source, cursor, seen = system.source(), None, []
        while True:
            page = source.acknowledgements(cursor)
            assert not page.faults
            seen += [one.finding for one in page.rows]
            cursor = page.cursor
            if not page.more:
                break
        assert sorted(seen) == [f"{n:064x}" for n in range(1, 1502)]
        system.put_acks([ack(1502, HZ_ZT="已解除"), ack(1503, HZ_ZT="也许"), ack(1504, HZ_RDBH="1504")])
        page = source.acknowledgements(cursor)
        (lifted,) = page.rows
        assert (lifted.state, lifted.counter, lifted.on) == ("lifted", 1, "2026-11-23")
        assert [(fault.field, fault.reason) for fault in page.faults] == [
            ("HZ_ZT", "unknown_value"),
            ("HZ_RDBH", "invalid"),
        ]
        assert source.acknowledgements(page.cursor).rows == []
        source.close()

    def test_stamps_stay_as_they_are(self, system: BureauSystem) -> None:
        system.put([penalty(1)])
        assert [one.updated for page in pages(system) for one in page.records] == [STAMP]

    def test_hostile_rows_harm_no_other_and_are_all_counted(self, system: BureauSystem) -> None:
        good = [penalty(n) for n in (1, 3, 5, 7, 9)]
        system.put([*good[:2], *hostile_rows(), *good[2:]], [relief(1), relief(3, XF_ZT="'; DROP TABLE xyxf; --")])
        collected = list(pages(system))
        assert {one.row for one in findings(collected)} >= {row["ID"] for row in good}
        assert [one.row for one in reliefs(collected)] == ["relief/XF000001"]
        assert sum(page.rows for page in collected) == len(good) + len(hostile_rows()) + 2
        faults = {(one.field, one.reason) for page in collected for one in page.quarantined}
        assert faults >= HOSTILE_FAULTS, HOSTILE_FAULTS - faults
        everything = repr([replace(page, cursor={}) for page in collected])
        for secret in (PERSON, PERSON_NUMBER, TELEPHONE, "DROP TABLE", "<script>", "=HYPERLINK"):
            assert secret not in everything

    def test_rows_that_come_while_pages_are_read_are_met(self, system: BureauSystem) -> None:
        system.put([penalty(n) for n in range(1, 1101)])
        seen: list[FindingRecord] = []
        for number, page in enumerate(pages(system, restarts=True)):
            seen += findings([page])
            if number < 2:
                later = f"2026-11-22 09:0{number + 1}:00.000000"
                system.put([penalty(2000 + number, GXSJ=later), penalty(10 + number, CF_NR_FK="7", GXSJ=later)])
        assert {one.row for one in seen} >= {f"KS2026{n:06d}" for n in (*range(1, 1101), 2000, 2001)}
        changed = {one.row for one in seen if one.body["amount"]["fine"] == "70000.00"}
        assert changed == {"KS2026000010", "KS2026000011"}

    def test_a_system_that_breaks_loses_nothing(self, system: BureauSystem) -> None:
        system.put([penalty(n) for n in range(1, 601)])
        source = system.source()
        first = source.collect(None)
        system.put([penalty(n, GXSJ="2026-11-22 10:00:00.000000") for n in range(601, 604)])
        with system.ruin():
            said = broken(source, first.cursor)
        assert said, "it was not noticed"
        for secret in (PERSON, PERSON_NUMBER, TELEPHONE):
            assert secret not in said
        rows = {one.row for one in findings([first, *pages(system, first.cursor)])}
        assert rows == {f"KS2026{n:06d}" for n in range(1, 604)}
        source.close()


HOSTILE_FAULTS = {
    ("CF_XDR_SHXYM", "outer_check"), ("CF_XDR_SHXYM", "missing"), ("CF_WSH", "placeholder"), ("CF_JDRQ", "format"),
    ("CF_GSJZQ", "sentinel"), ("CF_GSJZQ", "stamped"), ("CF_WFXW", "personal_content"), ("CF_NR_FK", "format"),
    ("row", "too_large"), ("CF_SJLYDM", "swapped"), ("CF_CFLB", "unknown_value"), ("SSQH", "invalid"),
}  # fmt: skip
"""What hostile rows must be set aside for, in every mode."""


def hostile_rows() -> list[Row]:
    """Rows as they should not be, each in its own way; in every mode each of them must end somewhere."""
    code = company(102)
    return [
        penalty(101, CF_XDR_LB="自然人", CF_XDR_SHXYM="", CF_XDR_MC=PERSON, CF_XDR_ZJHM=PERSON_NUMBER),
        penalty(102, CF_XDR_SHXYM=code[:17] + ("1" if code[17] != "1" else "2")),
        penalty(103, CF_XDR_SHXYM=""),
        penalty(104, CF_WSH="不详"),
        penalty(105, CF_JDRQ="=HYPERLINK(1)"),
        penalty(106, CF_GSJZQ="1900-01-01"),
        penalty(107, CF_GSJZQ="2028-11-02 13:14:15"),
        penalty(108, CF_WFXW=f"由{PERSON}（{PERSON_NUMBER}）排放"),
        penalty(109, CF_NR_FK="2,5万"),
        penalty(110, CF_SY="长" * 15_000, CF_NR="长" * 15_000),
        penalty(111, CF_SJLY="DIR-20180902-164730-458", CF_SJLYDM="苏州市昆山生态环境局"),
        penalty(112, CF_CFLB="罚款;<script>alert(1)</script>"),
        penalty(113, SSQH="'; DROP TABLE xzcf; --"),
        penalty(114, CF_XDR_MC="<script>有限公司\t一", CF_XDR_SHXYM=PERSON_NUMBER),
        penalty(115, FYZT="复议中"),
    ]


def broken(source: Source, cursor: Json) -> str:
    """What a source says while its system is broken: its error, or the faults that it names."""
    try:
        page = source.collect(cursor)
    except SourceError as error:
        return error.sentence
    return " ".join(one.sentence for one in page.quarantined)
