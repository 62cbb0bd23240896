"""The waist: reads settings, builds everything once."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.source import Source
from syncd import keyring, own_keys
from syncd.agreement.member import Member
from syncd.agreement.model import Agreement
from syncd.agreement_files import Versions, read_agreement, read_members
from syncd.errors import NeedsPerson
from syncd.flows.bureau import Bureau, Peer
from syncd.flows.witness import Witness
from syncd.home_system import open_source
from syncd.ledger.notes import NoteVerifier
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


def build(
    settings: Settings,
    wake: Callable[[str], None],
    notice: Callable[[str, dict[str, Any]], None],
    kept: Built | None = None,
) -> Built:
    """Build a node; raises ``NeedsPerson`` or ``Stop`` with what is missing. Opens the store, contacts nobody.

    ``kept``: the node as it runs, whose store, vault, signed sizes and own system are taken over as they are open; two
    of one of them would not know of each other.
    """
    folder = settings.path(settings.node.agreement)
    agreement = read_agreement(folder)
    keys = keyring.load(settings.data / "keys", settings.passphrase)
    members = read_members(folder)
    _ask_for_all(agreement, members, folder)
    before = kept.bureau if kept is not None else None
    versions = before.find_versions if before else Versions(settings.path(settings.node.versions), agreement.id)
    texts = before.timeline.held if before else versions()  # a folder is looked at on its own schedule
    store = before.store if before else Store.open(settings.store_url)
    known = {code: keys_in(member) for code, member in members.items()}
    with store.read() as conn:
        held = timeline_of(conn, [*texts, agreement], known)
    vault = before.vault if before else Vault(settings.data / settings.store.keys, keys.node_key)
    bureau = Bureau(
        code=settings.node.code,
        agreement=agreement,
        members={code: peer_of(members[code]) for one in held.held for code in one.members if code in members},
        store=store,
        logs=before.logs if before else Logs(store, vault),
        vault=vault,
        open_sizes=lambda: SignedSizes(settings.data / "signed-sizes"),
        new_sizes=lambda: SignedSizes.anew(settings.data / "signed-sizes"),
        signers=own_keys.signers(settings, members[settings.node.code], keys),
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
    if before is not None:
        bureau.take_over(before)
    source = kept.source if kept is not None else open_source(settings, keys.row_key)
    return Built(settings, bureau, members, keys, source, _witness(settings, bureau))


def _ask_for_all(agreement: Agreement, members: Mapping[str, Member], folder: Path) -> None:
    missing = sorted(set(agreement.members) - set(members))
    if missing:
        raise NeedsPerson(
            f"The agreement names {', '.join(missing)}, but their member files are not in {folder / 'members'}. "
            "Nothing was started; take each bureau's member file and run `syncd member add`."
        )


def _witness(settings: Settings, bureau: Bureau) -> Witness | None:
    """The witness of outsiders' logs, where the settings name any; a member's log is none."""
    logs = witnessed_of(settings)
    both = sorted(set(logs) & set(bureau.origins))
    if both:
        raise NeedsPerson(
            f"{settings.witness.logs} names a member's own log, {both[0]}. Nothing was started; remove it."
        )
    return Witness(bureau, bureau.signers.witness, logs) if logs and bureau.signers.witness is not None else None


def peer_of(member: Member) -> Peer:
    """A member file as the stages use it."""
    log, receipt = NoteVerifier.parse(member.log_vkey), NoteVerifier.parse(member.receipt_vkey)
    second = Sm2Verifier.parse(member.sm2_vkey) if member.sm2_vkey else None
    return Peer(member.code, member.origin, log, receipt, second)
