"""A node's logs opened for proving 举证: for reading, with their disclosures, beside a running daemon or without one.

Unlike a plain question this opens the vault, and so reads the node's key; it takes no lock and loads no key that signs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from syncd import keyring
from syncd.agreement.member import Member
from syncd.agreement.model import Agreement
from syncd.agreement.versions import NONE_HELD, Timeline
from syncd.errors import NeedsPerson
from syncd.evidence.stored import Unseal
from syncd.evidence.unsealing import by_vault
from syncd.ledger.key_history import KeySpan
from syncd.ledger.policy import Policy, Sealed, parse_policy
from syncd.ledger.trust import agreement_trust, fingerprint
from syncd.reading import open_books
from syncd.settings import Settings
from syncd.store import member_keys, seals
from syncd.store.checkpoints import final_size
from syncd.store.logs import Logs
from syncd.store.vault import Vault
from syncd.witness_config import outside_of


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proofs are made of: the node's logs with their vault, and the trust policy of its agreement.

    ``vault_elsewhere`` opens the vault once more, for a process that audits beside this one.
    """

    code: str
    agreement: Agreement
    trust: bytes
    logs: Logs
    timeline: Timeline = NONE_HELD
    vault_elsewhere: Callable[[], Unseal] | None = field(default=None, repr=False)

    @property
    def policy(self) -> Policy:
        """The trust policy, parsed."""
        return parse_policy(self.trust)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the trust policy."""
        return fingerprint(self.trust)

    def origin_of(self, log: str, origins: Sequence[str]) -> str:
        """The log that a person names by its origin or by its member's code. Raises NeedsPerson."""
        found = [origin for origin in origins if log in (origin, origin.split("/")[1])]
        if not found:
            raise NeedsPerson(f"No log {log} is held here; there are {', '.join(origins)}.")
        return found[-1]

    def best_size(self, conn: Connection, origin: str) -> int:
        """The newest final size of a log; the newest signed one if none is final yet; 0 if nothing is signed."""
        final = final_size(conn, origin, self.agreement.members)
        newest = self.logs.newest(conn, origin)
        return final or (newest.size if newest is not None else 0)


@contextmanager
def open_evidence(settings: Settings) -> Iterator[Evidence]:
    """Open the logs of the node these settings describe. Raises ``NeedsPerson`` if it has never run."""
    with open_books(settings) as books:
        kept = settings.data / settings.store.keys, keyring.load_node_key(settings.data / "keys", settings.passphrase)
        vault = Vault(*kept)
        try:
            outside = {one.name: one.key.vkey for one in outside_of(settings)}
            with books.store.read() as conn:
                history, ends = member_keys.history(conn), seals.ends(conn)
            former = [code for code in books.members if books.timeline.gone_on(code) is not None]
            trust = trust_text(books.agreement, books.members, outside, history, ends, former)
            logs, again = Logs(books.store, vault), partial(by_vault, *kept)
            yield Evidence(books.code, books.agreement, trust, logs, books.timeline, again)
        finally:
            vault.close()


def trust_text(
    agreement: Agreement,
    members: Mapping[str, Member],
    outside: Mapping[str, str] | None = None,
    history: Mapping[str, Sequence[KeySpan]] | None = None,
    ends: Mapping[str, Mapping[str, Sealed]] | None = None,
    former: Sequence[str] = (),
) -> bytes:
    """The trust policy of an agreement from its members' files. Raises ``NeedsPerson`` if one is not held.

    ``former``: members that have left; what their logs hold can be verified still.
    """
    missing = [code for code in agreement.members if code not in members]
    if missing:
        raise NeedsPerson(
            f"The member files of {', '.join(missing)} are not held; without their keys nothing is proven."
        )
    gone = sorted(set(former) - set(agreement.members))
    keys = {code: (members[code].log_vkey, members[code].receipt_vkey) for code in (*agreement.members, *gone)}
    second = {code: members[code].sm2_vkey for code in agreement.members}
    return agreement_trust(agreement.id, keys, outside, history, ends, second, gone)
