"""Signed notes 签名便笺 and lines 会签行 in the store: each is verified again over the root that is listed here.

Lines of keys that nobody here knows are passed over in a note, as every reader does; a line in a table of its own names
who made it, so there it must verify. Of an outside witness whose key is no longer in the file of witnesses only the
form is known, and that another line bears the same key.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from syncd.flows.bureau import Bureau, Peer
from syncd.flows.lines import stamp_of, verify_log
from syncd.fsck.beside import root_of
from syncd.fsck.faults import Fault, Told
from syncd.fsck.walk import rows_of
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.notes import BadSignature, Note, NoteVerifier, parse_note, read_line, verify_note
from syncd.store.state import LogState
from syncd.store.tables import checkpoints, cosignatures
from syncd.store.witness_tables import fresh_lines, witness_lines

_STAMP_BYTES, _SIGNATURE_BYTES = 8, 64


def check_notes(bureau: Bureau, conn: Connection, state: LogState, told: Told) -> Iterator[Fault]:
    """Each signed note says the size and root it is listed under, and the lines of known keys in it verify."""
    owner, keys = bureau.owner(state.origin), _all_keys(bureau)
    for row in rows_of(conn, checkpoints, ("size",), checkpoints.c.log == state.id, checkpoints.c.note.is_not(None)):
        place, text = f"{state.origin}@{row['size']}", _text(state, row["size"], row["root"])
        try:
            note = parse_note(row["note"])
        except FormatError:
            yield Fault("lines", place, "note_unreadable")
            continue
        if note.text != text:
            yield Fault("lines", place, "note_differs")
        elif not _verified(owner, note, row["size"], keys):
            yield Fault("lines", place, "note_signature_wrong")
        told("lines 签名", 1)


def _all_keys(bureau: Bureau) -> Sequence[NoteVerifier]:
    """Every key that a member ever had, whatever it covers."""
    spans = [span for peer in bureau.members.values() for span in peer.history()]
    members = [NoteVerifier.parse(vkey) for vkey in dict.fromkeys(span.vkey for span in spans)]
    return [*members, *(one.key for one in bureau.outside)]


def _verified(owner: Peer | None, note: Note, size: int, keys: Sequence[NoteVerifier]) -> bool:
    try:
        if owner is not None:
            verify_log(owner, note, size)
        for key in keys:
            if any(key.made(line) for line in note.lines):
                verify_note(note, key)
    except (BadSignature, FormatError):
        return False
    return True


def check_cosignatures(bureau: Bureau, conn: Connection, state: LogState, told: Told) -> Iterator[Fault]:
    """Each member's first line under a listed size was made by its key over that root, at the time that is noted."""
    joined = cosignatures.outerjoin(
        checkpoints, (checkpoints.c.log == cosignatures.c.log) & (checkpoints.c.size == cosignatures.c.size)
    )
    query = (
        select(cosignatures, checkpoints.c.root)
        .select_from(joined)
        .where(cosignatures.c.log == state.id)
        .order_by(cosignatures.c.size, cosignatures.c.member)
    )
    for row in conn.execute(query, execution_options={"yield_per": 1_000}):
        place = f"{state.origin}@{row.size} {row.member}"
        wrong = _judge(bureau, state, row, row.root)
        if wrong:
            yield Fault("lines", place, f"cosignature_{wrong}")
        told("lines 签名", 1)


def check_fresh(bureau: Bureau, conn: Connection, state: LogState) -> Iterator[Fault]:
    """Each member's newest line verifies; one that does not may go, for members give another within the hour."""
    for row in conn.execute(fresh_lines.select().where(fresh_lines.c.log == state.id).order_by(fresh_lines.c.member)):
        root = root_of(bureau, conn, state, row.size) if row.size <= state.size else None
        wrong = _judge(bureau, state, row, root)
        if wrong:
            yield Fault("lines", f"{state.origin} fresh {row.member}", f"fresh_{wrong}", derivable=True)


def mend_fresh(conn: Connection, faults: Sequence[Fault], logs: Sequence[LogState]) -> None:
    """Let such lines go."""
    ids = {state.origin: state.id for state in logs}
    for fault in faults:
        origin, _, member = fault.record.split(" ", 2)
        conn.execute(fresh_lines.delete().where(fresh_lines.c.log == ids[origin], fresh_lines.c.member == member))


def _judge(bureau: Bureau, state: LogState, row: Any, root: bytes | None) -> str:
    member = bureau.members.get(row.member)
    if root is None:
        return "size_unknown"
    if member is None:
        return "member_unknown"
    stamp = stamp_of(member.receipt_keys(state.origin, row.size), _text(state, row.size, root), row.line)
    if stamp is None:
        return "signature_wrong"
    return "time_differs" if stamp != row.timestamp else ""


def check_outside(bureau: Bureau, conn: Connection, state: LogState) -> Iterator[Fault]:
    """Each outside witness's first line under a size verifies under the key that the file of witnesses names."""
    keys = {one.name: one.key for one in bureau.outside}
    others, firsts = Counter[tuple[str, bytes]](), dict[tuple[str, bytes], str]()
    for row in rows_of(conn, witness_lines, ("size", "witness"), witness_lines.c.log == state.id):
        place, key = f"{state.origin}@{row['size']} {row['witness']}", keys.get(row["witness"])
        made = _form(row["line"], row["timestamp"])
        root = root_of(bureau, conn, state, row["size"]) if row["size"] <= state.size else None
        if made is None or root is None:
            yield Fault("lines", place, "witness_line_unreadable" if root else "witness_size_unknown")
        elif key is not None and made == (key.name, key.key_id):
            if stamp_of([key], _text(state, row["size"], root), row["line"]) is None:
                yield Fault("lines", place, "witness_signature_wrong")
        elif key is not None and made[0] != key.name:
            yield Fault("lines", place, "witness_name_differs")
        else:
            others[row["witness"], made[1]] += 1
            firsts.setdefault((row["witness"], made[1]), place)
    for name, count in others.items():
        if count == 1:
            yield Fault("lines", firsts[name], "witness_key_unknown", detail="no other line was made by this key")


def _form(line: str, seconds: int) -> tuple[str, bytes] | None:
    """Name and key id of a line that has the form of a cosignature and bears that time."""
    try:
        name, key_id, signed = read_line(line)
    except FormatError:
        return None
    fits = len(signed) == _STAMP_BYTES + _SIGNATURE_BYTES and int.from_bytes(signed[:_STAMP_BYTES], "big") == seconds
    return (name, key_id) if fits else None


def _text(state: LogState, size: int, root: bytes) -> str:
    return format_checkpoint(Checkpoint(state.origin, size, root))
