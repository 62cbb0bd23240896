"""Two small text files in the words of C2SP tlog-policy: whom this node witnesses 见证, and who witnesses it.

* ``log <vkey> [<origin>]``: an outsider's log that this node countersigns; the origin is the key's name if left out,
  and several lines of one origin are keys of which any is enough.
* ``witness <name> <vkey> <url>``: an outside witness that is asked to countersign this node's log; ``url`` is its
  submission prefix, to which ``/add-checkpoint`` is added.

Blank lines and lines that begin with ``#`` are skipped.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from syncd.ledger.canonical import FormatError
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteVerifier

_URL = re.compile(r"https://[!-~]+", re.ASCII)
_ORIGIN_LIMIT = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class OutsideWitness:
    """A witness outside the agreement: its name here, its key, and its submission prefix."""

    name: str
    key: NoteVerifier
    url: str


def parse_witnessed(data: bytes) -> dict[str, list[NoteVerifier]]:
    """The outsiders' logs by origin, with their keys. Raises FormatError with the number of the line."""
    found: dict[str, list[NoteVerifier]] = {}
    for number, words in _lines(data):
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                key = _key(number, vkey, LOG_KEY)
                origin = words[2] if len(words) == 3 else key.name
                if len(origin) > _ORIGIN_LIMIT:
                    raise FormatError(f"Line {number}: the origin is longer than {_ORIGIN_LIMIT} characters.")
                found.setdefault(origin, []).append(key)
            case _:
                raise FormatError(f"Line {number} is not of the form log <vkey> [<origin>].")
    return found


def parse_outside(data: bytes) -> list[OutsideWitness]:
    """The outside witnesses, in the file's order. Raises FormatError with the number of the line."""
    found: list[OutsideWitness] = []
    for number, words in _lines(data):
        match words:
            case ["witness", name, vkey, url] if _NAME.fullmatch(name) and _URL.fullmatch(url):
                if any(name == one.name for one in found) or name.isdigit() or name in ("none", "members"):
                    raise FormatError(f"Line {number}: the name is taken, or could be a member's code.")
                found.append(OutsideWitness(name, _key(number, vkey, COSIGNATURE_KEY), url.rstrip("/")))
            case _:
                raise FormatError(f"Line {number} is not of the form witness <name> <vkey> <https url>.")
    return found


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise FormatError("The file is not UTF-8.") from error
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if words and not words[0].startswith("#"):
            yield number, words


def _key(number: int, vkey: str, kind: int) -> NoteVerifier:
    try:
        key = NoteVerifier.parse(vkey)
    except FormatError as error:
        raise FormatError(f"Line {number}: {error}") from error
    if key.kind != kind:
        raise FormatError(f"Line {number}: the key is not of type {kind}.")
    return key
