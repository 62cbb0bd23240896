"""The form of an export on disk 导出目录, and of its pages; ``docs/ledger-format.md`` shows the bytes.

    public/trust.policy                          by which everything below is verified
    public/<origin>/                             a C2SP tlog-tiles tree, for any web server
        checkpoint  log.vkey  witnesses.vkey  trust.policy
        tile/<L>/<N>[.p/<W>]  tile/entries/<N>[.p/<W>]
    private/<origin>/                            never to be served
        checkpoints/<N>[.p/<W>]                  every listed checkpoint with all its lines, in pages of 256 sizes
        disclosures/<N>[.p/<W>]                  in pages of 256 entries
        marks                                    by which a later export knows which pages have changed

A page of disclosures holds for each entry four letters, a uint32 length (big-endian) and so many bytes; uncompressed,
so that a byte that has changed spoils one record. Four letters, for one flipped bit must not make one state another.
"""

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from syncd.ledger.audited import Disclosed
from syncd.ledger.bundle import ABSENT, ERASED, NONE, PARTIAL, PRESENT, WITHHELD
from syncd.ledger.tiles import ENTRIES, tile_path

PUBLIC: Final = "public"
PRIVATE: Final = "private"
TRUST: Final = "trust.policy"
LETTERS: Final = {
    PRESENT: b"pres",
    PARTIAL: b"part",
    ERASED: b"eras",
    WITHHELD: b"with",
    ABSENT: b"abse",
    NONE: b"none",
}
_STATES = {letters: state for state, letters in LETTERS.items()}
_LENGTH = struct.Struct(">I")


def page(folder: Path, kind: str, n: int, width: int) -> Path:
    """Where page ``n`` of that kind lies, by the naming of entry bundles."""
    return folder / kind / tile_path(ENTRIES, n, width).removeprefix("tile/entries/")


def format_entries(leaves: Iterable[bytes]) -> bytes:
    """An entry bundle (C2SP tlog-tiles): each leaf behind its length in two bytes, big-endian."""
    return b"".join([len(leaf).to_bytes(2, "big") + leaf for leaf in leaves])


def format_disclosures(found: Iterable[Disclosed]) -> bytes:
    """A page of disclosures."""
    return b"".join([LETTERS[one.state] + _LENGTH.pack(len(one.data)) + one.data for one in found])


def parse_disclosures(data: bytes, width: int) -> Sequence[Disclosed]:
    """The disclosures of a page; from the first that cannot be read on, each is marked so."""
    found: list[Disclosed] = []
    at = 0
    while len(found) < width:
        state = _STATES.get(data[at : at + 4])
        length = _LENGTH.unpack_from(data, at + 4)[0] if at + 8 <= len(data) else -1
        if state is None or length < 0 or at + 8 + length > len(data):
            found.append(Disclosed(PRESENT, fault="page_broken"))
            return [*found, *[Disclosed(PRESENT, fault="behind_a_broken_one")] * (width - len(found))]
        found.append(Disclosed(state, data[at + 8 : at + 8 + length]))
        at += 8 + length
    if at != len(data):
        found[-1] = Disclosed(found[-1].state, found[-1].data, "page_broken")
    return found


def format_notes(notes: Iterable[bytes]) -> bytes:
    """A page of checkpoints: notes, each followed by a blank line."""
    return b"".join([note + b"\n" for note in notes])
