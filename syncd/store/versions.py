"""The agreement's versions 协议版本 as this node holds them: their texts, and who adopted which.

A text is never changed nor forgotten: a version that comes with another digest is refused by the caller.
"""

import datetime as dt
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, inspect

from syncd.agreement.load import AgreementError, load_agreement
from syncd.agreement.member import Member
from syncd.agreement.model import Agreement
from syncd.agreement.versions import Adoption, Timeline, timeline
from syncd.errors import Stop
from syncd.store.key_tables import seals
from syncd.store.register import Finding
from syncd.store.statement import among, execute
from syncd.store.version_tables import adoptions as adoptions_table
from syncd.store.version_tables import agreement_versions

Json = dict[str, Any]
_LEVEL = 9
_FINDING = f"SELECT {', '.join(Finding._fields)} FROM findings"


class StoredVersion(NamedTuple):
    """A version's number, its digest (hex), and the bytes of its files by path."""

    version: int
    digest: str
    files: Mapping[str, bytes]


class AdoptionRow(NamedTuple):
    """An ``agreement.adopted``: the owner of the log, where it stands, its day in Asia/Shanghai, its public object."""

    code: str
    at: int
    day: str
    body: Json

    def read(self) -> Adoption:
        """As the timeline reads it; what its object does not say is empty."""
        said, number = self.body, self.body.get("version")
        members = [one for one in said.get("members", ()) if isinstance(one, dict)]
        return Adoption(
            self.code, str(said.get("id")), number if isinstance(number, int) else 0, str(said.get("digest")),
            dt.date.fromisoformat(self.day), self.at, members,
        )  # fmt: skip


class Keys(NamedTuple):
    """A member's log and the keys by which this node knows it, as vkeys."""

    origin: str
    log: str
    receipt: str


def keys_in(member: Member) -> Keys:
    """A member's log and keys as its file says them."""
    return Keys(member.origin, member.log_vkey, member.receipt_vkey)


def timeline_of(conn: Connection, held: Iterable[Agreement], keys: Mapping[str, Keys]) -> Timeline:
    """The versions ``held`` in memory and those kept here, with what was adopted; ``keys`` of the members by code.

    An adoption that names other keys than this node knows counts for nothing. Raises Stop where a kept text has not
    the digest under which it was kept.
    """
    at_hand = {one.version: one for one in held}
    for version in sorted(known(conn)):
        if version not in at_hand:
            at_hand[version] = proven(conn, version)
    before = earlier(conn)
    counted = (row.read() for row in adoptions(conn) if fits(row.body, keys, before))
    return timeline(at_hand.values(), counted)


def proven(conn: Connection, version: int) -> Agreement:
    """The version read from its stored text. Raises Stop where that has not the number and digest it was kept under."""
    try:
        text = _text(conn, version)
        found = load_agreement(text.files)
        same = (found.version, found.digest) == (version, text.digest)
    except (zlib.error, ValueError, AttributeError, KeyError, AgreementError):
        same = False
    if not same:
        raise Stop(
            f"The stored text of version {version} of the agreement is not the one that was kept. Nothing was "
            "judged by it. The store was altered: restore it, or put that version's folder among the node's versions."
        )
    return found


def earlier(conn: Connection) -> dict[str, set[str]]:
    """Sealed logs and keys that members had before, by code; none where the tables are older than this program."""
    found: dict[str, set[str]] = {}
    if inspect(conn).has_table(seals.name):
        for member, name in execute(
            conn, "SELECT member, origin FROM seals UNION SELECT member, vkey FROM member_keys"
        ):
            found.setdefault(member, set()).add(name)
    return found


def fits(adopted: Json, keys: Mapping[str, Keys], before: Mapping[str, Collection[str]] = MappingProxyType({})) -> bool:
    """Whether an adoption names logs and keys as this node knows them or did ``before``; others say nothing."""
    for said in adopted.get("members", ()):
        known = keys.get(str(said.get("code"))) if isinstance(said, dict) else None
        if known is not None:
            named = said.get("keys") or {}
            told = (said.get("origin"), named.get("log"), named.get("receipt"))
            old = before.get(str(said.get("code")), ())
            if any(one != here and one not in old for one, here in zip(told, known, strict=True)):
                return False
    return True


def answered_still(conn: Connection, region: str, issuers: Sequence[str], limit: int) -> list[bytes]:
    """Findings of these members that a region restricts or holds still, ``limit`` at most."""
    if not issuers:
        return []
    condition, given = among(conn, "f.issuer", list(issuers))
    sql = (
        "SELECT f.leaf FROM findings f JOIN responses r ON r.finding = f.leaf AND r.region = ? "
        f"WHERE r.kind IN ('restriction.imposed', 'finding.held') AND {condition} ORDER BY f.log, f.idx LIMIT {limit:d}"
    )
    return [row[0] for row in execute(conn, sql, (region, *given))]


def known(conn: Connection) -> dict[int, str]:
    """The digests of the versions whose text is held, by number; none where the tables are older than this program."""
    if not inspect(conn).has_table(agreement_versions.name):
        return {}
    return {int(version): digest for version, digest in execute(conn, "SELECT version, digest FROM agreement_versions")}


def _text(conn: Connection, version: int) -> StoredVersion:
    row = execute(conn, "SELECT digest, text FROM agreement_versions WHERE version = ?", (version,)).one_or_none()
    files = orjson.loads(zlib.decompress(row[1]))
    return StoredVersion(version, row[0], {path: text.encode() for path, text in files.items()})


def keep(conn: Connection, version: int, digest: str, files: Mapping[str, bytes], now: str) -> None:
    """Keep a version's text; one that is held already stays as it is."""
    text = zlib.compress(orjson.dumps({path: data.decode() for path, data in files.items()}), _LEVEL)
    execute(
        conn,
        "INSERT INTO agreement_versions (version, digest, text, stored_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (version) DO NOTHING",
        (version, digest, text, now),
    )


def adoptions(conn: Connection) -> list[AdoptionRow]:
    """Every adoption that was read from the logs, in the order of log and index."""
    if not inspect(conn).has_table(adoptions_table.name):
        return []
    rows = execute(conn, "SELECT code, idx, day, body FROM adoptions ORDER BY log, idx")
    return [AdoptionRow(code, idx, day, orjson.loads(body)) for code, idx, day, body in rows]


def note_adoption(conn: Connection, log: int, row: AdoptionRow) -> None:
    """Remember an adoption as it stands in a log; once."""
    execute(
        conn,
        "INSERT INTO adoptions (log, idx, code, day, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (log, idx) DO NOTHING",
        (log, row.at, row.code, row.day, orjson.dumps(row.body).decode()),
    )


def findings_by(conn: Connection, chunk: int) -> Iterator[list[Finding]]:
    """All findings, some at a time, by log and index."""
    place = (0, -1)
    while True:
        sql = f"{_FINDING} WHERE (log = ? AND idx > ?) OR log > ? ORDER BY log, idx LIMIT {chunk:d}"
        rows = [Finding(*row) for row in execute(conn, sql, (*place, place[0])).fetchall()]
        if rows:
            yield rows
        if len(rows) < chunk:
            return
        place = rows[-1].log, rows[-1].idx
