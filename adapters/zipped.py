"""Zip files as bureaus send them: members are read one by one where they lie; nothing is ever unpacked onto a disk.

Bounds hold for what the members come to when unpacked, by the archive's own word; no member is read beyond what it was
said to hold, and its checksum must fit at its end.
"""

import io
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

from adapters.csvtext import Opened
from adapters.heading import Line, file_fault

PACKED_BYTES = 64 * 1024 * 1024
UNPACKED_BYTES = 512 * 1024 * 1024
MEMBERS = 200
_LEFT = ("__MACOSX/", ".DS_Store", "Thumbs.db", "~$")
_ENCRYPTED = 0x1
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_TABLES = (".csv", ".txt", ".tsv", ".xlsx", ".xls")


def members(name: str, opened: Opened) -> Iterator[tuple[str, Opened] | Line]:
    """The tables in a zip file, each with a way to read it from its beginning; faults come as lines."""
    with opened() as file:
        data = file.read(PACKED_BYTES + 1)
    if len(data) > PACKED_BYTES:
        yield file_fault(name, "too_large", "The zip file is larger than 64 MiB; nothing of it was read.")
        return
    try:
        archive = _archive(data)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, UnicodeDecodeError):
        yield file_fault(name, "no_archive", "The file is no zip file, or damaged; nothing of it was read.")
        return
    with archive:
        found = [one for one in archive.infolist() if not one.is_dir() and not _left(one.filename)]
        if len(found) > MEMBERS or sum(one.file_size for one in found) > UNPACKED_BYTES:
            sentence = f"The zip file holds more than {MEMBERS} files, or more than 512 MiB; nothing of it was read."
            yield file_fault(name, "too_large", sentence)
            return
        for one in found:
            inside = f"{name}/{one.filename}"
            yield _fault(inside, one) or (inside, partial(archive.open, one))


def _archive(data: bytes) -> zipfile.ZipFile:
    """The archive. Names without a mark of their encoding are read as GB18030, as programs here write them."""
    try:
        return zipfile.ZipFile(io.BytesIO(data), metadata_encoding="gb18030")
    except UnicodeDecodeError:
        return zipfile.ZipFile(io.BytesIO(data))


def _left(name: str) -> bool:
    return name.startswith(_LEFT) or PurePosixPath(name).name.startswith(_LEFT)


def _fault(inside: str, one: zipfile.ZipInfo) -> Line | None:
    path = PurePosixPath(one.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in one.filename:
        return file_fault(inside, "member_path", "The member's name leads out of the zip file; it was not read.")
    if one.flag_bits & _ENCRYPTED:
        return file_fault(inside, "locked", "The member is locked by a password; it was not read.")
    if one.compress_type not in _PACKINGS:
        return file_fault(inside, "no_archive", "The member is packed in a way that is not read here; pack it anew.")
    if path.suffix.lower() not in _TABLES:
        return file_fault(inside, "no_table", "The member is no CSV, XLSX or XLS file; it was not read.")
    return None
