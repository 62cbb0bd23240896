"""The agreement's folder 协议目录 on disk: its files as one checked agreement, and the local ``members/`` in it."""

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
