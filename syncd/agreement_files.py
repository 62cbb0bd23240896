"""The agreement's folder 协议目录 on disk: its files as one checked agreement, and the local ``members/`` in it."""

import shutil
from contextlib import suppress
from pathlib import Path

from syncd.agreement.load import AgreementError, load_agreement
from syncd.agreement.member import Member, format_member, load_member
from syncd.agreement.model import Agreement
from syncd.errors import NeedsPerson


def read_agreement(folder: Path) -> Agreement:
    """Read the agreement; ``members/`` is local and no part of it. Raises ``NeedsPerson`` naming file and field."""
    if not folder.is_dir():
        raise NeedsPerson(f"There is no agreement folder {folder}; set node.agreement in syncd.toml.")
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }
    return load_agreement(files)


class Versions:
    """The folder of further versions 协议版本: each folder in it with an ``agreement.toml`` is one.

    Called, it gives all that can be read; a folder that has not changed since is not read again. One that is new or has
    changed is read at the second look, once nothing in it moves any more: half of a folder that is still being copied
    may be sound by itself, and the text of a number is kept for good. The first call of all, at a start, reads at once.
    ``faults`` says what is wrong with the others, by folder.
    """

    def __init__(self, folder: Path, agreement: str) -> None:
        self._folder, self._agreement = folder, agreement
        self._seen: dict[Path, list[tuple[str, int, int]]] | None = None
        self._read: dict[Path, tuple[list[tuple[str, int, int]], Agreement | None]] = {}
        self.faults: dict[str, str] = {}

    def __call__(self) -> list[Agreement]:
        heads = sorted(self._folder.glob("*/agreement.toml")) if self._folder.is_dir() else []
        stamps = {head.parent: _stamps(head.parent) for head in heads if not head.parent.name.startswith(".")}
        before, self._seen = stamps if self._seen is None else self._seen, stamps
        found = [self._one(folder, now, now == before.get(folder)) for folder, now in stamps.items()]
        return [one for one in found if one is not None]

    def _one(self, folder: Path, stamps: list[tuple[str, int, int]], rests: bool) -> Agreement | None:
        known = self._read.get(folder)
        if known is None or known[0] != stamps:
            if not rests:
                return None
            self.faults.pop(folder.name, None)
            self._read[folder] = known = stamps, self._taken(folder)
        return known[1]

    def _taken(self, folder: Path) -> Agreement | None:
        try:
            read = read_agreement(folder)
        except NeedsPerson as error:
            self.faults[folder.name] = str(error)
            return None
        if read.id == self._agreement:
            return read
        self.faults[folder.name] = f"It is the agreement {read.id}, not a version of {self._agreement}."
        return None


def _stamps(folder: Path) -> list[tuple[str, int, int]]:
    """Each file with its time and size; what is gone between listing and asking shows at the next look."""
    found = []
    for path in folder.rglob("*.toml"):
        with suppress(FileNotFoundError):
            stat = path.stat()
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return sorted(found)


def put_version(versions: Path, folder: Path, agreement: Agreement) -> Path:
    """Put a version's files into the folder of versions, without its ``members/``; whole or not at all."""
    target = versions / str(agreement.version)
    if target.exists():
        if read_agreement(target).digest == agreement.digest:
            return target
        raise NeedsPerson(
            f"{target} holds another text of version {agreement.version}. Nothing was changed; a changed text is "
            "another version, with a number of its own."
        )
    fresh = versions / f".{agreement.version}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    for path, data in agreement.files.items():
        (fresh / path).parent.mkdir(parents=True, exist_ok=True)
        (fresh / path).write_bytes(data)
    fresh.rename(target)
    return target


def read_members(folder: Path) -> dict[str, Member]:
    """The members whose files are held, by code. Raises ``NeedsPerson`` naming the file that cannot be used."""
    return {member.code: member for _, member in _held(folder)}


def put_member(folder: Path, member: Member) -> None:
    """Hold a member's file, in the place of any other of the same code; whole or not at all."""
    place = folder / "members"
    place.mkdir(exist_ok=True)
    target = place / f"member-{member.code}.toml"
    fresh = target.with_name(target.name + ".new")
    fresh.write_text(format_member(member), "utf-8")
    fresh.replace(target)
    for path, held in _held(folder):
        if path != target and held.code == member.code:
            path.unlink()


def _held(folder: Path) -> list[tuple[Path, Member]]:
    return [(path, _read(path)) for path in sorted((folder / "members").glob("*.toml"))]


def _read(path: Path) -> Member:
    try:
        return load_member(path.read_bytes())
    except AgreementError as error:
        raise NeedsPerson(f"{path}: {error}") from None
