"""The waist: reads settings, builds everything once."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from adapters.source import Source
from syncd import keyring, sm2_file
from syncd.agreement.member import Member
from syncd.agreement_files import Versions, read_agreement, read_members
from syncd.errors import NeedsPerson
from syncd.flows.bureau import Bureau, Peer, Signers
from syncd.flows.witness import Witness
from syncd.home_system import open_source
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner, NoteVerifier
from syncd.ledger.sm2 import Sm2Verifier
from syncd.settings import Settings
from syncd.store.engine import Store
from syncd.store.logs import Logs
from syncd.store.sizes import SignedSizes
from syncd.store.vault import Vault
from syncd.store.versions import keys_in, timeline_of
from syncd.witness_config import outside_of, witnessed_of


@dataclass
class Built:
    """A node, ready to start: its bureau, its member files, and its source if it has one."""

    settings: Settings
    bureau: Bureau
    members: Mapping[str, Member]
    keys: keyring.Keyring
    source: Source | None
    witness: Witness | None


def build(settings: Settings, wake: Callable[[str], None], notice: Callable[[str, dict[str, Any]], None]) -> Built:
    """Build a node; raises ``NeedsPerson`` or ``Stop`` with what is missing. Opens the store, contacts nobody."""
    folder = settings.path(settings.node.agreement)
    agreement = read_agreement(folder)
    keys = keyring.load(settings.data / "keys", settings.passphrase)
    members = read_members(folder)
    versions = Versions(settings.path(settings.node.versions), agreement.id)
    missing = sorted(set(agreement.members) - set(members))
    if missing:
        raise NeedsPerson(
            f"The agreement names {', '.join(missing)}, but their member files are not in {folder / 'members'}. "
            "Nothing was started; take each bureau's member file and run `syncd member add`."
        )
    store = Store.open(settings.store_url)
    known = {code: keys_in(member) for code, member in members.items()}
    with store.read() as conn:
        held = timeline_of(conn, [*versions(), agreement], known)
    vault = Vault(settings.data / settings.store.keys, keys.node_key)
    bureau = Bureau(
        code=settings.node.code,
        agreement=agreement,
        members={code: peer_of(members[code]) for one in held.held for code in one.members if code in members},
        store=store,
        logs=Logs(store, vault),
        vault=vault,
        open_sizes=lambda: SignedSizes(settings.data / "signed-sizes"),
        new_sizes=lambda: SignedSizes.anew(settings.data / "signed-sizes"),
        signers=_signers(settings, members[settings.node.code], keys),
        clock=lambda: dt.datetime.now(dt.UTC),
        wake=wake,
        allow_candidates=settings.node.allow_candidates,
        has_home=settings.source is not None,
        outside=outside_of(settings),
        cross_check_seconds=settings.watch.cross_check_minutes * 60,
        provisional_seconds=settings.watch.provisional_minutes * 60,
        notice=notice,
        timeline=held,
        find_versions=versions,
    )
    witness = _witness(settings, bureau)
    return Built(settings, bureau, members, keys, open_source(settings, keys.row_key), witness)


def _witness(settings: Settings, bureau: Bureau) -> Witness | None:
    """The witness of outsiders' logs, where the settings name any; a member's log is none."""
    logs = witnessed_of(settings)
    both = sorted(set(logs) & set(bureau.origins))
    if both:
        raise NeedsPerson(
            f"{settings.witness.logs} names a member's own log, {both[0]}. Nothing was started; remove it."
        )
    return Witness(bureau, bureau.signers.witness, logs) if logs and bureau.signers.witness is not None else None


def _signers(settings: Settings, own: Member, keys: keyring.Keyring) -> Signers:
    """The keys that the node's own member file introduces; what has replaced them since stands in its log."""
    name = NoteVerifier.parse(own.receipt_vkey).name
    found = {one.vkey: one for one in spare_signers(settings, own.origin, name)}
    if own.log_vkey not in found or own.receipt_vkey not in found:
        raise NeedsPerson("The node's own member file does not carry this node's keys. Nothing was started.")
    witness = NoteSigner(NoteVerifier.parse(own.witness_vkey).name, keys.witness, COSIGNATURE_KEY)
    spare = partial(spare_signers, settings, own.origin, name)
    second = sm2_file.signer(settings, own) if settings.node.sm2 else None
    return Signers(found[own.log_vkey], found[own.receipt_vkey], witness, second, spare)


def spare_signers(settings: Settings, origin: str, receipt_name: str) -> list[NoteSigner]:
    """Every key of this node's log or receipts whose file lies in its folder, the next ones among them."""
    folder, words = settings.data / "keys", settings.passphrase
    logs = [NoteSigner(origin, key, LOG_KEY) for _, key in keyring.signing_keys(folder, "log", words)]
    receipts = keyring.signing_keys(folder, "receipt", words)
    return logs + [NoteSigner(receipt_name, key, COSIGNATURE_KEY) for _, key in receipts]


def peer_of(member: Member) -> Peer:
    """A member file as the stages use it."""
    log, receipt = NoteVerifier.parse(member.log_vkey), NoteVerifier.parse(member.receipt_vkey)
    second = Sm2Verifier.parse(member.sm2_vkey) if member.sm2_vkey else None
    return Peer(member.code, member.origin, log, receipt, second)
