"""The history of a member's keys 换钥, as its ``key.changed`` entries tell it, pure.

A rotation (LEDGER §9) is two entries in the member's own log: ``added`` names the next key and the one it replaces;
from then on both sign, until every member has countersigned a size that covers the entry. ``retired`` ends the old one
and says up to which size of each log its lines count. Who holds the first entry knows the new key; who does not hold it
yet still finds the old one's line on every checkpoint.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from syncd.ledger.canonical import FormatError
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteVerifier

Json = dict[str, Any]
ROLES: Mapping[str, int] = {"log": LOG_KEY, "receipt": COSIGNATURE_KEY}
ADDED, RETIRED = "added", "retired"
EVERYWHERE = "*"


class KeySpan(NamedTuple):
    """A key of a role, and the sizes of a log on which its lines count; ``origin`` EVERYWHERE for all logs."""

    role: str
    vkey: str
    origin: str
    first: int = 0
    last: int | None = None

    def covers(self, origin: str, size: int) -> bool:
        """Whether a line of this key counts on that checkpoint; where it counts everywhere, ``first`` only orders."""
        if self.origin == EVERYWHERE:
            return True
        return self.origin == origin and self.first <= size and (self.last is None or size <= self.last)


def base(role: str, vkey: str) -> KeySpan:
    """The key that a member's file introduces: it counts everywhere."""
    return KeySpan(role, vkey, EVERYWHERE)


def active(spans: Iterable[KeySpan], role: str) -> list[str]:
    """The keys of a role that sign now, oldest first."""
    return list(dict.fromkeys(span.vkey for span in spans if span.role == role and span.last is None))


def log_keys(spans: Iterable[KeySpan], origin: str) -> list[str]:
    """The keys that a log has had, by its origin; those of a sealed log bear its name and are not the successor's."""
    return list(dict.fromkeys(span.vkey for span in spans if span.role == "log" and _name(span.vkey) == origin))


def _name(vkey: str) -> str:
    return vkey.partition("+")[0]


def added_body(role: str, vkey: str, replaces: str) -> Json:
    """The public object of the entry that begins a rotation."""
    return {"schema": "key/1.0", "act": ADDED, "role": role, "key": vkey, "replaces": replaces, "sizes": []}


def retired_body(role: str, vkey: str, sizes: Mapping[str, int]) -> Json:
    """The public object of the entry that ends it; ``sizes``: up to which the old key's lines count, by log."""
    listed = [{"origin": origin, "size": size} for origin, size in sorted(sizes.items())]
    return {"schema": "key/1.0", "act": RETIRED, "role": role, "key": vkey, "replaces": None, "sizes": listed}


def follow(spans: Sequence[KeySpan], body: Json, origin: str, index: int) -> list[KeySpan]:
    """The history after a ``key.changed`` entry at ``index`` of the member's own log ``origin``.

    Raises FormatError where the entry does not fit the history; it then changes nothing.
    """
    role, vkey = str(body.get("role")), body.get("key")
    signing = active(spans, role)
    if body.get("schema") != "key/1.0" or role not in ROLES or not isinstance(vkey, str) or not signing:
        raise FormatError("The entry about a key is not of a form known here.")
    if body.get("act") == ADDED:
        old, new = NoteVerifier.parse(signing[-1]), NoteVerifier.parse(vkey)
        if body.get("replaces") != signing[-1] or len(signing) != 1:
            raise FormatError("The entry replaces another key than the one that signs.")
        if (new.name, new.kind) != (old.name, old.kind) or new.public_key == old.public_key:
            raise FormatError("The new key does not bear the old one's name, or is the same.")
        if any(NoteVerifier.parse(span.vkey).public_key == new.public_key for span in spans):
            raise FormatError("The new key has been used before.")  # also under a sealed log's name: it was stolen
        return [*spans, KeySpan(role, vkey, origin if role == "log" else EVERYWHERE, index + 1)]
    if body.get("act") != RETIRED or len(signing) != 2 or vkey != signing[0]:
        raise FormatError("The entry retires a key that is not the older of two.")
    sizes = {str(one["origin"]): int(one["size"]) for one in body.get("sizes", ())}
    ended = [KeySpan(role, vkey, log, 0, size) for log, size in sorted(sizes.items())]
    begun = {span.first for span in spans if span.vkey == vkey}
    ended = [span._replace(first=max(begun, default=0)) if role == "log" else span for span in ended]
    return [span for span in spans if (span.role, span.vkey) != (role, vkey)] + ended
