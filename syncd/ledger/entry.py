"""Entries (存证条目): the leaves of a bureau's log, to and from their bytes.

A leaf is canonical JSON with exactly seven fields, 16 KiB at most; the stored bytes are the leaf. No
organisation's name, code or text stands in it: ``body`` is a commitment (承诺值), a list of item commitments,
a public object for the four public kinds, or null.

Holding is not understanding: ``parse_entry`` raises MeaningError for a leaf that is held and countersigned
all the same. An unknown kind is parsed like any other, because an unknown ``relief.*`` still suspends what
``ref`` names.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

import orjson

from syncd.errors import NeedsPerson
from syncd.ledger.canonical import HASH_TEXT, ORIGIN, FormatError, Json, decode, encode

LEAF_LIMIT: Final = 16 * 1024
"""Bytes; a longer leaf is an integrity failure of the batch that carries it."""
BATCH_ITEMS: Final = 256
"""Items in one batch entry at most (本市办理回执 of one delivered batch)."""

PUBLIC_KINDS: Final = frozenset({"delivery.missing", "agreement.adopted", "key.changed", "log.sealed"})
"""Kinds whose body is the object itself: they name bureaus, keys and logs, never an organisation."""
KINDS: Final = PUBLIC_KINDS | {
    "finding.issued",
    "finding.amended",
    "finding.upheld",
    "finding.resumed",
    "finding.held",
    "relief.disputed",
    "relief.suspended",
    "relief.repaired",
    "relief.revoked",
    "relief.expired",
    "objection.received",
    "restriction.imposed",
    "restriction.lifted",
    "restriction.declined",
    "notice.served",
    "feedback.reported",
    "erasure.ordered",
    "erasure.done",
    "operator.acted",
    "honour.granted",
    "honour.withdrawn",
}
"""Every kind this version understands; others are held until a version knows them."""

_REF_NEVER: Final = PUBLIC_KINDS | {"finding.issued", "operator.acted", "honour.granted"}

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
FORMS: Final = {
    "agreement": r"[a-z0-9-]+@[1-9][0-9]{0,8}#[0-9a-f]{16}",
    "at": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z",
    "id": _ID,
    "kind": r"[a-z]+\.[a-z]+(?:_[a-z]+)*",
}
"""The one form of each field that is a plain text."""
_REF = rf'null|\{{"id":"({_ID})","leaf":"([0-9a-f]{{64}})","log":"({ORIGIN.pattern})"\}}'
_LEAF = re.compile(
    rf'\{{"agreement":"({FORMS["agreement"]})","at":"({FORMS["at"]})",'
    rf'"body":(null|"{HASH_TEXT.pattern}"|[\[{{].*[\]}}]),'
    rf'"id":"({_ID})","kind":"({FORMS["kind"]})","ref":(?:{_REF}),"v":1\}}',
    re.ASCII | re.DOTALL,
)
_FIELDS = frozenset({"v", "id", "kind", "at", "agreement", "ref", "body"})


class MeaningError(NeedsPerson):
    """An entry or disclosure that is held but not understood; ``reason`` is the code on the desk (工作台)."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The entry is kept and countersigned but not understood ({reason}); later entries go on. "
            "It is read again when versions change; look at it on the desk."
        )
        self.reason = reason


class Ref(NamedTuple):
    """What an entry is about: the other entry's log (origin), its id and its leaf hash in lower hex."""

    log: str
    id: str
    leaf: str


class Entry(NamedTuple):
    """The content of one leaf.

    ``at`` is UTC text with milliseconds; ``agreement`` is ``<id>@<version>#<hex16>``.
    """

    id: str
    kind: str
    at: str
    agreement: str
    ref: Ref | None
    body: str | list[str] | Json | None


def encode_entry(entry: Entry) -> bytes:
    """Return the leaf of ``entry``. Raises FormatError for what no reader could parse, or over 16 KiB."""
    ref, body = entry.ref, entry.body
    about = "null" if ref is None else f'{{"id":"{ref.id}","leaf":"{ref.leaf}","log":"{ref.log}"}}'
    content = "null" if body is None else f'"{body}"' if type(body) is str else encode(body).decode()
    text = (
        f'{{"agreement":"{entry.agreement}","at":"{entry.at}","body":{content},"id":"{entry.id}",'
        f'"kind":"{entry.kind}","ref":{about},"v":1}}'
    )
    try:
        match = _proven(text)
        if match.group(1, 3) != (entry.agreement, content):
            raise MeaningError("agreement")  # a quotation mark in a field moved the others
        if type(body) is list:
            _open_body(entry.kind, content)
    except MeaningError as error:
        raise FormatError(f"An entry was not written: its {error.reason} has a wrong form.") from error
    leaf = text.encode()
    if len(leaf) > LEAF_LIMIT:
        raise FormatError(f"An entry was not written: its leaf has {len(leaf)} of {LEAF_LIMIT} bytes.")
    return leaf


