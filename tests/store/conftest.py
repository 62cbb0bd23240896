"""An open, empty store with its vault, on either database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_kit import NODE_KEY

from syncd.store.engine import Store
from syncd.store.logs import Logs
from syncd.store.vault import Vault


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A store with its tables made."""
    opened = Store.open(store_url)
    opened.upgrade()
    yield opened
    opened.close()


@pytest.fixture
def logs(store: Store, tmp_path: Path) -> Iterator[Logs]:
    """The verbs over that store and a new vault."""
    vault = Vault.create(tmp_path / "vault.db", NODE_KEY)
    yield Logs(store, vault)
    vault.close()
