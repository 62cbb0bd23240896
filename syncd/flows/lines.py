"""Members' lines 会签行 under checkpoints: how they travel from the owner of a log to every mirror (LEDGER §6).

The owner alone receives every member's line; a batch carries those collected so far, and once a size has all of them an
empty batch takes them to each mirror. A line is verified over the root that is held here, never over what was sent.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from syncd.flows.bureau import Bureau, Peer
from syncd.ledger.accept import IntegrityError
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from syncd.ledger.key_history import log_keys
from syncd.ledger.notes import BadSignature, Note, NoteVerifier, format_note, parse_note, read_line, verify_note
from syncd.store.checkpoints import CheckpointRow

Line = tuple[int, str, str, int]
"""A verified line: size, member's code, the line, the member's Unix seconds."""


def with_lines(bureau: Bureau, conn: Connection, origin: str, listed: CheckpointRow) -> bytes:
    """The signed note of a listed size, with every line held under it."""
    note = parse_note(listed.note or b"")
    held = [one.line for one in bureau.logs.cosignatures(conn, origin, listed.size)]
    return format_note(note.text, [*note.lines, *(line for line in held if line not in note.lines)])


def lines_of(bureau: Bureau, held: Checkpoint, notes: Iterable[bytes]) -> list[Line]:
    """Other members' lines in these notes that verify over the checkpoint ``held`` here; the rest is left out."""
    text, found = format_checkpoint(held), dict[str, Line]()
    for data in notes:
        note = parse_note(data)
        if parse_checkpoint(note.text) != held:
            continue
        for member in bureau.members.values():
            if member.code == bureau.code or member.code in found:
                continue
            for line in note.lines:
                stamp = stamp_of(member.receipt_keys(held.origin, held.size), text, line)
                if stamp is not None:
                    found[member.code] = (held.size, member.code, line, stamp)
    return list(found.values())


def stamp_of(keys: Iterable[NoteVerifier], text: str, line: str) -> int | None:
    """The Unix seconds of a cosignature line, if one of these keys made it over this text."""
    try:
        return next((key.verify(text, line) for key in keys if line and key.made(line)), None)
    except (BadSignature, FormatError):
        return None


def verify_log(
    owner: Peer, note: Note, size: int, also: Note | None = None, more: Sequence[NoteVerifier] = ()
) -> NoteVerifier:
    """The owner's key, good at that size, by which ``note`` is signed; rather one that has signed ``also`` too.

    ``more``: keys to be tried beside those known. Raises BadSignature if there is none, or it did not make its line.
    """
    made = [key for key in (*owner.log_keys(size), *more) if any(key.made(line) for line in note.lines)]
    both = [key for key in made if also is not None and any(key.made(line) for line in also.lines)]
    if not made:
        raise BadSignature(f"The note carries no line of {owner.origin} that is good at size {size}.")
    verify_note(note, (both or made)[0])
    return (both or made)[0]


def keys_in(owner: Peer, note: Note) -> list[NoteVerifier]:
    """The keys that the owner's log ever had of which a note bears a line; none where it bears a later one alone.

    Raises BadSignature where it bears no line in the log's name at all.
    """
    if all(read_line(line)[0] != owner.origin for line in note.lines):
        raise BadSignature(f"The note carries no line of {owner.origin}.")
    known = [NoteVerifier.parse(vkey) for vkey in log_keys(owner.history(), owner.origin)]
    return [key for key in known if any(key.made(line) for line in note.lines)]


def key_of_batch(owner: Peer, note: Note, size: int, newest: Note, go_on_from: int | None) -> NoteVerifier:
    """The owner's key that has signed a batch; rather one that has signed its newest checkpoint too.

    A store that has gone back may meet a key which entries that it lost introduce: then the batch starts elsewhere, and
    IntegrityError says where to ``go_on_from``. Raises BadSignature else.
    """
    try:
        return verify_log(owner, note, size, newest if owner.spans else None)
    except BadSignature:
        if go_on_from is None or keys_in(owner, note):
            raise
    sentence = f"{go_on_from} entries of {owner.origin} are held; go on from there."
    raise IntegrityError("size_conflict", sentence, go_on_from)


def keep(bureau: Bureau, conn: Connection, origin: str, lines: Iterable[Line]) -> None:
    """Keep verified lines; the first of each member at each size stays for ever."""
    now = bureau.clock()
    for size, code, line, stamp in lines:
        bureau.logs.add_cosignature(conn, origin, size, code, line, stamp, now)


def missing_lines(bureau: Bureau, conn: Connection, origin: str, notes: Iterable[bytes]) -> list[Line]:
    """Lines in these notes under sizes listed here, from members whose line is not held there yet."""
    notes, found = list(notes), list[Line]()
    for size in {parse_checkpoint(parse_note(data).text).size for data in notes}:
        listed = bureau.logs.checkpoint(conn, origin, size)
        if listed is not None:
            held = {one.member for one in bureau.logs.cosignatures(conn, origin, size)}
            lines = lines_of(bureau, Checkpoint(origin, size, listed.root), notes)
            found += [line for line in lines if line[1] not in held]
    return found


def complete_after(bureau: Bureau, conn: Connection, told: int) -> int | None:
    """The first size of one's own log above ``told`` with every member's line: a stop, or the newest size."""
    origin = bureau.origin
    owed = bureau.owing
    signed = min(bureau.logs.countersigned(conn, origin, code) for code in owed)
    if signed <= told:
        return None
    return bureau.logs.complete_between(conn, origin, told, signed, owed)
