"""Legacy tables say by a state of the row 当前状态 what others say by relief rows."""

import pytest
from adapter_rows import ROW_KEY, facts_of, penalty

from adapters.base import PAGE_ROWS, AckPage, Adapter, Json, Page, RawRow
from adapters.facts import SourceFacts
from adapters.records import Collected, FindingRecord, ReliefRecord
from adapters.source import Source
from adapters.states import States

pytestmark = pytest.mark.fast

MEANS = {"0": "in_force", "1": "relief.revoked", "2": "relief.disputed", "3": "desk"}


def legacy() -> SourceFacts:
    facts = facts_of("taicang")
    columns = facts.columns.model_copy(update={"state": "CF_ZT", "aliases": {"CF_JGDM": "CF_CFJGDM"}})
    return facts.model_copy(update={"columns": columns, "state": MEANS})


class Legacy(Adapter):
    """Rows of one table, with their states."""

    def __init__(self, *rows: dict[str, str]) -> None:
        self.rows = rows

    def pull(self, cursor: Json | None) -> Page:
        rows = [RawRow("penalty", row["ID"], dict(row), "xzcf") for row in self.rows]
        return Page(States(legacy()).spoken(rows), {}, False)

    def push(self, rows: object) -> None: ...

    def acknowledgements(self, cursor: Json | None) -> AckPage:
        return AckPage([], {}, False)


def collected(*rows: dict[str, str]) -> Collected:
    return Source(Legacy(*rows), legacy(), ROW_KEY).collect(None)


def legacy_row(n: int, state: str) -> dict[str, str]:
    row = penalty(n, CF_ZT=state)
    return {("CF_JGDM" if name == "CF_CFJGDM" else name): value for name, value in row.items()}


def test_each_state_leads_where_the_facts_page_says() -> None:
    page = collected(*(legacy_row(n, state) for n, state in enumerate(MEANS)))
    assert [one.row for one in page.records if isinstance(one, FindingRecord)] == [f"KS202600000{n}" for n in (0, 1, 2)]
    said = [(one.row, one.kind, one.number) for one in page.records if isinstance(one, ReliefRecord)]
    assert said == [
        ("relief/KS2026000001", "relief.revoked", "苏环行罚字〔2026〕83第001号"),
        ("relief/KS2026000002", "relief.disputed", "苏环行罚字〔2026〕83第002号"),
    ]
    assert [(one.row, one.field, one.reason) for one in page.quarantined] == [
        ("KS2026000003", "CF_ZT", "unknown_value")
    ]
    assert page.balanced and not page.unknown_columns


def test_a_state_nobody_named_keeps_the_row_back() -> None:
    page = collected(legacy_row(1, "9"), legacy_row(2, ""))
    assert not page.records and len(page.quarantined) == 2


def test_a_page_of_relieved_rows_stays_within_the_limit() -> None:
    page = collected(*(legacy_row(n, "1") for n in range(PAGE_ROWS)))
    assert page.rows == 2 * PAGE_ROWS
