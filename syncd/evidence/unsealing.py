"""Disclosures opened with the vault 启封, here or in a process that only audits and so opens it once more."""

from collections.abc import Callable, Sequence
from pathlib import Path

from syncd.evidence.stored import Unseal
from syncd.store.vault import Sealed, Vault


def unsealing(open_many: Callable[[Sequence[Sealed | None]], list[bytes | None]]) -> Unseal:
    """What opens disclosures as a stored log hands them over."""
    return lambda sealed: open_many([None if one is None else Sealed(*one) for one in sealed])


def by_vault(path: Path, node_key: bytes) -> Unseal:
    """The same by a vault that is opened for it. Raises ``Stop`` as ``Vault`` does."""
    return unsealing(Vault(path, node_key).open_many)
