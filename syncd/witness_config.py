"""The two files of witnessing 见证 that the settings may name, read from disk: outsiders' logs, outside witnesses."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from syncd.errors import NeedsPerson
from syncd.ledger.canonical import FormatError
from syncd.ledger.notes import NoteVerifier
from syncd.ledger.witness_files import OutsideWitness, parse_outside, parse_witnessed
from syncd.settings import Settings

_T = TypeVar("_T")


def witnessed_of(settings: Settings) -> Mapping[str, Sequence[NoteVerifier]]:
    """Outsiders' logs by origin. Raises ``NeedsPerson`` naming file and line."""
    return _read(settings, settings.witness.logs, parse_witnessed, {})


def outside_of(settings: Settings) -> Sequence[OutsideWitness]:
    """Outside witnesses of this node's log. Raises ``NeedsPerson`` naming file and line."""
    return _read(settings, settings.witness.witnesses, parse_outside, [])


def _read(settings: Settings, file: Path | None, parse: Callable[[bytes], _T], empty: _T) -> _T:
    if file is None:
        return empty
    path = settings.path(file)
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise NeedsPerson(f"{path} cannot be read ({error.strerror}). Nothing was started.") from None
    except FormatError as error:
        raise NeedsPerson(f"{path}: {error} Nothing was started.") from None
