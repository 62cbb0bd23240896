"""Erasure 删除 as the store keeps it: once an order is held, no disclosure that it covers is stored, by any route.

An order acts from its leaf alone (kind and ``ref``), in the log of the finding or honour it names; what is said of a
finding here is said of both. It covers every entry whose ``ref`` chain reaches the finding, in all logs, those that
come later included; of a batch of feedback, the items about such entries. What is stored is marked at once, in the
transaction that stores the order, so that nothing serves or reads it any more; the stage ``flows.erase`` then deletes
it. Orders and their answers are not covered: they are what shows that an erasure was ordered.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Connection

from syncd.errors import Retry
from syncd.ledger.disclosure import open_disclosure
from syncd.ledger.entry import Entry, MeaningError, Ref, parse_entry
from syncd.ledger.policy import Sealed
from syncd.store import seals
from syncd.store.bulk import upsert_tuples
from syncd.store.erasure_tables import erased_leaves, erasures
from syncd.store.reading import EntryRow, entries_about, entries_of
from syncd.store.register import fetch_among
from syncd.store.state import LogState
from syncd.store.statement import execute, execute_many
from syncd.store.vault import Vault

ORDERED, DONE = "erasure.ordered", "erasure.done"
NOT_COVERED: Final = frozenset({ORDERED, DONE})
ROOTS: Final = frozenset({"finding.issued", "honour.granted"})
"""What is erased whole: a finding 认定 or an honour 守信荣誉, with all that was said about it."""
STATES: Final = ("held", "off", "cleared", "gone", "done", "closed")
_ITEMS = b'{"items":'
_ABOUT = re.compile(rb'"about":"([0-9a-f]{64})"')


class Order(NamedTuple):
    """An order as it is held: where it stands, its finding, and how far its erasure has come here.

    ``state``: held → off (relief has acted) → cleared (disclosures are gone) → gone (the register has forgotten) →
    done (said so) → closed (all have). ``ground``, ``number`` and ``due`` are its body's, as far as that could be
    read. ``keys``: record keys that still have to be forgotten, a JSON list of hex.
    """

    leaf: bytes
    log: int
    idx: int
    id: str
    at: str
    finding: bytes
    state: str
    ground: str | None
    number: str | None
    due: str | None
    keys: str


class Plan(NamedTuple):
    """What a run of entries means for erasure: new orders, leaves newly covered, and which of the run are covered."""

    orders: Sequence[tuple[int, Entry]]
    leaves: Mapping[bytes, bytes]
    stored: Sequence[tuple[int, int]]
    covered: Collection[int]

    @property
    def touches(self) -> bool:
        """Whether anything is erased by it."""
        return bool(self.orders or self.covered)


class Meanwhile(Retry):
    """An order came between the reading by which disclosures were cut and the storing of them: cut them again."""


NOTHING: Final = Plan((), {}, (), frozenset())
"""No order is held here, and none comes."""
_UNTOUCHED: Final = Plan((), {}, (), frozenset())
_TRIES = 8
_ORDER = f"SELECT {', '.join(Order._fields)} FROM erasures"


def plan(
    conn: Connection,
    held: LogState,
    entries: Sequence[Entry | None],
    hashes: Sequence[bytes],
    disclosures: Sequence[bytes] = (),
    vault: Vault | None = None,
) -> Plan:
    """Which of these entries, about to be stored behind the ``held`` ones, must come without their disclosure."""
    ordered = [(n, one) for n, one in enumerate(entries) if one is not None and one.kind == ORDERED]
    if not ordered and not any_held(conn):
        return NOTHING
    orders = _valid(conn, held, ordered, entries, hashes, disclosures, vault)
    fresh = {bytes.fromhex(one.ref.leaf): bytes.fromhex(one.ref.leaf) for _, one in orders if one.ref is not None}
    stored = _chain(conn, [one.ref for _, one in orders if one.ref is not None], fresh)
    abouts = [bytes.fromhex(one.ref.leaf) for one in entries if one is not None and one.ref is not None]
    known = {**covered_by(conn, {*abouts, *hashes}), **fresh}
    covered = dict[int, Ref]()
    grown = True
    while grown:
        grown = False
        for n, (entry, leaf) in enumerate(zip(entries, hashes, strict=True)):
            root = _root(entry, leaf, known) if n not in covered else None
            if entry is not None and root is not None:
                covered[n] = Ref(held.origin, entry.id, leaf.hex())
                known[leaf] = fresh[leaf] = root
                grown = True
    if not orders and not covered:
        return _UNTOUCHED
    stored += _chain(conn, list(covered.values()), fresh)
    return Plan(orders, fresh, stored, frozenset(covered))


def _root(entry: Entry | None, leaf: bytes, known: Mapping[bytes, bytes]) -> bytes | None:
    """The erased finding that this entry leads to, as far as is known."""
    if entry is None or entry.kind in NOT_COVERED:
        return None
    return known.get(leaf) or (known.get(bytes.fromhex(entry.ref.leaf)) if entry.ref is not None else None)


def _valid(
    conn: Connection,
    held: LogState,
    ordered: Sequence[tuple[int, Entry]],
    entries: Sequence[Entry | None],
    hashes: Sequence[bytes],
    disclosures: Sequence[bytes],
    vault: Vault | None,
) -> list[tuple[int, Entry]]:
    """Only its own log, or that log's successor, orders an erasure; one that names anything else erases nothing.

    A leaf is in its own log where that is of the member whose place it names: any other can hold a copy of its bytes.
    """
    ends = {origin: end for sealed in seals.ends(conn).values() for origin, end in sealed.items()}
    refs = [one.ref for _, one in ordered if one.ref is not None and _speaks_for(held.origin, one.ref.log, ends)]
    if not refs:
        return []
    here = {Ref(held.origin, one.id, leaf.hex()) for one, leaf in zip(entries, hashes, strict=True)
            if one is not None and one.kind in ROOTS}  # fmt: skip
    rows = [row for row in entries_of(conn, refs) if row.id and row.kind in ROOTS]
    here |= {ref_to(row) for row in rows}
    about = {bytes.fromhex(ref.leaf) for ref in refs}
    said = [(one, leaf, text) for one, leaf, text in zip(entries, hashes, disclosures, strict=False)
            if one is not None and one.kind in ROOTS and leaf in about]  # fmt: skip
    texts = vault.open_each([row.sealed for row in rows])[0] if vault is not None else ()
    said += [(parse_entry(row.leaf), row.leaf_hash, text or b"") for row, text in zip(rows, texts, strict=False)]
    places = {leaf.hex(): place for one, leaf, text in said if (place := _place_said(one, text))}
    places |= _places(conn, about)
    return [(n, one) for n, one in ordered if one.ref in refs and one.ref in here
            and places.get(one.ref.leaf) in (None, held.owner)]  # fmt: skip


def _places(conn: Connection, leaves: Collection[bytes]) -> dict[str, str]:
    """Whose findings and honours these are, as far as the register knows, in whatever log it has read them."""
    rows = fetch_among(conn, "SELECT leaf, place FROM findings", "leaf", leaves)
    rows += fetch_among(conn, "SELECT t.leaf, l.owner FROM honours t JOIN logs l ON l.id = t.log", "t.leaf", leaves)
    return {leaf.hex(): place for leaf, place in rows}


def _place_said(entry: Entry, disclosure: bytes) -> str | None:
    """The place that a finding or honour names, where its disclosure is at hand and opens."""
    try:
        return str(open_disclosure(entry.id, str(entry.body), disclosure)["place"])
    except (MeaningError, KeyError):
        return None


def _speaks_for(origin: str, about: str, ends: Mapping[str, Sealed]) -> bool:
    """Whether a log orders erasures of what stands in log ``about``: itself, or its successor after a seal."""
    seen = set[str]()
    while origin != about and about not in seen and about in ends:
        seen.add(about)
        about = ends[about].successor or ""
    return origin == about


def _chain(conn: Connection, refs: Sequence[Ref], fresh: dict[bytes, bytes]) -> list[tuple[int, int]]:
    """Add to ``fresh`` every stored leaf that leads to these; returns the places of all of them, these included."""
    places = [(row.log, row.index) for row in entries_of(conn, refs)] if refs else []
    roots = {ref.leaf: fresh[bytes.fromhex(ref.leaf)] for ref in refs}
    while refs:
        found = [row for row in entries_about(conn, refs) if row.kind not in NOT_COVERED and row.leaf_hash not in fresh]
        for row in found:
            fresh[row.leaf_hash] = roots[row.leaf_hash.hex()] = roots[(row.ref or b"").hex()]
        places += [(row.log, row.index) for row in found]
        refs = [ref_to(row) for row in found]
    return places


def ref_to(row: EntryRow) -> Ref:
    """The ``ref`` by which another entry would name this one."""
    return Ref(row.origin, str(UUID(bytes=row.id)), row.leaf_hash.hex())


def write(conn: Connection, held: LogState, planned: Plan, hashes: Sequence[bytes]) -> None:
    """Hold what was planned, in the transaction that stores the entries behind the ``held`` ones."""
    if not planned.touches:
        return
    upsert_tuples(conn, erased_leaves, ("leaf", "finding"), list(planned.leaves.items()), ("leaf",), ())
    rows = [
        Order(hashes[n], held.id, held.size + n, one.id, one.at, bytes.fromhex(one.ref.leaf), "held", None, None, None,
              "[]") for n, one in planned.orders if one.ref is not None
    ]  # fmt: skip
    upsert_tuples(conn, erasures, Order._fields, rows, ("leaf",), ())
    execute_many(conn, "UPDATE disclosures SET state = 'erased' WHERE log = ? AND idx = ?", list(planned.stored))


def any_held(conn: Connection) -> bool:
    """Whether any order was ever held here."""
    return execute(conn, "SELECT 1 FROM erased_leaves LIMIT 1").scalar_one_or_none() is not None


def covered_by(conn: Connection, leaves: Collection[bytes]) -> dict[bytes, bytes]:
    """Those of these leaves that an erasure covers, each with its finding."""
    return {row[0]: row[1] for row in fetch_among(conn, "SELECT leaf, finding FROM erased_leaves", "leaf", leaves)}


def shed(
    conn: Connection,
    held: LogState,
    entries: Sequence[Entry | None],
    hashes: Sequence[bytes],
    disclosures: Sequence[bytes],
    vault: Vault,
) -> list[bytes]:
    """The disclosures of a run of entries without what an erasure covers, so that it is not even sealed."""
    planned = plan(conn, held, entries, hashes, disclosures, vault)
    if planned is NOTHING:
        return list(disclosures)
    kept = [b"" if n in planned.covered else text for n, text in enumerate(disclosures)]
    return without_items(conn, kept, planned.leaves)


def without_items(
    conn: Connection, disclosures: Sequence[bytes], fresh: Mapping[bytes, bytes] | None = None
) -> list[bytes]:
    """The same disclosures; in batches, the items about erased entries are null 置空."""
    batches = [text for text in disclosures if text.startswith(_ITEMS)]
    abouts = {bytes.fromhex(hexed.decode()) for text in batches for hexed in _ABOUT.findall(text)}
    gone = {leaf.hex() for leaf in (*covered_by(conn, abouts), *(fresh or {})) if leaf in abouts}
    return [_cut(text, gone) for text in disclosures] if gone else list(disclosures)


def ask_items(conn: Connection, disclosures: Sequence[bytes], fresh: Mapping[bytes, bytes] | None = None) -> None:
    """Raises ``Meanwhile`` if these disclosures, about to be stored, still have items about what is erased."""
    if without_items(conn, disclosures, fresh) != list(disclosures):
        raise Meanwhile(
            "An erasure was ordered while entries were being stored. Nothing of them was kept by this step; it is "
            "tried again by itself, without what is erased."
        )


def again(step: Callable[[], None]) -> None:
    """Cut and store once more where an order came in between. Raises ``Meanwhile`` if there is no end of them."""
    for _ in range(_TRIES):
        with suppress(Meanwhile):
            return step()
    return step()


def _cut(text: bytes, gone: Collection[str]) -> bytes:
    if not text.startswith(_ITEMS) or not any(hexed.decode() in gone for hexed in _ABOUT.findall(text)):
        return text
    try:
        rows: list[Any] = orjson.loads(text)["items"]
        kept = [None if row is not None and row["item"].get("about") in gone else row for row in rows]
    except (ValueError, KeyError, TypeError, AttributeError):
        return b""  # it names what is erased and cannot be read: it stays out, and is owed
    return orjson.dumps({"items": kept}, option=orjson.OPT_SORT_KEYS)


def orders(conn: Connection) -> list[Order]:
    """All orders that are held, oldest first."""
    return [Order(*row) for row in execute(conn, f"{_ORDER} ORDER BY at, log, idx")]


def open_orders(conn: Connection) -> list[Order]:
    """Orders that are not closed: something is still to be done here, or to be heard from a member. Oldest first."""
    return [Order(*row) for row in execute(conn, f"{_ORDER} WHERE state <> 'closed' ORDER BY at, log, idx")]


def order_of(conn: Connection, finding: bytes) -> Order | None:
    """The first order about a finding, if one is held."""
    row = execute(conn, f"{_ORDER} WHERE finding = ? ORDER BY at, log, idx LIMIT 1", (finding,)).one_or_none()
    return None if row is None else Order(*row)


def move(conn: Connection, order: Order) -> None:
    """Store how far an order has come, and what its body says."""
    execute(
        conn,
        "UPDATE erasures SET state = ?, ground = ?, number = ?, due = ?, keys = ? WHERE leaf = ?",
        (order.state, order.ground, order.number, order.due, order.keys, order.leaf),
    )
