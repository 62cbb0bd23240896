"""The proof bundle (证据包): one readable file by which a stranger verifies entries offline.

Each record is a leaf, its disclosure, and a C2SP tlog-proof (checkpoint with the lines collected) that can be cut out
and given to any other verifier. Text in UTF-8, lines end in a newline; a leaf or disclosure is one line of its exact
bytes, because canonical JSON holds no line break; a leaf that is not such text stands in base64.

    syncd-bundle v1
    about <what was asked for>
    made <time, UTC>
    known <member> <Unix seconds>        only where it shows what a member knew before that moment

    leaf | leaf64
    {"agreement":…}
    disclosure present | partial | erased | withheld | absent | none
    {"body":…,"salt":…}                  only after present and partial
    proof <number of lines>
    c2sp.org/tlog-proof@v1
    …

Records are parted by blank lines. Nothing is verified here; ``syncd.ledger.verdict`` does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from syncd.ledger.canonical import FormatError, b64, unb64
from syncd.ledger.checkpoint import parse_size
from syncd.ledger.disclosure import DISCLOSURE_LIMIT
from syncd.ledger.entry import LEAF_LIMIT

FIRST_LINE: Final = "syncd-bundle v1"
BUNDLE_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of a bundle at most."""
RECORDS_LIMIT: Final = 10_000

PRESENT, PARTIAL, ERASED, WITHHELD, ABSENT, NONE = "present", "partial", "erased", "withheld", "absent", "none"
STATES: Final = frozenset({PRESENT, PARTIAL, ERASED, WITHHELD, ABSENT, NONE})
"""``partial``: some items of a batch entry, the others null; ``absent``: owed and not there; ``none``: nothing is
committed to, as in a public entry."""

