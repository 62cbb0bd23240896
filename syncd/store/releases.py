"""What persons have released 放行 of a region's answers, kept beside the newest answer: kinds and account numbers.

``first:1001/review:1002/version-2:1003``: each kind on its own, for who has seen one has not seen the other.
"""

from collections.abc import Collection

from sqlalchemy import Connection, update

from syncd.store.register import responses_of
from syncd.store.register_tables import responses
from syncd.store.statement import chunks


def release(conn: Connection, finding: bytes, region: str, kind: str, account: int) -> None:
    """Record that a person released an item of this ``kind`` about a finding; the next recognition reads it.

    ``review:1001/twin:1002``: each kind on its own, for who has seen one has not seen the other.
    """
    _set(conn, finding, region, f"{kind}:", f"{kind}:{account}")


def unrelease(conn: Connection, finding: bytes, region: str, kind: str) -> None:
    """Take back what a person released of this ``kind``."""
    _set(conn, finding, region, f"{kind}:", None)


def _set(conn: Connection, finding: bytes, region: str, gone: str, added: str | None) -> None:
    before = responses_of(conn, [finding], region).get(finding, {}).get(region)
    parts = (before.released_by or "").split("/") if before is not None else []
    kept = [part for part in parts if part and not part.startswith(gone)] + ([added] if added else [])
    conn.execute(
        update(responses)
        .where(responses.c.finding == finding, responses.c.region == region)
        .values(released_by="/".join(kept) or None)
    )


def judge_from_today(conn: Connection, finding: bytes, region: str) -> None:
    """A finding that is off here and released again is judged on the day of its release, not on the one on which it was
    first imposed: a legal basis may have begun since.
    """
    off = (responses.c.finding == finding, responses.c.region == region, responses.c.kind != "restriction.imposed")
    conn.execute(update(responses).where(*off).values(since=""))


def release_for(conn: Connection, finding: bytes, region: str, kind: str, released: str) -> None:
    """A person released a region's answer for a version: it takes the place of an earlier such release."""
    _set(conn, finding, region, kind, released)


def forget_releases(conn: Connection, leaves: Collection[bytes], region: str) -> None:
    """What a person released was the version before: an amended finding is looked at anew."""
    for some in chunks(leaves):
        mine = (responses.c.finding.in_(some), responses.c.region == region)
        conn.execute(update(responses).where(*mine).values(released_by=None))