def parse_entry(leaf: bytes) -> Entry:
    """Return the content of ``leaf``.

    Raises MeaningError with one of the reasons ``leaf_too_large``, ``not_canonical``, ``fields``,
    ``version``, ``agreement``, ``at``, ``id``, ``kind``, ``ref``, ``body``. An unknown but well-formed kind
    is no error here.
    """
    if len(leaf) > LEAF_LIMIT:
        raise MeaningError("leaf_too_large")
    try:
        text = leaf.decode()
    except UnicodeDecodeError as error:
        raise MeaningError("not_canonical") from error
    match = _proven(text)
    agreement, at, content, entry_id, kind, ref_id, ref_leaf, ref_log = match.groups()
    body = None if content == "null" else content[1:-1] if content[0] == '"' else _open_body(kind, content)
    ref = None if ref_id is None else Ref(ref_log, ref_id, ref_leaf)
    return Entry(entry_id, kind, at, agreement, ref, body)


def read_relief(leaf: bytes) -> tuple[str, Ref] | None:
    """Return kind and ref of a relief entry that ``parse_entry`` does not understand, None for another leaf.

    Relief acts from the leaf alone: no defect in its other fields, and no later version of the form, may
    keep a company restricted. This is the widest reading; the entry stays on the desk.
    """
    try:
        fields = orjson.loads(leaf)
        kind, ref = fields["kind"], fields["ref"]
        found = Ref(ref["log"], ref["id"], ref["leaf"])
        shown = encode({"id": found.id, "leaf": found.leaf, "log": found.log}).decode()
    except (ValueError, TypeError, KeyError, FormatError):
        return None
    if type(kind) is not str or not kind.startswith("relief.") or not re.fullmatch(_REF, shown, re.ASCII):
        return None
    return kind, found


def _proven(text: str) -> re.Match[str]:
    """The fields of the leaf ``text``, all proven but an open body.

    Every field but that has one spelling and the fields one order, so one pattern proves the canonical form
    without parsing; an open body is JSON of its own, and is proven canonical by itself.
    """
    match = _LEAF.fullmatch(text)
    if match is None:
        raise MeaningError(_fault(text))
    try:
        datetime.fromisoformat(match[2])  # the pattern lets 30 February through
    except ValueError as error:
        raise MeaningError("at") from error
    has_ref = match[6] is not None
    if not may_stand(match[5], has_ref, text[match.start(3)]):
        raise MeaningError("body" if may_stand(match[5], has_ref, "n") else "ref")
    return match


@lru_cache(maxsize=512)
def may_stand(kind: str, has_ref: bool, body: str) -> bool:
    """Whether this kind goes with a ref or none, and with a body that begins so; unknown kinds may all."""
    if kind not in KINDS:
        return True
    if kind in PUBLIC_KINDS:
        return not has_ref and body in "n{"
    if body == "[":
        return kind == "feedback.reported" and not has_ref
    if body == "{":  # an object here could carry an organisation's name into a leaf that nobody can erase
        return False
    return kind == "feedback.reported" or has_ref != (kind in _REF_NEVER)


def _open_body(kind: str, content: str) -> list[str] | Json:
    """The public object, or the list of item commitments, that stands in the leaf itself."""
    try:
        body = decode(content.encode())
    except FormatError as error:
        raise MeaningError("not_canonical") from error
    if type(body) is list and kind in KINDS:
        if not 0 < len(body) <= BATCH_ITEMS:
            raise MeaningError("body")
        if not all(type(item) is str and HASH_TEXT.fullmatch(item) for item in body):
            raise MeaningError("body")
    opened: list[str] | Json = body
    return opened


def _fault(text: str) -> str:
    """The reason why ``text`` is no leaf, for the person at the desk."""
    try:
        fields = decode(text.encode())
    except FormatError:
        return "not_canonical"
    if type(fields) is dict and "v" in fields and (type(fields["v"]) is not int or fields["v"] != 1):
        return "version"
    if type(fields) is not dict or fields.keys() != _FIELDS:
        return "fields"
    for name, form in FORMS.items():
        if type(fields[name]) is not str or not re.fullmatch(form, fields[name], re.ASCII):
            return name
    ref = "null" if fields["ref"] is None else encode(fields["ref"]).decode()
    return "body" if re.fullmatch(_REF, ref, re.ASCII) else "ref"


def uuid7(ms: int, rand: bytes) -> str:
    """UUIDv7 (RFC 9562) of Unix milliseconds and 10 random bytes, of which 74 bits are used."""
    if not 0 <= ms < 1 << 48 or len(rand) != 10:
        raise FormatError("A UUIDv7 needs milliseconds below 2^48 and 10 random bytes.")
    bits = int.from_bytes(rand, "big")
    value = ms << 80 | 0x7 << 76 | (bits >> 62 & 0xFFF) << 64 | 0b10 << 62 | bits & (1 << 62) - 1
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def format_time(value: datetime) -> str:
    """``2026-11-22T09:00:00.123Z`` (UTC, milliseconds, cut not rounded) of an aware time."""
    if value.tzinfo is None:
        raise FormatError("A time has no time zone; times of the ledger are UTC.")
    return value.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_time(text: str) -> datetime:
    """Aware UTC time of ``2026-11-22T09:00:00.123Z``. Raises FormatError."""
    try:
        if re.fullmatch(FORMS["at"], text, re.ASCII):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise FormatError("A time is not of the form 2026-11-22T09:00:00.123Z, or not a time of any day.")


def next_at(now: datetime, previous: str | None) -> str:
    """The ``at`` of the next entry: ``max(now, previous)``, so that it never decreases within a log."""
    text = format_time(now)
    return text if previous is None or text > previous else previous
