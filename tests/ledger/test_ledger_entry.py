"""Leaves: every field's one form, the kinds' rules, ids and times."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_helpers import AGREEMENT, ORIGIN, UUID

from syncd.ledger.canonical import FormatError, b64url, encode
from syncd.ledger.entry import (
    BATCH_ITEMS,
    KINDS,
    LEAF_LIMIT,
    PUBLIC_KINDS,
    Entry,
    MeaningError,
    Ref,
    encode_entry,
    format_time,
    next_at,
    parse_entry,
    parse_time,
    read_relief,
    uuid7,
)

pytestmark = pytest.mark.fast

AT = "2026-11-22T09:00:00.123Z"
COMMITMENT = b64url(bytes(range(32)))
REF = Ref(ORIGIN, UUID, "ab" * 32)
FIELDS: dict[str, Any] = {
    "v": 1,
    "id": UUID,
    "kind": "restriction.imposed",
    "at": AT,
    "agreement": AGREEMENT,
    "ref": {"log": ORIGIN, "id": UUID, "leaf": "ab" * 32},
    "body": COMMITMENT,
}


def entry(kind: str, ref: Ref | None = None, body: Any = COMMITMENT) -> Entry:
    return Entry(UUID, kind, AT, AGREEMENT, ref, body)


def raw(**changes: Any) -> bytes:
    return json.dumps(FIELDS | changes, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def reason(leaf: bytes) -> str:
    with pytest.raises(MeaningError) as caught:
        parse_entry(leaf)
    return caught.value.reason


def test_the_bytes_of_a_leaf() -> None:
    leaf = encode_entry(entry("restriction.imposed", REF))
    assert leaf == raw() == encode(FIELDS)
    assert parse_entry(leaf) == entry("restriction.imposed", REF)


@pytest.mark.parametrize(
    "one",
    [
        entry("finding.issued"),
        entry("finding.issued", body=None),
        entry("relief.repaired", REF, None),
        entry("feedback.reported", REF),
        entry("feedback.reported", None, [COMMITMENT] * BATCH_ITEMS),
        entry("operator.acted"),
        entry("agreement.adopted", None, {"id": "jiakuntai-eco", "version": 1, "members": [{"code": "320583"}]}),
        entry("log.sealed", None, {"note": 'a "quoted" \\ text, 昆山'}),
        entry("relief.reversed", REF),
        entry("future.kind_of_entry", REF, {"open": True}),
        entry("future.kind", None, [1, "two", None]),
    ],
    ids=lambda one: one.kind,
)
def test_round_trip(one: Entry) -> None:
    leaf = encode_entry(one)
    assert parse_entry(leaf) == one
    assert leaf == encode(json.loads(leaf))


def test_kinds() -> None:
    assert len(KINDS) == 25
    assert {"relief.revoked", "objection.received", "erasure.done", "delivery.missing"} < KINDS


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"v": 2}, "version"),
        ({"v": True}, "version"),
        ({"v": "1"}, "version"),
        ({"v": None}, "version"),
        ({"v": 2, "more": 1}, "version"),
        ({"more": 1}, "fields"),
        ({"id": UUID.upper()}, "id"),
        ({"id": UUID.replace("-", "")}, "id"),
        ({"id": UUID + " "}, "id"),
        ({"id": UUID.replace("-7", "-4")}, "id"),
        ({"id": 7}, "id"),
        ({"id": None}, "id"),
        ({"kind": "Relief.revoked"}, "kind"),
        ({"kind": "relief"}, "kind"),
        ({"kind": "relief.revoked "}, "kind"),
        ({"kind": ""}, "kind"),
        ({"kind": "救济.撤销"}, "kind"),
        ({"kind": 1}, "kind"),
        ({"at": "2026-11-22T09:00:00Z"}, "at"),
        ({"at": "2026-11-22T09:00:00.123+00:00"}, "at"),
        ({"at": "2026-02-30T09:00:00.123Z"}, "at"),
        ({"at": "2026-11-22T24:00:00.000Z"}, "at"),
        ({"at": "2026-11-22 09:00:00.123Z"}, "at"),
        ({"at": "٢٠٢٦-11-22T09:00:00.123Z"}, "at"),
        ({"at": "0000-11-22T09:00:00.123Z"}, "at"),
        ({"at": 0}, "at"),
        ({"agreement": "jiakuntai-eco@1"}, "agreement"),
        ({"agreement": "jiakuntai-eco@01#0123456789abcdef"}, "agreement"),
        ({"agreement": "jiakuntai-eco@1_0#0123456789abcdef"}, "agreement"),
        ({"agreement": None}, "agreement"),
        ({"ref": {"log": ORIGIN, "id": UUID}}, "ref"),
        ({"ref": []}, "ref"),
        ({"ref": "null"}, "ref"),
        ({"ref": {"log": ORIGIN, "id": UUID, "leaf": "AB" * 32}}, "ref"),
        ({"ref": FIELDS["ref"] | {"x": 1}}, "ref"),
        ({"ref": FIELDS["ref"] | {"log": "jiakuntai-eco/320583"}}, "ref"),
        ({"ref": FIELDS["ref"] | {"id": 1}}, "ref"),
        ({"ref": None}, "ref"),
        ({"body": COMMITMENT[:-1]}, "body"),
        ({"body": COMMITMENT[:-1] + "9"}, "body"),
        ({"body": COMMITMENT + "="}, "body"),
        ({"body": 1}, "body"),
        ({"body": True}, "body"),
        ({"body": {"name": "x"}}, "body"),
        ({"body": [COMMITMENT]}, "body"),
    ],
)
def test_fields_of_another_form_are_held_with_a_reason(changes: dict[str, Any], expected: str) -> None:
    assert reason(raw(**changes)) == expected


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"null",
        raw() + b"\n",
        raw().replace(b",", b", "),
        b"\xff" + raw(),
        raw()[:-1] + b',"v":1}',
        raw(v=1.0),
        raw().replace(b"restriction", b"re\\u0073triction"),
        b'{"v":1,' + raw()[1:],
        raw(kind="agreement.adopted", ref=None, body={"a": "e\u0301"}),
        raw(kind="x.y", body={"a": 1.5}),
        raw(kind="x.y", body={"B": 1}),
        raw(kind="log.sealed", ref=None, body={"a": 1}).replace(b'"a":1', b'"a":1,"a":1'),
        raw(kind="log.sealed", ref=None, body={"jiakuntai-eco/320583/1": 1}),
        b"[" * 10_000,
    ],
)
def test_what_is_not_canonical_is_held(leaf: bytes) -> None:
    assert reason(leaf) in ("not_canonical", "fields")


def test_seven_fields_exactly() -> None:
    for name in FIELDS:
        rest = {key: value for key, value in FIELDS.items() if key != name}
        assert reason(encode(rest)) == "fields"
    assert reason(b"[]") == "fields"


@pytest.mark.parametrize("kind", sorted(KINDS - PUBLIC_KINDS))
def test_no_object_stands_in_a_leaf_that_could_name_an_organisation(kind: str) -> None:
    for ref in (None, REF):
        with pytest.raises(FormatError):
            encode_entry(entry(kind, ref, {"name": "某某公司"}))


@pytest.mark.parametrize("kind", sorted(KINDS - {"feedback.reported"}))
def test_each_kind_has_its_ref_or_none(kind: str) -> None:
    body = None if kind in PUBLIC_KINDS else COMMITMENT
    alone = kind in PUBLIC_KINDS or kind in ("finding.issued", "operator.acted", "honour.granted")
    encode_entry(entry(kind, None if alone else REF, body))
    with pytest.raises(FormatError, match="ref"):
        encode_entry(entry(kind, REF if alone else None, body))


@pytest.mark.parametrize("body", [[], [COMMITMENT] * (BATCH_ITEMS + 1), [1], [COMMITMENT, "x"]])
def test_batch_bodies(body: list[Any]) -> None:
    with pytest.raises(FormatError, match="body"):
        encode_entry(entry("feedback.reported", None, body))
    assert reason(raw(kind="feedback.reported", ref=None, body=body)) == "body"


def test_a_batch_entry_has_no_ref() -> None:
    with pytest.raises(FormatError):
        encode_entry(entry("feedback.reported", REF, [COMMITMENT]))


def test_a_field_cannot_smuggle_another() -> None:
    tail = f'{AGREEMENT}","at":"{AT}","body":['
    with pytest.raises(FormatError):
        encode_entry(Entry(UUID, "x.y", AT, tail, None, "x]"))
    with pytest.raises(FormatError):
        encode_entry(Entry(UUID, "x.y", AT, AGREEMENT, None, f'{COMMITMENT}","id":"{UUID}'))
    inner = {"id": UUID, "kind": "x.y", "ref": None, "v": 1}
    one = entry("log.sealed", None, {"a": [inner, f'],"id":"{UUID}","kind":"x.y","ref":null,"v":1}}']})
    assert parse_entry(encode_entry(one)) == one


def test_16_kib_at_most() -> None:
    room = LEAF_LIMIT - len(encode_entry(entry("log.sealed", None, {"a": ""})))
    assert len(encode_entry(entry("log.sealed", None, {"a": "x" * room}))) == LEAF_LIMIT
    with pytest.raises(FormatError, match="16384"):
        encode_entry(entry("log.sealed", None, {"a": "x" * (room + 1)}))
    assert reason(raw(kind="log.sealed", ref=None, body={"a": "x" * (room + 1)})) == "leaf_too_large"


def one_byte_changed(at: int, byte: bytes) -> bytes:
    return raw()[:at] + byte + raw()[at + 1 :]


@given(st.binary(max_size=80) | st.builds(one_byte_changed, st.integers(0, 400), st.binary(max_size=2)))
def test_any_leaf_is_understood_or_held_and_nothing_else(leaf: bytes) -> None:
    try:
        parsed = parse_entry(leaf)
    except MeaningError as error:
        assert error.reason
    else:
        assert encode_entry(parsed) == leaf
    read_relief(leaf)


def test_relief_acts_from_a_leaf_that_is_not_understood() -> None:
    ref = FIELDS["ref"]
    for leaf in (
        raw(kind="relief.revoked"),
        raw(kind="relief.x", v=9),
        b" " + raw(kind="relief.revoked", at="now"),
    ):
        found = read_relief(leaf)
        assert found is not None and found[1] == REF
    for leaf in (
        raw(),
        raw(kind="relief.revoked", ref=None),
        raw(kind="relief.revoked", ref=ref | {"leaf": "00"}),
    ):
        assert read_relief(leaf) is None
    assert read_relief(b"[]") is read_relief(b"nonsense") is read_relief(raw(kind=["relief."])) is None


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_uuid7(ms: int, rand: bytes) -> None:
    text = uuid7(ms, rand)
    assert parse_entry(raw(id=text)).id == text
    assert int(text.replace("-", "")[:12], 16) == ms
    assert uuid7(ms, b"\xff" * 10) >= text >= uuid7(ms, bytes(10))


def test_uuid7_refuses_what_does_not_fit() -> None:
    for ms, rand in ((-1, bytes(10)), (2**48, bytes(10)), (0, bytes(9)), (0, bytes(11))):
        with pytest.raises(FormatError):
            uuid7(ms, rand)


def test_times() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert format_time(datetime(2026, 11, 22, 17, 0, 0, 123_999, shanghai)) == AT
    assert parse_time(AT) == datetime(2026, 11, 22, 9, 0, 0, 123_000, UTC)
    with pytest.raises(FormatError, match="time zone"):
        format_time(datetime(2026, 11, 22))
    for text in ("", "2026-11-22", "2026-02-30T00:00:00.000Z", AT + "\n", AT.lower()):
        with pytest.raises(FormatError):
            parse_time(text)


def test_time_never_decreases_within_a_log() -> None:
    now = parse_time(AT)
    assert next_at(now, None) == AT
    assert next_at(now - timedelta(hours=1), AT) == AT
    assert next_at(now + timedelta(milliseconds=1), AT) == "2026-11-22T09:00:00.124Z"
