"""Opening a node's books 查阅: for commands that only ask, beside a running daemon or without one.

It takes no lock, loads no private key, makes no table and opens neither vault nor signed sizes: those belong to
whoever holds the daemon's lock.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from syncd.agreement.member import Member
from syncd.agreement.model import Agreement
from syncd.agreement.versions import Timeline
from syncd.agreement_files import read_agreement, read_members
from syncd.errors import NeedsPerson
from syncd.settings import Settings
from syncd.store import schema
from syncd.store.engine import Store
from syncd.store.versions import keys_in, timeline_of

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class OpenBooks:
    """A node's books, open for reading; see ``flows.books``."""

    code: str
    agreement: Agreement
    members: Mapping[str, Member]
    store: Store
    allow_candidates: bool
    timeline: Timeline


@contextmanager
def open_books(settings: Settings) -> Iterator[OpenBooks]:
    """Open the books of the node these settings describe. Raises ``NeedsPerson`` if it is none, or has never run."""
    if not (settings.data / "keys").is_dir():
        raise NeedsPerson(f"{settings.data} holds no keys, so it is no node; `syncd init` makes one.")
    folder = settings.path(settings.node.agreement)
    agreement, members = read_agreement(folder), read_members(folder)
    if settings.node.code not in members:
        raise NeedsPerson(
            f"The member file of {settings.node.code} is not in {folder / 'members'}; `syncd init` makes this node."
        )
    store = open_store(settings)
    try:
        with store.read() as conn:
            known = {code: keys_in(member) for code, member in members.items()}
            held = timeline_of(conn, [agreement], known)
        acting = held.acting(dt.datetime.now(SHANGHAI).date(), settings.node.code)
        yield OpenBooks(settings.node.code, acting, members, store, settings.node.allow_candidates, held)
    finally:
        store.close()


def open_store(settings: Settings) -> Store:
    """The store of a node that has run at least once; one that has not would look empty, and so all clear."""
    prefix = "sqlite:///"
    url = settings.store_url
    if url.startswith(prefix) and not Path(url.removeprefix(prefix)).exists():
        raise _never_run()
    store = Store.open(url)
    with store.read() as conn:
        if schema.current(conn) is None:
            raise _never_run()
    return store


def _never_run() -> NeedsPerson:
    return NeedsPerson("This node holds no records yet, for it has never run; `syncd run` starts it.")
