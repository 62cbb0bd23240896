"""Signatures 签署 under a version of the agreement, as files that members exchange by hand.

A file ``members/agreement-<version>-<code>.note`` is a signed note (C2SP) over five lines, by the keys of the member's
log that sign then: ``syncd/agreement/v1``, id, version, digest, effective from. No checkpoint has five lines, so a
signature can never be taken for one. A key replaced since 换钥 counts still; one of a sealed log 封存 does not.
What takes effect is ``agreement.adopted`` in the log of each member; the file lets an office see who agrees.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from syncd.agreement.member import Member
from syncd.agreement.model import Agreement
from syncd.ledger.canonical import FormatError
from syncd.ledger.key_history import KeySpan, log_keys
from syncd.ledger.notes import BadSignature, Note, NoteSigner, NoteVerifier, format_note, parse_note, verify_note

HEAD = "syncd/agreement/v1"
State = Literal["signed", "missing", "wrong", "unknown_key"]


def signed_text(agreement: Agreement) -> str:
    """The five lines that a member signs."""
    lines = HEAD, agreement.id, str(agreement.version), agreement.digest, agreement.effective_from.isoformat()
    return "".join(f"{line}\n" for line in lines)


def put_signature(folder: Path, agreement: Agreement, code: str, signers: Sequence[NoteSigner]) -> Path:
    """Write this member's own signature beside its member file; whole or not at all."""
    text, target = signed_text(agreement), path_of(folder, agreement, code)
    target.parent.mkdir(exist_ok=True)
    fresh = target.with_name(target.name + ".new")
    fresh.write_bytes(format_note(text, [one.sign(text) for one in signers]))
    fresh.replace(target)
    return target


def path_of(folder: Path, agreement: Agreement, code: str) -> Path:
    """Where a member's signature lies, in the folder that holds the local ``members/``."""
    return folder / "members" / f"agreement-{agreement.version}-{code}.note"


def signatures(
    folder: Path, agreement: Agreement, members: Mapping[str, Member], keys: Mapping[str, Sequence[KeySpan]]
) -> dict[str, State]:
    """Who of the members that a version names has signed it by hand: the file is there, over this text, by its key.

    ``keys``: the history of the members' keys, as their logs tell it.
    """
    return {
        code: _state(path_of(folder, agreement, code), agreement, members.get(code), keys.get(code, ()))
        for code in agreement.members
    }


def _state(path: Path, agreement: Agreement, member: Member | None, spans: Sequence[KeySpan]) -> State:
    if member is None:
        return "unknown_key"
    if not path.exists():
        return "missing"
    try:
        note = parse_note(path.read_bytes())
    except FormatError:
        return "wrong"
    signed = any(_by(note, vkey) for vkey in {member.log_vkey, *log_keys(spans, member.origin)})
    return "signed" if signed and note.text == signed_text(agreement) else "wrong"


def _by(note: Note, vkey: str) -> bool:
    try:
        verify_note(note, NoteVerifier.parse(vkey))
    except (FormatError, BadSignature):
        return False
    return True
