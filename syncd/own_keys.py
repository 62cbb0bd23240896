"""This node's own keys 密钥 as signers: those that its member file introduces, and every further one in its folder."""

from functools import partial

from syncd import keyring, sm2_file
from syncd.agreement.member import Member
from syncd.errors import NeedsPerson
from syncd.flows.bureau import Signers
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner, NoteVerifier
from syncd.settings import Settings


def signers(settings: Settings, own: Member, keys: keyring.Keyring) -> Signers:
    """The keys that the node's own member file introduces; what has replaced them since stands in its log."""
    name = NoteVerifier.parse(own.receipt_vkey).name
    found = {one.vkey: one for one in spare_signers(settings, own.origin, name)}
    if lost := [vkey for vkey in (own.log_vkey, own.receipt_vkey) if vkey not in found]:
        raise NeedsPerson(
            f"The file of the key {lost[0]}, which the node's member file introduces, is not in its folder of keys. "
            "Nothing was started. Put it back from the backup of the keys; a log whose key has none is ended by "
            "`syncd keys seal`."
        )
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
