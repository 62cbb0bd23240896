"""Sealing by command 封存: checks the successor's member file, or makes it where the sealed log is this node's own.

The order is such that a crash leaves a state from which the same command goes on: at one's own node first the new key
and member file, then the entry in the new log; at another's first the entry, then the file. A running daemon takes the
file up by itself.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from syncd import keyring, sm2_file
from syncd.agreement.member import Member, format_member, load_member, same_fingerprint, with_fingerprint
from syncd.agreement_files import put_member, read_members
from syncd.asking import ask
from syncd.errors import NeedsPerson, Refuse
from syncd.knock import daemon_answers
from syncd.ledger.canonical import b64
from syncd.ledger.notes import LOG_KEY, NoteSigner
from syncd.reading import open_store
from syncd.settings import Settings
from syncd.store import seals

Json = dict[str, Any]


def seal(settings: Settings, log: str, file: Path | None, fingerprint: str, args: Json, wait: float) -> Json:
    """Seal ``log``; returns the job's answer with the new member file and its fingerprint where one was made.

    Raises ``NeedsPerson`` and ``Refuse`` with what to do; nothing is sealed then.
    """
    members = read_members(settings.path(settings.node.agreement))
    member = next((one for one in members.values() if log.rpartition("/")[0] == one.origin.rpartition("/")[0]), None)
    if member is None:
        raise NeedsPerson(f"No member has a log {log}; `syncd member list` shows them. Nothing was sealed.")
    if member.code == settings.node.code:
        return _own(settings, member, log, args, wait)
    following = _following(member, log, file, fingerprint) if file is not None else None
    job = {**args, "log": log, "successor": _named(following), "keys": [member.log_vkey]}
    done = _entered(settings, member, log, following) if following is not None else None
    answer = done or ask(settings, "keys.seal", job, wait)
    if following is not None:
        put_member(settings.path(settings.node.agreement), following)
        daemon_answers(settings.data)  # it looks at the members' files when it is woken
    return {**answer, "member_file": None, "fingerprint": None}


def _entered(settings: Settings, member: Member, log: str, following: Member) -> Json | None:
    """The answer of an earlier command that ended between the entry and the file; None where there was none."""
    if member.origin != log:
        return None
    store = open_store(settings)
    try:
        with store.read() as conn:
            end = seals.ends(conn).get(member.code, {}).get(log)
    finally:
        store.close()
    if end is None or end.successor != following.origin:
        return None
    result = {"log": log, "size": end.size, "root": b64(end.root), "successor": end.successor}
    return {"job": None, "by": "command", "result": result, "left": {}}


def _own(settings: Settings, member: Member, log: str, args: Json, wait: float) -> Json:
    before = settings.data / f"member-{member.code}.sealed.toml"
    if member.origin == log:
        before.write_text(format_member(member), "utf-8")
        member = _next_epoch(settings, member)
        (settings.data / f"member-{member.code}.toml").write_text(format_member(member), "utf-8")
        put_member(settings.path(settings.node.agreement), member)
    old = load_member(before.read_bytes())
    job = {**args, "log": log, "successor": _named(member), "keys": [old.log_vkey]}
    answer = ask(settings, "keys.seal", job, wait)
    made = settings.data / f"member-{member.code}.toml"
    return {**answer, "member_file": str(made), "fingerprint": member.fingerprint}


def _next_epoch(settings: Settings, member: Member) -> Member:
    name, _, epoch = member.origin.rpartition("/")
    origin = f"{name}/{int(epoch) + 1}"
    _, private = keyring.add_signing_key(settings.data / "keys", "log", settings.passphrase)
    log_vkey = NoteSigner(origin, private, LOG_KEY).vkey
    second = sm2_file.vkey(settings.data / "keys", origin, settings.passphrase) if member.sm2_vkey else ""
    return with_fingerprint(replace(member, origin=origin, log_vkey=log_vkey, sm2_vkey=second))


def _following(member: Member, log: str, file: Path, fingerprint: str) -> Member:
    """The successor's member file, once its fingerprint is confirmed and it is the next epoch with another key."""
    try:
        following = load_member(file.read_bytes())
    except OSError as error:
        raise NeedsPerson(f"The file {file} cannot be read ({error.strerror}). Nothing was sealed.") from None
    if not same_fingerprint(fingerprint, following.fingerprint):
        raise Refuse(
            f"The fingerprint given is not that of {file.name}. Nothing was sealed; compare all sixteen groups with "
            "the bureau over the telephone."
        )
    name, _, epoch = log.rpartition("/")
    expected = f"{name}/{int(epoch) + 1}" if epoch.isdigit() else ""
    same_key = following.log_vkey.split("+", 2)[2] == member.log_vkey.split("+", 2)[2]
    if following.origin != expected or (same_key and member.origin == log):
        raise Refuse(
            f"{file.name} introduces {following.origin}; the successor of {log} is {expected}, with a new log key. "
            "Nothing was sealed."
        )
    return following


def _named(member: Member | None) -> Json | None:
    if member is None:
        return None
    return {"origin": member.origin, "log": member.log_vkey, "receipt": member.receipt_vkey}
