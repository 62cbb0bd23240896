"""The bureau's own system 前置系统 opened: its facts page says in which mode, ``[source]`` in ``syncd.toml`` where.

A bureau whose system speaks one of the three modes needs no code. One that does not gets an adapter of its own
(``adapters.base.Adapter``), which is imported and chosen here, by name, and nowhere else.
"""

from pathlib import Path
from typing import TypeVar

from adapters.base import Adapter
from adapters.facts import SourceFacts, parse_facts
from adapters.source import Source
from syncd.errors import NeedsPerson
from syncd.settings import Settings, SourceSettings

T = TypeVar("T")


def open_source(settings: Settings, row_key: bytes) -> Source | None:
    """The bureau's own system, or None if the settings name none. Nobody is contacted yet.

    Raises ``NeedsPerson`` for a setting or file that is missing, ``SourceError`` for a facts page that is wrong.
    """
    section = settings.source
    if section is None:
        return None
    facts = read_facts(settings.path(section.facts))
    return Source(open_adapter(settings, section, facts), facts, row_key)


def read_facts(file: Path) -> SourceFacts:
    """The facts page 来源说明 in a file."""
    try:
        return parse_facts(file.read_bytes())
    except OSError:
        raise NeedsPerson(
            f"There is no facts page {file} (source.facts); `syncd adapter new` writes one. Nothing was started."
        ) from None


def open_adapter(settings: Settings, section: SourceSettings, facts: SourceFacts) -> Adapter:
    """The adapter of the page's mode; a mode imports its libraries when it is used."""
    if facts.source.mode == "service":
        from adapters.service import ServiceAdapter, ServiceConnection

        ca_file = settings.path(_needed(section.ca_file, "ca_file", "service"))
        token = _secret(settings, _needed(section.token_file, "token_file", "service"))
        return ServiceAdapter(ServiceConnection(_needed(section.url, "url", "service"), token, ca_file), facts)
    if facts.source.mode == "files":
        from adapters.files import FilesAdapter

        return FilesAdapter(settings.path(_needed(section.folder, "folder", "files")), facts)
    from adapters.database import DatabaseAdapter

    return DatabaseAdapter(_needed(section.url, "url", "database"), facts)


def _needed(value: T | None, name: str, mode: str) -> T:
    if value is None:
        raise NeedsPerson(f"The source's mode is {mode}, which needs source.{name} in syncd.toml. Nothing was started.")
    return value


def _secret(settings: Settings, file: Path) -> str:
    try:
        return settings.path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise NeedsPerson(f"The file {settings.path(file)} cannot be read (source.token_file).") from None
