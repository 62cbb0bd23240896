"""Opening entries: from stored bytes to what they say, or to the reason why they cannot be read.

Holding is not understanding (LEDGER §6): nothing here refuses an entry. What cannot be read comes back with a
``fault`` and is put on the desk; later entries go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection

from schemas.registry import InvalidBody, NewerSchema, check_body
from syncd.flows.bureau import Bureau
from syncd.ledger.disclosure import open_disclosure, open_items, peek_disclosure
from syncd.ledger.entry import KINDS, Entry, MeaningError, Ref, parse_entry, read_relief

Json = dict[str, Any]
INFORMING = frozenset({"restriction.imposed", "restriction.lifted", "restriction.declined", "finding.held"})
_IMPOSED_KEYS = {"schema", "rule", "measures", "released_by", "knew", "demonstration", "mark"}
_LIFTED_KEYS = {"schema", "reason", "because", "due", "knew", "demonstration"}
_HELD_KEYS = {"schema", "reason", "details", "due", "knew"}
MEASURE_KEYS = {"id", "kind", "responder", "basis", "from", "to"}
SCHEMA_OF = {
    "restriction.imposed": "restriction/1.0",
    "restriction.lifted": "lifting/1.0",
    "restriction.declined": "lifting/1.0",
    "finding.held": "held/1.0",
}
KEYS_OF = {
    "restriction.imposed": _IMPOSED_KEYS,
    "restriction.lifted": _LIFTED_KEYS,
    "restriction.declined": _LIFTED_KEYS,
    "finding.held": _HELD_KEYS,
}
ERASED = "erased"
"""The fault of an entry whose disclosure was ordered to be erased: nothing to be repaired, and nobody is asked."""
DAMAGED = "store_damaged"
"""The fault of an entry whose disclosure does not open with its own key: this node's store or vault is damaged."""
VERSION = "version"  # of this agreement, but not held here or not in force here so far
_SHARED = 256  # bodies of answers are 1 KB as text and three times that as read
PUBLIC_KINDS = frozenset({"agreement.adopted", "key.changed", "log.sealed", "delivery.missing"})


@dataclass(slots=True)
class Opened:
    """An entry as read: ``entry`` is None if the leaf itself cannot be read, ``fault`` says why anything cannot.

    ``relief``: what a leaf that cannot be read still relieves, for relief acts from kind and ``ref`` alone.
    """

    idx: int
    leaf: bytes
    entry: Entry | None
    body: Json | None = None
    items: Sequence[Json | None] = ()
    fault: str | None = None
    relief: tuple[str, Ref] | None = None

    @property
    def kind(self) -> str:
        """The entry's kind, or an empty text where the leaf cannot be read."""
        return self.entry.kind if self.entry is not None else ""


def is_relief(kind: str) -> bool:
    """``relief.*``, the kinds not yet known included: they act from the leaf alone, for ever (LEDGER §2)."""
    return kind.startswith("relief.")


def read_opened(
    bureau: Bureau,
    conn: Connection,
    origin: str,
    start: int,
    stop: int,
    unwanted: frozenset[str] = frozenset(),
    only: frozenset[str] = frozenset(),
) -> list[Opened]:
    """Read and open entries ``start`` to ``stop`` (exclusive) of a log.

    ``only`` and ``unwanted`` are left to the database, so that other kinds are not even fetched.
    """
    kinds = bureau.logs.recent_kinds(origin, start, stop)
    if kinds is not None and not any(_is_wanted(kind, unwanted, only) for kind in kinds):
        return []
    recent = bureau.logs.recent(origin, start, stop)
    if recent is None:
        rows = bureau.logs.read_entries(conn, origin, start, stop, without=unwanted, only=only)
        parsed = [_parse(row.index, row.leaf_hash, row.leaf) for row in rows]
        texts, damaged = bureau.vault.open_each([row.sealed for row in rows])
        for n, (one, row) in enumerate(zip(parsed, rows, strict=True)):
            one.fault = ERASED if row.disclosure == ERASED else one.fault or (DAMAGED if n in damaged else None)
    else:
        wanted = [one for one in recent if _wanted(one.entry, unwanted, only)]
        parsed = [
            _parse(one.idx, one.leaf_hash, one.leaf) if one.entry is None else Opened(one.idx, one.leaf_hash, one.entry)
            for one in wanted
        ]
        texts = [one.disclosure or None for one in wanted]
    for opened, text in zip(parsed, texts, strict=True):
        if opened.fault is None:
            _open_one(bureau, opened, text)
    return parsed


