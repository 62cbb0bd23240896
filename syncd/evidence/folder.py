"""An exported log read from its folder 导出目录, as the audit wants it: bundle by bundle, nothing kept behind."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from syncd.errors import NeedsPerson
from syncd.evidence.layout import PRIVATE, PUBLIC, TRUST, format_entries, page, parse_disclosures
from syncd.ledger.audited import Disclosed, Listed, Rows
from syncd.ledger.bundle import WITHHELD
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import parse_checkpoint, split_notes
from syncd.ledger.notes import parse_note
from syncd.ledger.policy import Policy
from syncd.ledger.regrow import BUNDLE
from syncd.ledger.tiles import ENTRIES, parse_tile_path, tile_path
from syncd.ledger.tree import HASH_BYTES, TILE_HEIGHT


def logs_in(root: Path) -> list[str]:
    """The origins of the logs that an export holds. Raises NeedsPerson if it holds none."""
    public = root / PUBLIC
    found = sorted(path.parent.relative_to(public).as_posix() for path in public.glob("*/*/*/checkpoint"))
    if not found:
        raise NeedsPerson(f"{root} holds no exported log: there is no {PUBLIC}/<origin>/checkpoint. Nothing was read.")
    return found


class FolderLog:
    """One log of an export. Whether its disclosures were exported at all is told by their folder."""

    def __init__(self, root: Path, origin: str) -> None:
        self.origin = origin
        self._root = root
        self._trust = trust_file(root)
        self._public = root / PUBLIC / origin
        self._private = root / PRIVATE / origin
        self._withheld = not (self._private / "disclosures").is_dir()
        self._size = self._signed_size()

    def newest(self) -> bytes:
        """The checkpoint at the head of the tree."""
        return _read(self._public / "checkpoint")

    def rows(self, n: int) -> Rows:
        """The entries of a bundle, as long as they can be read."""
        data = _read(self._public / tile_path(ENTRIES, n, self._width(n)))
        leaves: list[bytes] = []
        at, last = 0, len(data)
        while at + 2 <= last:
            end = at + 2 + (data[at] << 8 | data[at + 1])
            if end > last:
                break
            leaves.append(data[at + 2 : end])
            at = end
        if (at != last and leaves) or len(leaves) > BUNDLE:
            return Rows(leaves[:BUNDLE], None, {min(len(leaves), BUNDLE) - 1: "bytes behind it that are no entry"})
        return Rows(leaves)

    def tile(self, level: int, n: int, width: int) -> bytes:
        """A tile as wide as it is at the checkpoint's size, cut to ``width``."""
        held = min(BUNDLE, (self._size >> level * TILE_HEIGHT) - n * BUNDLE)
        data = _read(self._public / tile_path(level, n, held)) if held > 0 else b""
        return data[: width * HASH_BYTES] if len(data) == held * HASH_BYTES else b""

    def listed(self, n: int) -> Iterator[Listed]:
        """The checkpoints of a page; behind one that cannot be read its page ends."""
        data, at, last = _read(page(self._private, "checkpoints", n, self._width(n))), 0, n * BUNDLE
        while at < len(data):
            try:
                (note,), end = split_notes(data, at, 1)
                size = parse_checkpoint(parse_note(note).text).size
            except FormatError as error:
                yield Listed(last, b"", f"the one behind it cannot be read: {error}")
                return
            if not last < size <= (n + 1) * BUNDLE:
                yield Listed(last, note, f"behind it stands one of size {size}")
                return
            yield Listed(size, note)
            at, last = end, size

    def disclosures(self, n: int) -> Sequence[Disclosed]:
        """The disclosures of a page; all withheld if none were exported."""
        width = self._width(n)
        if self._withheld:
            return [Disclosed(WITHHELD)] * width
        return parse_disclosures(_read(page(self._private, "disclosures", n, width)), width)

    def elsewhere(self, level: int) -> "Callable[[], FolderLog]":
        """What opens this log in another process."""
        return partial(FolderLog, self._root, self.origin)

    def beside(self, policy: Policy) -> Iterator[tuple[str, str]]:
        """Files of the public tree that differ from what they should be, and a code for each: the keys, and partial
        tiles of earlier checkpoints, which are the beginnings of those that took their place.
        """
        logs = [key.vkey for key in policy.logs if key.name == self.origin]
        witnesses = [key.vkey for key in policy.witnesses.values()]
        for name, vkeys in (("log.vkey", logs), ("witnesses.vkey", witnesses)):
            if _read(self._public / name) != "".join(f"{vkey}\n" for vkey in vkeys).encode():
                yield name, "keys_differ"
        if _read(self._public / TRUST) != _read(self._trust):
            yield TRUST, "keys_differ"
        for path in sorted(self._public.glob("tile/**/*.p/*")):
            name = path.relative_to(self._public).as_posix()
            try:
                level, n, width = parse_tile_path(name)
            except FormatError:
                yield name, "not_a_tile"
                continue
            if path.read_bytes() != self._beginning(level, n, width):
                yield name, "tile_differs"

    def _beginning(self, level: int, n: int, width: int) -> bytes:
        if level != ENTRIES:
            return self.tile(level, n, width)
        return format_entries(self.rows(n).leaves[:width])

    def _width(self, n: int) -> int:
        return max(1, min(BUNDLE, self._size - n * BUNDLE))

    def _signed_size(self) -> int:
        try:
            return parse_checkpoint(parse_note(self.newest()).text).size
        except FormatError:
            return 0


def trust_file(root: Path) -> Path:
    """The policy that an export brings along; worth as much as the comparison of its fingerprint."""
    return root / PUBLIC / TRUST


def _read(path: Path) -> bytes:
    """A file's bytes; nothing for one that is not there, for the audit says what that means."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""