_VERSION = re.compile(r"syncd-bundle v[0-9]{1,4}", re.ASCII)
_ABOUT = re.compile("[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII)
_COUNT = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_MEMBER = re.compile(r"[0-9]{6}", re.ASCII)
_PLAIN_LEAF = re.compile("[^\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class BundleRecord:
    """One entry: the bytes of its leaf, the state of its disclosure, its bytes (empty if none), the tlog-proof."""

    leaf: bytes
    state: str
    disclosure: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """The bundle shows what ``member`` (its code) had countersigned before ``before``, Unix seconds."""

    member: str
    before: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one file holds. ``made`` is UTC text as in a leaf; it and ``about`` are the maker's word, unproven."""

    about: str
    made: str
    records: Sequence[BundleRecord]
    known: Known | None = None


def format_bundle(bundle: Bundle) -> bytes:
    """Return the file. Raises FormatError for what could not be read back."""
    lines = [FIRST_LINE, f"about {bundle.about}", f"made {bundle.made}"]
    if bundle.known is not None:
        lines.append(f"known {bundle.known.member} {bundle.known.before}")
    head = "".join(f"{line}\n" for line in lines).encode()
    data = b"\n".join([head, *map(_format_record, bundle.records)])
    if len(data) > BUNDLE_LIMIT or len(bundle.records) > RECORDS_LIMIT:
        raise FormatError(
            f"The bundle would hold {len(bundle.records)} records, {len(data)} bytes; verifiers take {RECORDS_LIMIT} "
            f"in {BUNDLE_LIMIT}. Nothing was written. Prove the findings one by one, each by its <log>:<index> from "
            "`syncd explain`, or hand over whole logs by `syncd ledger export`."
        )
    parse_bundle(data)
    return data


def parse_bundle(data: bytes) -> Bundle:
    """Read a file. Raises FormatError with the line that cannot be taken; nothing is verified yet."""
    if len(data) > BUNDLE_LIMIT:
        raise FormatError(f"The bundle is longer than {BUNDLE_LIMIT} bytes.")
    lines = _Lines(data)
    first = lines.take("the first line")
    if first != FIRST_LINE:
        if _VERSION.fullmatch(first):
            raise FormatError(f"This is a {first}; this program reads {FIRST_LINE}. Verify it with a newer one.")
        raise FormatError(f"This is no proof bundle: it does not begin with {FIRST_LINE}.")
    about = lines.word("about", _ABOUT)
    made = lines.word("made", _TIME)
    known = _known(lines) if lines.starts("known ") else None
    records = []
    while lines.left():
        if lines.take("a blank line"):
            lines.refuse("a blank line should stand between records")
        records.append(_record(lines))
        if len(records) > RECORDS_LIMIT:
            raise FormatError(f"The bundle has more than {RECORDS_LIMIT} records.")
    if not records:
        raise FormatError("The bundle holds no record.")
    return Bundle(about, made, records, known)


def _format_record(record: BundleRecord) -> bytes:
    leaf = record.leaf
    plain = _plain(leaf)
    lines = [b"leaf" if plain else b"leaf64", leaf if plain else b64(leaf).encode()]
    lines.append(f"disclosure {record.state}".encode())
    if record.state in (PRESENT, PARTIAL):
        lines.append(record.disclosure)
    proof = record.proof.removesuffix(b"\n")
    lines += [b"proof %d" % (proof.count(b"\n") + 1), proof]
    return b"".join([line + b"\n" for line in lines])


def _plain(leaf: bytes) -> bool:
    try:
        return _PLAIN_LEAF.fullmatch(leaf.decode()) is not None
    except UnicodeDecodeError:
        return False


def _known(lines: "_Lines") -> Known:
    member, _, seconds = lines.take("known")[len("known ") :].partition(" ")
    if not _MEMBER.fullmatch(member):
        lines.refuse("it names no member's code")
    return Known(member, parse_size(seconds))


def _record(lines: "_Lines") -> BundleRecord:
    leaf = _leaf(lines)
    state = lines.word("disclosure", re.compile("[a-z]+"))
    if state not in STATES:
        lines.refuse("the state of the disclosure is not known")
    disclosure = lines.take("the disclosure").encode() if state in (PRESENT, PARTIAL) else b""
    if len(disclosure) > DISCLOSURE_LIMIT:
        lines.refuse("the disclosure is too long")
    count = int(lines.word("proof", _COUNT))
    proof = "".join(f"{lines.take('the proof')}\n" for _ in range(count)).encode()
    return BundleRecord(leaf, state, disclosure, proof)


def _leaf(lines: "_Lines") -> bytes:
    word = lines.take("leaf")
    text = lines.take("the leaf")
    if word == "leaf":
        leaf = text.encode()
    elif word == "leaf64":
        leaf = unb64(text)
    else:
        lines.refuse("a record begins with leaf or leaf64")
    if len(leaf) > LEAF_LIMIT or (word == "leaf") != _plain(leaf):
        lines.refuse("the leaf is too long or not in its only spelling")
    return leaf


class _Lines:
    """The lines of a text, one after the other; a newline and nothing else ends one."""

    def __init__(self, data: bytes) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise FormatError("The bundle is not UTF-8.") from error
        if not text.endswith("\n"):
            raise FormatError("The bundle's last line does not end; it was cut off.")
        self._lines = text[:-1].split("\n")
        self._at = 0

    def left(self) -> bool:
        return self._at < len(self._lines)

    def starts(self, word: str) -> bool:
        return self.left() and self._lines[self._at].startswith(word)

    def take(self, what: str) -> str:
        if not self.left():
            raise FormatError(f"The bundle ends where {what} should stand; it was cut off.")
        self._at += 1
        return self._lines[self._at - 1]

    def word(self, name: str, form: re.Pattern[str]) -> str:
        """The rest of a line ``<name> <rest>`` of that form."""
        line = self.take(name)
        rest = line.removeprefix(f"{name} ")
        if rest == line or not form.fullmatch(rest):
            self.refuse(f"it should be {name} and its value")
        return rest

    def refuse(self, why: str) -> NoReturn:
        raise FormatError(f"Line {self._at} of the bundle: {why}.")