def _wanted(entry: Entry | None, unwanted: frozenset[str], only: frozenset[str]) -> bool:
    """As the database filters: ``relief.%`` stands for all that begin so, an empty text for what was not understood."""
    return _is_wanted(entry.kind if entry is not None else "", unwanted, only)


def _is_wanted(kind: str, unwanted: frozenset[str], only: frozenset[str]) -> bool:
    if kind in unwanted:
        return False
    return not only or kind in only or (is_relief(kind) and "relief.%" in only)


def _parse(idx: int, leaf_hash: bytes, leaf: bytes) -> Opened:
    try:
        return Opened(idx, leaf_hash, parse_entry(leaf))
    except MeaningError as error:
        return Opened(idx, leaf_hash, None, fault=f"not_canonical:{error}", relief=read_relief(leaf))
    except Exception as error:  # one bad entry must never stop a log, whatever it does to the reader
        return Opened(idx, leaf_hash, None, fault=f"exception:{type(error).__name__}")


def _open_one(bureau: Bureau, one: Opened, raw: bytes | None) -> None:
    try:
        one.fault = _open(bureau, one, raw, one.kind in INFORMING)
    except Exception as error:  # see _parse
        one.fault = f"exception:{type(error).__name__}"


def _open(bureau: Bureau, one: Opened, raw: bytes | None, light: bool) -> str | None:
    entry = one.entry
    if entry is None:
        return one.fault
    if entry.kind not in KINDS:
        return "unknown_kind"
    if entry.agreement not in bureau.tags and entry.kind not in PUBLIC_KINDS:
        same = entry.agreement.startswith(f"{bureau.agreement.id}@")
        return f"{VERSION}:{entry.agreement}" if same else "other_agreement"
    if entry.body is None or isinstance(entry.body, dict):
        one.body = entry.body
        return None
    if raw is None:
        return "no_disclosure"
    if light and isinstance(entry.body, str) and _informs(one, entry, raw):
        return None
    try:
        if isinstance(entry.body, list):
            one.items = open_items(entry.id, entry.body, raw)
            return None
        one.body = open_disclosure(entry.id, entry.body, raw)
        check_body(entry.kind, one.body)
    except MeaningError as error:
        one.body = None
        return f"does_not_open:{error}"
    except NewerSchema:
        one.body = None
        return "newer_schema"
    except InvalidBody as error:
        one.body = None
        return f"invalid_body:{error}"
    return None


def _informs(one: Opened, entry: Entry, raw: bytes) -> bool:
    """Another region's answer has no effect here: proven to be what was committed, and of the form the register reads.

    There are two of them for each finding and neighbour, so they are not validated in full; anything unusual is.
    Findings of one kind that were answered together were answered in the same words.
    """
    try:
        one.body = _said(entry.kind, peek_disclosure(entry.id, str(entry.body), raw))
    except (MeaningError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return True


@lru_cache(_SHARED)
def _said(kind: str, text: bytes) -> Json:
    """The body that these bytes are; a batch's answers share a few, which are read once, and nobody changes them.

    Raises ValueError, KeyError, TypeError or AttributeError for one that has not the plain form. Nothing of those is
    kept, so that what stays in memory names no organisation.
    """
    body: Json = orjson.loads(text)
    plain = body["schema"] == SCHEMA_OF[kind] and body.keys() == KEYS_OF[kind]
    plain = plain and all(_measure(measure) for measure in body.get("measures", ()))
    if not (plain and _token(body.get("reason", "-")) and _token(body.get("rule") or "-")):
        raise ValueError("not plain")
    return body


def _measure(measure: Json) -> bool:
    if measure.keys() != MEASURE_KEYS or measure["kind"] not in ("binding", "discretionary", "advisory"):
        return False
    days = measure["from"], measure["to"]
    dated = all(type(day) is str and len(day) == 10 and day[4] == day[7] == "-" for day in days)
    return dated and _token(measure["id"]) and _token(measure["basis"] or "-") and len(measure["responder"]) <= 100


def _token(text: object) -> bool:
    return type(text) is str and len(text) <= 64 and text.isascii() and text.isprintable()


def opens(leaf: bytes, raw: bytes) -> bool:
    """Whether a disclosure is the one that this leaf commits to."""
    try:
        entry = parse_entry(leaf)
        if isinstance(entry.body, list):
            open_items(entry.id, entry.body, raw)
        elif isinstance(entry.body, str):
            open_disclosure(entry.id, entry.body, raw)
        else:
            return False
    except MeaningError:
        return False
    return True
