"""What stands in no log: checkpoints cosigned as a witness 见证, and evidence of misbehaviour 违规证据.

Both carry the signatures of the logs they are about. What is wrong with them comes back from a backup only.
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection

from syncd.flows.bureau import Bureau
from syncd.flows.misbehaviour import SENTENCES
from syncd.fsck.faults import Fault
from syncd.fsck.walk import Row, rows_of
from syncd.ledger.canonical import FormatError, hash_of_base64
from syncd.ledger.checkpoint import Checkpoint
from syncd.ledger.notes import BadSignature, NoteVerifier, parse_note, verify_note
from syncd.ledger.tree import ProofError, roots_of_proof
from syncd.ledger.witnessing import outsiders_checkpoint
from syncd.store.evidence import digest_of
from syncd.store.sizes import SignedSize
from syncd.store.witness_tables import evidence, witnessed

Logs = Mapping[str, Sequence[NoteVerifier]]


def check_witnessed(conn: Connection, logs: Logs) -> Iterator[Fault]:
    """Each cosigned checkpoint says the size and root it is kept under, and a key of its log signed it.

    ``logs``: the outsiders' logs that the settings name; of others only what the note says is compared.
    """
    for row in rows_of(conn, witnessed, ("origin", "size")):
        shown = _shown(row["note"])
        place = f"{row['origin']}@{row['size']}"
        if shown is None:
            yield Fault("witnessed", place, "note_unreadable")
        elif shown != Checkpoint(row["origin"], row["size"], row["root"]):
            yield Fault("witnessed", place, "note_differs")
        elif row["origin"] in logs and not _signed(row["note"], logs[row["origin"]]):
            yield Fault("witnessed", place, "note_signature_wrong")


def check_evidence(bureau: Bureau, conn: Connection) -> Iterator[Fault]:
    """Each piece of evidence is whole, and proves what it is said to prove."""
    for row in rows_of(conn, evidence, ("id",)):
        wrong = _wrong(bureau, row)
        if wrong:
            yield Fault("evidence", f"evidence {row['id']} of {row['log']}", wrong)


def _wrong(bureau: Bureau, row: Row) -> str:
    if digest_of(row["log"], row["code"], row["held"], row["shown"]) != row["digest"]:
        return "digest_differs"
    try:
        keys = [NoteVerifier.parse(vkey) for vkey in row["keys"].split("\n") if vkey]
        proof = [hash_of_base64(step) for step in row["proof"].split("\n") if step]
    except FormatError:
        return "keys_or_proof_unreadable"
    shown, held = _shown(row["shown"]), _shown(row["held"])
    if shown is None or (row["held"] and held is None) or row["code"] not in SENTENCES:
        return "notes_unreadable"
    if not _signed(row["shown"], keys):
        return "note_signature_wrong"
    if row["shown_by"] not in (*bureau.members, "witness"):
        return "shown_by_differs"
    if held is not None and bool(row["proven"]) != _proves(row, held, shown, keys, proof):
        return "proof_differs"
    return ""


def _proves(
    row: Row, held: Checkpoint, shown: Checkpoint, keys: Sequence[NoteVerifier], proof: Sequence[bytes]
) -> bool:
    """Whether the two notes, with the proof, exclude each other."""
    if held.size == shown.size:
        return held.root != shown.root and _signed(row["held"], keys)
    if row["code"] != "split_view":
        return False
    small, large = sorted((held, shown), key=lambda one: one.size)
    try:
        roots = roots_of_proof(small.size, large.size, proof)
    except ProofError:
        return False
    return roots is None or (roots[0] != small.root and roots[1] == large.root)


def _shown(note: bytes) -> Checkpoint | None:
    try:
        return outsiders_checkpoint(parse_note(note).text)
    except FormatError:
        return None


def _signed(data: bytes, keys: Sequence[NoteVerifier]) -> bool:
    note = parse_note(data)
    for key in keys:
        try:
            verify_note(note, key)
            return True
        except BadSignature:
            continue
    return False


def check_last(conn: Connection, signed: Mapping[str, SignedSize]) -> Iterator[Fault]:
    """What was cosigned last of each outsider's log is what the file of signed sizes says, or what came after it."""
    for origin, known in signed.items():
        query = witnessed.select().where(witnessed.c.origin == origin).order_by(witnessed.c.size.desc()).limit(1)
        last = conn.execute(query).one_or_none()
        if last is not None and known.size > last.size:
            yield Fault("sizes", origin, "store_older", detail=f"signed {known.size}, held {last.size}")
        elif last is not None and known.size == last.size and known.root != last.root:
            yield Fault("sizes", f"{origin}@{known.size}", "other_root")
