"""A child that appends until it is killed: it kills itself at the point named, as a crash would.

Usage: store_child.py URL VAULT POINT
"""

import os
import signal
import sys
from pathlib import Path

from store_kit import NODE_KEY, NOON, OWN, drafts

from syncd.store.engine import Store
from syncd.store.logs import Logs
from syncd.store.vault import Vault


def die() -> None:
    """The power goes."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, vault: str, point: str) -> None:
    """Append one batch and die at ``point``."""
    logs = Logs(Store.open(url), Vault(Path(vault), NODE_KEY))
    batch = drafts(700)
    sealed = logs.seal([one.disclosure for one in batch])
    if point == "keys synced":
        die()
    with logs.store.write() as conn:
        logs.append(conn, OWN, batch, sealed, NOON)
        logs.set_cursor(conn, "collect", "700")
        if point == "before commit":
            die()
    if point == "before signing":
        die()
    with logs.store.write() as conn:
        for row in logs.unsigned(conn, OWN):
            logs.set_note(conn, OWN, row.size, b"note")
        die()


if __name__ == "__main__":
    main(*sys.argv[1:])
