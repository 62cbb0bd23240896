"""Bodies on the wire: every text comes back, every cut, surplus or bomb is refused before it costs memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_helpers import ORIGIN, GrowingTree, signer

from syncd.ledger.canonical import FormatError, b64
from syncd.ledger.entry import LEAF_LIMIT
from syncd.ledger.notes import parse_note
from syncd.ledger.wire import (
    BATCH_LIMIT,
    PROOF_LIMIT,
    STOP_ENTRIES,
    Batch,
    Record,
    TooLarge,
    compress,
    decode_add_checkpoint,
    decode_batch,
    decode_records,
    decode_resend,
    decompress,
    encode_batch,
    encode_records,
    encode_resend,
    zstd,
)

pytestmark = pytest.mark.fast

LOG = signer(ORIGIN, 1)
RECORDS = st.lists(st.builds(Record, st.binary(max_size=90), st.binary(max_size=90)), max_size=12)


def note(size: int) -> bytes:
    """A signed checkpoint of that size; its root does not matter here."""
    tree = GrowingTree()
    tree.grow([b"x"] * size)
    return tree.note(LOG)


NOTES = [note(size) for size in range(20)]


@given(RECORDS)
def test_records_come_back(records: list[Record]) -> None:
    raw = encode_records(records)
    assert decode_records(raw) == records
    assert decode_records(b"head" + raw, 4) == records


@given(RECORDS, st.integers(0, 7), st.lists(st.binary(min_size=32, max_size=32), max_size=PROOF_LIMIT))
def test_batches_come_back(records: list[Record], old: int, proof: list[bytes]) -> None:
    checkpoint, newest = NOTES[old + len(records)], NOTES[19]
    raw = encode_batch(old, proof, checkpoint, newest, encode_records(records))
    assert decode_batch(raw) == Batch(old, proof, checkpoint, newest, records)
    assert decode_batch(decompress(compress(raw))).records == records


@given(RECORDS.filter(bool), st.data())
def test_a_cut_batch_is_refused_wherever_it_is_cut(records: list[Record], data: st.DataObject) -> None:
    raw = encode_batch(0, [], NOTES[len(records)], NOTES[19], encode_records(records))
    with pytest.raises(FormatError):
        decode_batch(raw[: data.draw(st.integers(0, len(raw) - 1))])
    with pytest.raises(FormatError):
        decode_batch(raw + data.draw(st.binary(min_size=1, max_size=9)))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_sentence(data: bytes) -> None:
    for decoder in (decode_batch, decompress, decode_add_checkpoint):
        with pytest.raises(FormatError):
            decoder(data)


def test_an_empty_batch_fetches_a_line() -> None:
    raw = encode_batch(5, [], NOTES[5], NOTES[7], b"")
    assert decode_batch(raw) == Batch(5, [], NOTES[5], NOTES[7], [])


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"old 0\n",
        b"old  0\n\n",
        b"Old 0\n\n",
        b"old 00\n\n",
        b"old 0 \n\n",
        b"old 1_0\n\n",
        b"old -1\n\n",
        b"old\n\n",
        b"old 0\r\n\r\n",
        b"\nold 0\n\n",
        b"old 0\nAAAA\n\n",
        b"old 0\n" + b64(bytes(32)).encode() + b" \n\n",
        b"old 0\n" + b64(bytes(32))[:-1].encode() + b"\n\n",
        "old ٣\n\n".encode(),
        "old 0\n٣\n\n".encode(),
        b"old 0\n" + (b64(bytes(32)) + "\n").encode() * (PROOF_LIMIT + 1) + b"\n",
        b"old " + b"1" * 5000 + b"\n\n",
    ],
)
def test_other_first_lines_are_refused(head: bytes) -> None:
    body = encode_batch(0, [], NOTES[0], NOTES[0], b"").removeprefix(b"old 0\n\n")
    assert decode_batch(b"old 0\n\n" + body)
    with pytest.raises(FormatError):
        decode_batch(head + body)


def test_the_number_of_records_is_what_the_sizes_say() -> None:
    records = [Record(b"leaf", b"")] * 3
    for old, size in ((0, 2), (0, 4), (1, 3), (3, 3)):
        with pytest.raises(FormatError, match="announced"):
            decode_batch(encode_batch(old, [], NOTES[size], NOTES[19], encode_records(records)))
    with pytest.raises(FormatError, match="below the old size"):
        decode_batch(encode_batch(4, [], NOTES[3], NOTES[19], b""))


def test_a_checkpoint_with_an_extension_line_is_refused() -> None:
    extended = parse_note(NOTES[1]).text + "extra\n\n" + "\n".join(parse_note(NOTES[1]).lines) + "\n"
    for notes in ((extended.encode(), NOTES[1]), (NOTES[1], extended.encode())):
        with pytest.raises(FormatError):
            decode_batch(encode_batch(0, [], *notes, encode_records([Record(b"x", b"")])))


def test_one_step_between_stops_and_no_more() -> None:
    def body(count: int) -> bytes:
        return encode_batch(0, [], note(count), note(count), encode_records([Record(b"x", b"")] * count))

    assert len(decode_batch(body(STOP_ENTRIES)).records) == STOP_ENTRIES
    with pytest.raises(TooLarge, match="one step"):
        decode_batch(body(STOP_ENTRIES + 1))
    with pytest.raises(TooLarge, match="one step"):
        decode_records(encode_records([Record(b"x", b"")] * (STOP_ENTRIES + 1)))


def test_a_leaf_over_16_kib_is_refused_on_both_sides() -> None:
    fits = Record(b"x" * LEAF_LIMIT, b"")
    assert decode_records(encode_records([fits])) == [fits]
    with pytest.raises(FormatError, match="leaf"):
        encode_records([Record(b"x" * (LEAF_LIMIT + 1), b"")])
    with pytest.raises(FormatError, match="leaf"):
        decode_records((LEAF_LIMIT + 1).to_bytes(2, "big") + b"x" * (LEAF_LIMIT + 1) + bytes(4))


def test_a_disclosure_over_256_kib_is_carried_because_only_its_meaning_fails() -> None:
    record = Record(b"leaf", b"x" * (300 * 1024))
    assert decode_records(encode_records([record])) == [record]


def test_lengths_that_lie() -> None:
    for raw in (
        b"\x00",
        b"\x00\x04le",
        b"\x00\x00\x00\x00",
        b"\x00\x01x\xff\xff\xff\xff",
        b"\x00\x01x\x00\x00\x00\x02y",
    ):
        with pytest.raises(FormatError, match="cut off"):
            decode_records(raw)


def test_a_body_over_the_limit() -> None:
    with pytest.raises(TooLarge):
        decode_batch(bytes(BATCH_LIMIT + 1))
    with pytest.raises(TooLarge):
        decode_resend(bytes(BATCH_LIMIT + 1))


@given(st.lists(st.tuples(st.binary(min_size=32, max_size=32), st.binary(max_size=60)), max_size=6))
def test_resent_disclosures_come_back(pairs: list[tuple[bytes, bytes]]) -> None:
    raw = encode_resend(pairs)
    assert decode_resend(raw) == pairs
    if raw:
        with pytest.raises(FormatError, match="cut off"):
            decode_resend(raw[:-1])
    with pytest.raises(FormatError, match="cut off"):
        decode_resend(raw + b"\x00")


def test_a_bomb_is_refused_at_the_limit() -> None:
    bomb = compress(bytes(64 * 1024 * 1024))
    assert len(bomb) < 10_000
    with pytest.raises(TooLarge):
        decompress(bomb)
    stream = zstd.ZstdCompressor()  # a frame that does not say its size
    unsized = stream.compress(bytes(BATCH_LIMIT + 1)) + stream.flush()
    with pytest.raises(TooLarge):
        decompress(unsized)


def test_decompression_has_exact_limits() -> None:
    assert decompress(compress(b""), 0) == b""
    assert decompress(compress(b"x" * 100), 100) == b"x" * 100
    assert len(decompress(compress(bytes(BATCH_LIMIT)))) == BATCH_LIMIT
    with pytest.raises(TooLarge):
        decompress(compress(b"x" * 101), 100)


def test_one_whole_frame_and_nothing_else() -> None:
    frame = compress(b"some bytes that are long enough to be cut")
    for wrong in (b"", frame[:-1], frame + b"x", frame + frame, b"x" + frame, frame[:4], b"plain", b"\x1f\x8b" + frame):
        with pytest.raises(FormatError):
            decompress(wrong)


def test_a_frame_may_not_ask_for_a_large_window() -> None:
    options = {zstd.CompressionParameter.window_log: 26, zstd.CompressionParameter.content_size_flag: 0}
    stream = zstd.ZstdCompressor(options=options)
    greedy = stream.compress(b"x" * 100) + stream.flush()
    with pytest.raises(FormatError):
        decompress(greedy)
