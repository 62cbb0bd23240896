"""A node's own keys 密钥 as its folder and its store show them together: which sign, come next, or are retired."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from syncd import keyring
from syncd.agreement.member import Member, format_member, with_fingerprint
from syncd.agreement_files import put_member, read_members
from syncd.errors import Stop
from syncd.ledger.key_history import ROLES, KeySpan, active, base, log_keys
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner, NoteVerifier
from syncd.reading import open_books
from syncd.renewal import valid_until
from syncd.settings import Settings
from syncd.store import checkpoints, member_keys

Json = dict[str, Any]


def key_list(settings: Settings) -> list[Json]:
    """Every key of the node: role, vkey, state, file, whether the file is wrapped. Raises as ``keyring.load``."""
    member, spans = _own(settings), _history(settings)
    found = [one for role in ROLES for one in _of_role(settings, member, spans, role)]
    (path, private), *_ = keyring.signing_keys(settings.data / "keys", "witness", settings.passphrase)
    name = NoteVerifier.parse(member.witness_vkey).name
    found.append(_row("witness", "signs", NoteSigner(name, private, COSIGNATURE_KEY).vkey, path))
    if member.sm2_vkey:
        found.append(
            _row("sm2", "signs" if settings.node.sm2 else "unused", member.sm2_vkey, _held(settings, "sm2.key"))
        )
    return found


def waiting_for(settings: Settings) -> list[str]:
    """The members whose countersignature a rotation under way waits for; empty if none is under way."""
    spans = _history(settings)
    firsts = [span.first for span in spans if span.last is None and span.vkey in _replacing(spans)]
    if not firsts:
        return []
    with open_books(settings) as books, books.store.read() as conn:
        signed = checkpoints.countersigned_by_all(conn, books.members[books.code].origin)
        return sorted(code for code in books.agreement.members if signed.get(code, 0) < max(firsts))


def renew(settings: Settings, what: str) -> Json:
    """A new TLS certificate and key (``tls``), or the CA's certificate anew and a new member file (``ca``).

    Raises as ``keyring.renew_tls``. Returns the file, until when it is valid, and the fingerprint where one was made.
    """
    member, folder = _own(settings), settings.data / "keys"
    if what == "tls":
        made = keyring.renew_tls(folder, member.code, member.url)
        return {"file": str(made), "until": valid_until(made).date().isoformat(), "fingerprint": None}
    following = with_fingerprint(replace(member, tls_ca_pem=keyring.renew_ca(folder, member.code)))
    file = settings.data / f"member-{member.code}.toml"
    file.write_text(format_member(following), "utf-8")
    put_member(settings.path(settings.node.agreement), following)
    until = valid_until(folder / "ca.crt").date().isoformat()
    return {"file": str(file), "until": until, "fingerprint": following.fingerprint}


class NextKey(NamedTuple):
    """The key that comes next; ``made``: its file was made just now."""

    file: Path
    vkey: str
    made: bool


def next_key(settings: Settings, role: str) -> NextKey:
    """The file and vkey of the key that comes next: one that was made and never used, or a new one.

    What lay in the folder before the newest key in use is left alone: after a seal, who stole one may have them all.
    """
    member, folder = _own(settings), settings.data / "keys"
    rows = {one["file"]: one for one in _of_role(settings, member, _history(settings), role)}
    unused = list[Json]()
    for path in keyring.signing_files(folder, role):
        unused = [*unused, rows[str(path)]] if rows[str(path)]["state"] == "unused" else []
    if unused:
        return NextKey(Path(unused[0]["file"]), str(unused[0]["vkey"]), False)
    path, private = keyring.add_signing_key(folder, role, settings.passphrase)
    return NextKey(path, NoteSigner(_name(member, role), private, ROLES[role]).vkey, True)


def forget_key(settings: Settings, one: NextKey) -> None:
    """After a refusal: remove the file that was made for the asking, unless an entry names its key all the same."""
    if one.made and all(span.vkey != one.vkey for span in _history(settings)):
        one.file.unlink()


def log_signers(settings: Settings) -> list[NoteSigner]:
    """The keys of the node's log that sign now, the older first where one replaces another.

    Raises as ``keyring.load``, and ``Stop`` where the file of one is gone.
    """
    member, spans = _own(settings), _history(settings)
    held = keyring.signing_keys(settings.data / "keys", "log", settings.passphrase)
    files = {one.vkey: one for _, private in held for one in [NoteSigner(member.origin, private, LOG_KEY)]}
    present = log_keys(spans, member.origin)
    wanted = [vkey for vkey in active(spans, "log") if vkey in present] or [member.log_vkey]
    if missing := [vkey for vkey in wanted if vkey not in files]:
        raise Stop(f"The file of the log key {missing[0]} is not in the node's folder of keys. Nothing was signed.")
    return [files[vkey] for vkey in wanted]


def certificates(settings: Settings) -> list[Json]:
    """The node's certificates and until when they are valid (UTC)."""
    found, folder = [], settings.data / "keys"
    for path in (folder / "ca.crt", keyring.tls_files(folder)[0]):
        until = valid_until(path)
        left = (until - dt.datetime.now(dt.UTC)).days
        found.append({"file": path.name, "until": until.date().isoformat(), "days_left": left})
    return found


def _held(settings: Settings, name: str) -> Path | None:
    path = settings.data / "keys" / name
    return path if path.exists() else None


def _own(settings: Settings) -> Member:
    return read_members(settings.path(settings.node.agreement))[settings.node.code]


def _history(settings: Settings) -> Sequence[KeySpan]:
    with open_books(settings) as books, books.store.read() as conn:
        own = books.members[books.code]
        return member_keys.history(conn).get(books.code) or [
            base("log", own.log_vkey),
            base("receipt", own.receipt_vkey),
        ]


def _replacing(spans: Sequence[KeySpan]) -> set[str]:
    return {signing[1] for role in ROLES if len(signing := active(spans, role)) == 2}


def _name(member: Member, role: str) -> str:
    return member.origin if role == "log" else NoteVerifier.parse(member.receipt_vkey).name


def _of_role(settings: Settings, member: Member, spans: Sequence[KeySpan], role: str) -> list[Json]:
    """A key is known by its public half: that of a sealed log bears another name, and is never unused again."""
    files = {
        _public(vkey): (vkey, path)
        for path, private in keyring.signing_keys(settings.data / "keys", role, settings.passphrase)
        for vkey in [NoteSigner(_name(member, role), private, ROLES[role]).vkey]
    }
    signing, ever = active(spans, role), list(dict.fromkeys(span.vkey for span in spans if span.role == role))
    rows = [_row(role, _state(vkey, signing), vkey, files.get(_public(vkey), ("", None))[1]) for vkey in ever]
    used = {_public(vkey) for vkey in ever}
    return rows + [_row(role, "unused", vkey, path) for half, (vkey, path) in files.items() if half not in used]


def _public(vkey: str) -> str:
    return vkey.split("+", 2)[2]  # the last part may hold a + itself


def _state(vkey: str, signing: Sequence[str]) -> str:
    if vkey not in signing:
        return "retired"
    return "next" if len(signing) == 2 and vkey == signing[1] else "signs"


def _row(role: str, state: str, vkey: str, path: Path | None) -> Json:
    wrapped = path is not None and keyring.is_wrapped(path.read_bytes())
    return {"role": role, "state": state, "vkey": vkey, "file": str(path) if path else None, "wrapped": wrapped}
