"""The duties around an adapter: limits, narrowing of errors, and that a broken row stops no other."""

from collections.abc import Callable, Sequence

import pytest
from adapter_rows import PERSON, ROW_KEY, STAMP, facts_of, order, penalty
from test_adapter_penalty import Rows

from adapters.base import AckPage, Adapter, Json, Page, RawRow, SourceError
from adapters.facts import parse_facts
from adapters.source import Source

pytestmark = pytest.mark.fast

FACTS = facts_of("kunshan")


class Odd(Adapter):
    """An adapter written in haste: every method does what the test says."""

    def __init__(self, answer: Callable[[], object]) -> None:
        self.answer = answer
        self.pushed: list[Sequence[Json]] = []

    def pull(self, cursor: Json | None) -> Page:
        return self.answer()  # type: ignore[return-value]

    def push(self, rows: Sequence[Json]) -> str:
        self.pushed.append(rows)
        self.answer()
        return ""

    def acknowledgements(self, cursor: Json | None) -> AckPage:
        return self.answer()  # type: ignore[return-value]


def source(answer: Callable[[], object] = lambda: None) -> Source:
    return Source(Odd(answer), FACTS, ROW_KEY)


def raises(error: Exception) -> Callable[[], object]:
    def answer() -> object:
        raise error

    return answer


@pytest.mark.parametrize("error", [KeyError(PERSON), ValueError(PERSON), OSError(PERSON), ZeroDivisionError()])
def test_only_a_source_error_leaves_and_quotes_nothing(error: Exception) -> None:
    odd = source(raises(error))
    calls = (lambda: odd.collect(None), lambda: odd.push([order(1)]), lambda: odd.acknowledgements(None))
    for call in calls:
        with pytest.raises(SourceError) as caught:
            call()
        assert PERSON not in str(caught.value)
        assert type(error).__name__ in caught.value.sentence
        assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_a_source_error_passes_as_it_is() -> None:
    error = SourceError("Down.", transient=True)
    with pytest.raises(SourceError) as caught:
        source(raises(error)).collect(None)
    assert caught.value is error


def test_a_page_that_is_too_large() -> None:
    rows = [RawRow("penalty", str(n), {}, "") for n in range(2001)]
    with pytest.raises(SourceError, match="2001"):
        source(lambda: Page(rows, {}, False)).collect(None)
    with pytest.raises(SourceError, match="2001"):
        source(lambda: AckPage([None] * 2001, {}, False)).acknowledgements(None)  # type: ignore[list-item]


def test_a_cursor_that_is_too_large() -> None:
    large = {"after": "x" * 4096}
    with pytest.raises(SourceError, match="4 KiB"):
        source(lambda: Page([], large, False)).collect(None)
    with pytest.raises(SourceError, match="4 KiB"):
        source().collect(large)
    with pytest.raises(SourceError, match="4 KiB"):
        source().acknowledgements(large)


def test_orders_must_have_the_columns_of_the_facts_page() -> None:
    odd = source()
    lacking = order(1)
    del lacking["CJD_BJ"]
    with pytest.raises(SourceError, match="CJD_BJ"):
        odd.push([order(1), lacking])
    with pytest.raises(SourceError, match="CJD_LXR"):
        odd.push([order(1) | {"CJD_LXR": PERSON}])
    assert odd.adapter.pushed == []  # type: ignore[attr-defined]


def test_orders_go_in_pages() -> None:
    odd = source()
    odd.push([order(n) for n in range(4001)])
    assert [len(rows) for rows in odd.adapter.pushed] == [2000, 2000, 1]  # type: ignore[attr-defined]


@pytest.mark.parametrize("step", ["refusal", "read_penalty"])
def test_a_row_that_breaks_the_code_stops_no_other(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import adapters.source as room

    healthy = getattr(room, step)

    def breaks(*arguments: object) -> object:
        if any(isinstance(one, dict) and one.get("RDDM") == "break" for one in arguments):
            raise RuntimeError(PERSON)
        return healthy(*arguments)

    monkeypatch.setattr(room, step, breaks)
    page = Source(Rows(penalty(1), penalty(2, RDDM="break"), penalty(3)), FACTS, ROW_KEY).collect(None)
    assert page.balanced and len(page.records) == 2
    (one,) = page.quarantined
    assert (one.field, one.reason) == ("row", "unreadable")
    assert PERSON not in repr(page)
    assert one.row.startswith("hmac-") is (step == "refusal")


def test_a_penalty_and_a_relief_row_may_have_one_key() -> None:
    rows = [RawRow("penalty", "7", penalty(1, ID="7"), "a"), RawRow("relief", "7", {"ID": "7"}, "b")]
    page = source(lambda: Page(rows, {}, False)).collect(None)
    assert [one.row for one in page.records] == ["7"]
    assert [(one.row, one.where) for one in page.quarantined] == [("relief/7", "b")]
    assert page.records[0].updated == STAMP


@pytest.mark.parametrize("bureau", ["jiading", "kunshan", "taicang"])
def test_the_facts_pages_that_are_shipped(bureau: str) -> None:
    facts = facts_of(bureau)
    assert facts.illustrative and facts.source.id == bureau and facts.place == facts.publisher.code
    assert len(facts.push) == 22 and set(facts.relief.values()) >= {"relief.repaired", "finding.resumed"}


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('mode = "files"', 'mode = "post"', "source.mode"),
        ("illustrative = true", 'illustrative = true\nsecret = "8080"', "secret"),
        ("rhythm_seconds = 60.0", "rhythm_seconds = 0.0", "source.rhythm_seconds"),
        ('organ = "11320500MB2000020M"', 'organ = "11320500MB20000208"', "publisher.organ"),
        ('"Asia/Shanghai"', '"Asia/Nowhere"', "time_zone"),
        ('"relief.revoked"', '"relief.cancelled"', "relief"),
        ("[review]", "[review", "TOML"),
    ],
)
def test_a_facts_page_with_a_slip(old: str, new: str, named: str) -> None:
    from adapter_rows import SOURCES

    text = (SOURCES / "kunshan.toml").read_text("utf-8")
    assert old in text
    with pytest.raises(SourceError) as caught:
        parse_facts(text.replace(old, new).encode())
    assert named in caught.value.sentence and not caught.value.transient
    assert "8080" not in caught.value.sentence


def test_a_facts_page_that_is_no_utf8() -> None:
    with pytest.raises(SourceError, match="UTF-8"):
        parse_facts("名".encode("gb18030"))
