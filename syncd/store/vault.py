"""The vault (密钥库): one key for each disclosure, apart from the database and outside its backups.

Erasing a disclosure means forgetting its key here first; whatever copies of the sealed bytes exist are then noise.
Each record has a fresh AES-256-GCM key (NIST SP 800-38D). Keys made together lie in one ring 钥匙环, wrapped by the
node's key as a whole; forgetting one wraps its ring anew without it. Keys are made ahead, some rings with one sync, and
every one is on disk before anything is sealed with it, so a transaction never commits a disclosure whose key could be
lost: a crash leaves keys that nothing uses and that no later run hands out, which is harmless.

Backups of the file this room writes expire within the erasure limit (LEDGER §4), or erasure would be undone by them.
"""

import hmac
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from syncd.errors import NeedsPerson, Retry, Stop
from syncd.store.sizes import sync_folder

KEY_BYTES: Final = 32
_ID_HEAD, _RING_ID, _PLACE, _NONCE = 8, 14, 2, 12
_RING: Final = 256
"""Keys in a ring: wrapped and stored together, forgotten one by one."""
_RINGS_KEPT = 64
_RINGS_AHEAD = 16
"""Rings made with one sync at most; a run begins with one and doubles, so that a short one leaves little unused."""
_PROOF_ID = b"syncd/vault/v1"

_SCHEMA = """
CREATE TABLE proof (id BLOB PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE key_rings (id BLOB PRIMARY KEY, wrapped BLOB NOT NULL);
"""
_BARRED = "CREATE TABLE IF NOT EXISTS barred (hash BLOB PRIMARY KEY, because BLOB NOT NULL) WITHOUT ROWID"


class Sealed(NamedTuple):
    """A disclosure at rest: the id of its key (16 bytes) and the bytes under that key."""

    key_id: bytes
    data: bytes


