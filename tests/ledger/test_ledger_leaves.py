"""Leaves written by the batch are those written one by one, and what may not be written is refused as there."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_helpers import AGREEMENT, ORIGIN

from syncd.ledger.canonical import FormatError, b64url
from syncd.ledger.entry import KINDS, Entry, Ref, encode_entry, parse_entry, uuid7
from syncd.ledger.leaves import encode_entries

pytestmark = pytest.mark.fast

AT = "2026-11-22T04:00:00.000Z"
OTHER = "demo-log/310114/2"

ids = st.binary(min_size=10, max_size=10).map(lambda chance: uuid7(1_795_000_000_000, chance))
hashes = st.binary(min_size=32, max_size=32)
refs = st.builds(Ref, st.sampled_from([ORIGIN, OTHER]), ids, hashes.map(bytes.hex))
bodies = st.one_of(st.none(), hashes.map(b64url), st.lists(hashes.map(b64url), min_size=1, max_size=3))
entries = st.builds(
    Entry,
    ids,
    st.sampled_from([*sorted(KINDS), "later.kind"]),
    st.just(AT),
    st.just(AGREEMENT),
    st.none() | refs,
    bodies,
)


def one_by_one(given: Sequence[Entry]) -> list[bytes] | str:
    """The leaves, or what the refusal says."""
    try:
        return [encode_entry(entry) for entry in given]
    except FormatError as error:
        return str(error)


def at_once(given: Sequence[Entry]) -> list[bytes] | str:
    """The same by the batch."""
    try:
        return encode_entries(given)
    except FormatError as error:
        return str(error)


@settings(max_examples=150)
@given(st.lists(entries, max_size=6))
def test_a_batch_is_its_entries(given: list[Entry]) -> None:
    assert at_once(given) == one_by_one(given)


PLAIN = [
    Entry(uuid7(1_795_000_000_000, bytes([n] * 10)), "finding.issued", AT, AGREEMENT, None, b64url(bytes([n] * 32)))
    for n in range(6)
]
ABOUT = Ref(ORIGIN, PLAIN[0].id, "ab" * 32)
ANSWERS = [entry._replace(kind="restriction.imposed", ref=ABOUT) for entry in PLAIN]


def test_plain_batches_come_back() -> None:
    for batch in (PLAIN, ANSWERS, PLAIN[:3] + ANSWERS[3:], PLAIN[:1], []):
        assert [parse_entry(leaf) for leaf in encode_entries(batch)] == batch


@pytest.mark.parametrize(
    "change",
    [
        {"id": PLAIN[0].id.upper()},
        {"id": PLAIN[0].id[:-1]},
        {"id": PLAIN[0].id.replace("-7", "-4")},
        {"id": PLAIN[0].id.replace("-", "0", 1)},
        {"id": PLAIN[0].id[:19] + "7" + PLAIN[0].id[20:]},
        {"id": PLAIN[0].id[:8] + "a-" + PLAIN[0].id[9:-1]},
        {"kind": "Finding.issued"},
        {"kind": 'finding"issued'},
        {"kind": "agreement.adopted"},
        {"at": "2026-02-30T04:00:00.000Z"},
        {"at": "2026-11-22 04:00:00"},
        {"agreement": "x@0#0123456789abcdef"},
        {"agreement": "x" * 300 + AGREEMENT},
        {"agreement": "x" * 17_000 + AGREEMENT},
        {"ref": ABOUT},
        {"body": b64url(b"\xff" * 32)[:-1] + "_"},
        {"body": b64url(bytes(31))},
        {"body": "A" * 42 + "é"},
        {"body": "A" * 42 + "\n"},
        {"body": '"' + "A" * 42},
        {"body": {"a": 1}},
        {"body": ["A" * 43]},
        {"body": 7},
    ],
)
@pytest.mark.parametrize("at", [0, 3])
def test_one_that_may_not_be_written_is_refused_as_alone(change: dict[str, object], at: int) -> None:
    batch = [*PLAIN]
    batch[at] = batch[at]._replace(**change)  # type: ignore[arg-type]
    assert at_once(batch) == one_by_one(batch)


@pytest.mark.parametrize(
    "change",
    [{"log": "x"}, {"log": ORIGIN + "0" * 9}, {"id": "y"}, {"leaf": "AB" * 32}, {"leaf": "ab" * 31}, {"leaf": ""}],
)
def test_a_reference_that_may_not_be_written_is_refused_as_alone(change: dict[str, str]) -> None:
    batch = [*ANSWERS[:2], ANSWERS[2]._replace(ref=ABOUT._replace(**change)), *ANSWERS[3:]]
    assert at_once(batch) == one_by_one(batch)
