"""A batch of leaves written at once 批量编码: what ``encode_entry`` proves for one, proven for all side by side.

Appending spends most of its own time on leaves. In a batch time and agreement are the same, kinds are few, and ids and
hashes are letters of a fixed number: a look at all of them together costs a third of a pattern for each. What is not so
plain is written one by one.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final

from syncd.ledger.canonical import ORIGIN, FormatError
from syncd.ledger.entry import FORMS, Entry, encode_entry, may_stand, parse_time

_HEX: Final = b"0123456789abcdef"
_URL_SAFE: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LAST: Final = frozenset("AEIMQUYcgkosw048")
"""The last of 43 characters of 32 bytes in base64url: its spare bits are unset."""
_LONGEST_TAG: Final = 200


def encode_entries(entries: Sequence[Entry]) -> list[bytes]:
    """Return the leaves of ``entries``. Raises FormatError as ``encode_entry`` does."""
    if len(entries) < 2 or not _plain(entries):
        return [encode_entry(entry) for entry in entries]
    head = f'{{"agreement":"{entries[0].agreement}","at":"{entries[0].at}","body":'
    leaves = []
    for entry_id, kind, _, _, ref, body in entries:
        content = "null" if body is None else f'"{body}"'
        about = "null" if ref is None else f'{{"id":"{ref.id}","leaf":"{ref.leaf}","log":"{ref.log}"}}'
        leaves.append(f'{head}{content},"id":"{entry_id}","kind":"{kind}","ref":{about},"v":1}}'.encode())
    return leaves


def _plain(entries: Sequence[Entry]) -> bool:
    """Whether every field is of its form, one time and agreement stand in all, and no body is open or a list."""
    ids, kinds, ats, tags, refs, bodies = zip(*entries, strict=True)
    about = [ref for ref in refs if ref is not None]
    committed = [body for body in bodies if body is not None]
    try:
        return (
            len(set(ats)) == 1
            and len(set(tags)) == 1
            and len(tags[0]) <= _LONGEST_TAG
            and _formed("agreement", tags[0])
            and _times(ats[0])
            and all(
                _formed("kind", kind) and may_stand(kind, has_ref, first)
                for kind, has_ref, first in {
                    (kind, ref is not None, "n" if body is None else '"')
                    for kind, ref, body in zip(kinds, refs, bodies, strict=True)
                }
            )
            and _uuids(ids)
            and _uuids([ref.id for ref in about])
            and all(ORIGIN.fullmatch(log) for log in {ref.log for ref in about})
            and _letters([ref.leaf for ref in about], 64, _HEX)
            and _letters(committed, 43, _URL_SAFE)
            and _LAST.issuperset([body[-1] for body in committed])
        )
    except (TypeError, UnicodeError):  # something is no text, or none that can be written
        return False


def _formed(name: str, text: str) -> bool:
    return re.fullmatch(FORMS[name], text, re.ASCII) is not None


def _times(text: str) -> bool:
    try:
        parse_time(text)
    except FormatError:
        return False
    return True


def _letters(texts: Collection[str], length: int, allowed: bytes) -> bool:
    """Whether all have that length and those letters only."""
    return set(map(len, texts)) <= {length} and not "".join(texts).encode().translate(None, allowed)


def _uuids(texts: Collection[str]) -> bool:
    """Whether all are UUIDv7 in lower case: hyphens, version and variant stand where they must."""
    joined = "".join(texts).encode()
    count = len(texts)
    return (
        set(map(len, texts)) <= {36}
        and len(joined) == 36 * count
        and all(
            joined[at::36] == letter * count
            for at, letter in ((8, b"-"), (13, b"-"), (14, b"7"), (18, b"-"), (23, b"-"))
        )
        and not joined[19::36].translate(None, b"89ab")
        and joined.translate(None, _HEX) == b"-" * (4 * count)
    )