class Vault:
    """The record keys of one node, in a SQLite file of their own. Usable from several threads."""

    def __init__(self, path: Path, node_key: bytes) -> None:
        """Open the vault at ``path``. Raises Stop if it is missing or ``node_key`` (32 bytes) is not its key."""
        if not path.is_file():
            raise Stop(
                f"The vault {path} is missing. Nothing was opened: a new one would make every stored "
                "disclosure look erased. Put the vault back; only a new node gets a new vault."
            )
        self._wrap = _wrapping(node_key)
        self._bar_key = hmac.digest(node_key, b"syncd/barred/v1", "sha256")
        self._lock = threading.Lock()
        # Ids that count upwards keep new keys side by side in the file; the random head keeps runs apart.
        self._rings: dict[bytes, bytes] = {}
        self.forgotten = 0
        """How often keys were forgotten: whoever keeps an opened text compares it, and lets go."""
        self._head = os.urandom(_ID_HEAD)
        self._count = 0
        self._sealing = threading.Lock()
        self._spare: list[tuple[bytes, bytes]] = []
        """Ids and keys that are on disk and have sealed nothing yet."""
        self._ahead = 1
        self._db = self._opened(path)
        self._barred: dict[bytes, bytes] = dict(self._db.execute("SELECT hash, because FROM barred").fetchall())

    @classmethod
    def create(cls, path: Path, node_key: bytes) -> "Vault":
        """Make a new, empty vault, readable by its owner only. Raises NeedsPerson if the file exists."""
        if path.exists():
            raise NeedsPerson(
                f"There is a vault at {path} already, and it was left as it is. Keep it, or choose another folder."
            )
        # A crash before the rename leaves no half-made vault behind.
        fresh = path.with_name(path.name + ".new")
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        nonce = os.urandom(_NONCE)
        proof = nonce + _wrapping(node_key).encrypt(nonce, bytes(KEY_BYTES), _PROOF_ID)
        db = sqlite3.connect(fresh, isolation_level=None)
        db.executescript(_SCHEMA)
        db.execute("INSERT INTO proof VALUES (?, ?)", (_PROOF_ID, proof))
        db.close()
        os.replace(fresh, path)
        sync_folder(path.parent)
        return cls(path, node_key)

    def seal(self, plaintexts: Sequence[bytes]) -> list[Sealed]:
        """Seal each text under a fresh key; on return all the keys are on disk."""
        # A key seals one text only, so a nonce drawn from its id can never meet that key twice.
        return [
            Sealed(key_id, AESGCM(key).encrypt(key_id[-_NONCE:], text, key_id))
            for (key_id, key), text in zip(self._fresh(len(plaintexts)), plaintexts, strict=True)
        ]

    def open_many(self, sealed: Sequence[Sealed | None]) -> list[bytes | None]:
        """Return each text, None where there is none or its key was forgotten.

        Raises Stop if the bytes and their key do not belong together: the store or the vault is damaged, or was
        changed by hand.
        """
        texts, damaged = self.open_each(sealed)
        if damaged:
            raise Stop(
                f"A sealed disclosure does not open with its own key ({len(damaged)} of {len(sealed)} that were read). "
                "Nothing was changed. The store or the vault was altered, damaged or mixed with another's; "
                "`syncd ledger audit` names the entries. Restore both from backups of one time, and ask the peers for "
                "the rest."
            )
        return texts

    def open_each(self, sealed: Sequence[Sealed | None]) -> tuple[list[bytes | None], frozenset[int]]:
        """The same texts, and the places of those that do not open with their own key, which are None as well."""
        keys = self._keys([item.key_id for item in sealed if item is not None])
        texts, damaged = list[bytes | None](), set[int]()
        for n, item in enumerate(sealed):
            try:
                texts.append(_text(item, keys))
            except (InvalidTag, ValueError):
                texts.append(None)
                damaged.add(n)
        return texts, frozenset(damaged)

    def forget(self, key_ids: Collection[bytes]) -> int:
        """Delete keys for good and return how many there were; what they sealed can never be read again."""
        gone = 0
        self.let_go()
        with self._writing() as db:
            for ring in {key_id[:_RING_ID] for key_id in key_ids}:
                keys = bytearray((intact := self._intact(ring)) or b"")
                for place in {_place(key_id) for key_id in key_ids if key_id[:_RING_ID] == ring}:
                    held = keys[place * KEY_BYTES : (place + 1) * KEY_BYTES]
                    gone += any(held)
                    keys[place * KEY_BYTES : (place + 1) * KEY_BYTES] = bytes(len(held))
                if intact is None or any(keys):  # of a damaged ring nothing is left to be mended; it stays damaged
                    wrapped = bytes(_NONCE) if intact is None else self._wrapped(ring, keys)
                    db.execute("UPDATE key_rings SET wrapped = ? WHERE id = ?", (wrapped, ring))
                else:
                    db.execute("DELETE FROM key_rings WHERE id = ?", (ring,))
        with self._lock:  # fold the write-ahead log away: the deleted keys stand in it as they were written
            self._rings.clear()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def let_go(self) -> None:
        """Tell whoever keeps opened texts in memory to drop them: what may be read has changed."""
        self.forgotten += 1

    def bar(self, values: Collection[bytes], because: bytes) -> None:
        """Remember keyed hashes of these values for good, here where no restored database can undo it.

        ``because`` is the leaf hash of the erased finding whose keys they are.
        """
        with self._writing() as db:
            rows = [(self._keyed(value), because) for value in values]
            db.executemany("INSERT OR IGNORE INTO barred VALUES (?, ?)", rows)
        self._barred |= dict(rows)

    def barred(self, values: Collection[bytes]) -> dict[bytes, bytes]:
        """Those of these values that are barred, each with its ``because``."""
        if not self._barred:
            return {}
        found = {value: self._barred.get(self._keyed(value)) for value in values}
        return {value: because for value, because in found.items() if because is not None}

    def _keyed(self, value: bytes) -> bytes:
        """HMAC-SHA256 under a key of the node: without it nobody can try which organisation was meant."""
        return hmac.digest(self._bar_key, value, "sha256")

    def missing(self, key_ids: Sequence[bytes]) -> set[bytes]:
        """Those of these keys that are not here."""
        return set(key_ids) - {key_id for key_id, key in self._keys(key_ids).items() if key}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _keys(self, key_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """The keys that are there; a place of nothing but zeros is a key that was forgotten.

        Of a ring that is damaged each key is no bytes: what they sealed does not open, but was not erased.
        """
        with self._lock:
            rings = {ring: self._intact(ring) for ring in {key_id[:_RING_ID] for key_id in key_ids}}
        found: dict[bytes, bytes] = {}
        for key_id in key_ids:
            start, ring = _place(key_id) * KEY_BYTES, rings[key_id[:_RING_ID]]
            key = b"" if ring is None else ring[start : start + KEY_BYTES]
            if ring is None or (len(key) == KEY_BYTES and any(key)):
                found[key_id] = key
        return found

    def _intact(self, ring: bytes) -> bytes | None:
        try:
            return self._ring(ring)
        except InvalidTag:
            return None

    def _ring(self, ring: bytes) -> bytes:
        """All keys of a ring, or nothing if there is no such ring; the newest rings stay in memory."""
        held = self._rings.get(ring)
        if held is None:
            row = self._db.execute("SELECT wrapped FROM key_rings WHERE id = ?", (ring,)).fetchone()
            held = b"" if row is None else self._wrap.decrypt(row[0][:_NONCE], row[0][_NONCE:], ring)
            if len(self._rings) >= _RINGS_KEPT:
                self._rings.pop(next(iter(self._rings)))
            self._rings[ring] = held
        return held

    def _wrapped(self, ring: bytes, keys: bytes | bytearray) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._wrap.encrypt(nonce, bytes(keys), ring)

    def _fresh(self, count: int) -> list[tuple[bytes, bytes]]:
        """So many ids and keys that are on disk, nobody has had and nobody else will get."""
        with self._sealing:
            if len(self._spare) < count:
                self._spare += self._made(max(self._ahead, -(-(count - len(self._spare)) // _RING)))
                self._ahead = min(2 * self._ahead, _RINGS_AHEAD)
            taken = self._spare[:count]
            del self._spare[:count]
            return taken

    def _made(self, rings: int) -> list[tuple[bytes, bytes]]:
        """The keys of so many new rings, once they are synced."""
        rows, made = [], []
        for _ in range(rings):
            self._count += 1
            ring = self._head + self._count.to_bytes(_RING_ID - _ID_HEAD, "big")
            keys = os.urandom(KEY_BYTES * _RING)
            rows.append((ring, self._wrapped(ring, keys)))
            made += [
                (ring + n.to_bytes(_PLACE, "big"), keys[n * KEY_BYTES : (n + 1) * KEY_BYTES]) for n in range(_RING)
            ]
        with self._writing() as db:
            db.executemany("INSERT INTO key_rings VALUES (?, ?)", rows)
        return made

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except sqlite3.OperationalError as error:
                raise Retry(
                    f"The vault could not be written ({error}). Nothing was sealed or forgotten by this step; "
                    "it is tried again by itself. If this stays, look at the disk's space."
                ) from error
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def _opened(self, path: Path) -> sqlite3.Connection:
        """The file, once the proof in it shows that the node's key is the one it was made with."""
        try:
            db = _connect(path)
            row = db.execute("SELECT id, wrapped FROM proof").fetchone()
            self._wrap.decrypt(row[1][:_NONCE], row[1][_NONCE:], row[0])
            db.execute(_BARRED)  # a vault of an earlier version has none yet
        except (sqlite3.DatabaseError, TypeError, InvalidTag) as error:
            raise Stop(
                f"The vault {path} does not open with this node's key. Nothing was changed. "
                "Put back the vault and the node key that belong together."
            ) from error
        return db


def _text(item: Sealed | None, keys: Mapping[bytes, bytes]) -> bytes | None:
    if item is None or item.key_id not in keys:
        return None
    return AESGCM(keys[item.key_id]).decrypt(item.key_id[-_NONCE:], item.data, item.key_id)


def _place(key_id: bytes) -> int:
    return int.from_bytes(key_id[_RING_ID:], "big")


def _wrapping(node_key: bytes) -> AESGCM:
    if len(node_key) != KEY_BYTES:
        raise Stop(f"The node key is not {KEY_BYTES} bytes long. Nothing was opened. Put the right key file back.")
    return AESGCM(node_key)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        db.execute(f"PRAGMA {pragma}")
    return db
