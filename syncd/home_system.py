"""The bureau's own system 前置系统 opened: its facts page says in which mode, ``[source]`` in ``syncd.toml`` where.

A bureau whose system speaks one of the three modes needs no code. One that does not gets an adapter of its own
(``adapters.base.Adapter``), which is imported and chosen here, by name, and nowhere else.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from adapters.base import Adapter, SourceError
from adapters.facts import SourceFacts, parse_facts
from adapters.source import Source
from syncd import keyring
from syncd.errors import NeedsPerson
from syncd.settings import NodeSettings, Settings, SourceSettings, read_settings

T = TypeVar("T")
PAGES, SETTINGS = Path("config/sources"), Path("syncd.toml")
"""Where a page is looked for by its name, and the settings that are taken if they are there."""


@dataclass(frozen=True)
class Home:
    """A source that a command is about, with or without a node: its facts page, and its settings as far as known."""

    page: Path
    facts: SourceFacts
    settings: Settings

    @property
    def row_key(self) -> bytes:
        """The node's key of rows; without a node one for this time alone: hashed row names then differ each time."""
        keys = self.settings.data / "keys"
        return keyring.load(keys, self.settings.passphrase).row_key if keys.is_dir() else secrets.token_bytes(32)

    def adapter(self, facts: SourceFacts) -> Adapter:
        """The adapter of its mode, by ``facts``; reading changes nothing there. Raises ``NeedsPerson``."""
        assert self.settings.source is not None
        return open_adapter(self.settings, self.settings.source, facts, dry=True)


def find_home(name: str, config: Path | None, given: Mapping[str, str]) -> Home:
    """The source ``name``: a page's file, the node's own source, or a page in ``config/sources/``.

    ``given`` are settings of ``[source]`` that hold in place of the node's. Raises ``NeedsPerson``.
    """
    file = config or SETTINGS
    node = read_settings(file) if config is not None or file.is_file() else None
    own = node.source if node is not None else None
    page, section = _page(name, node), {}
    if node is not None and own is not None and page == node.path(own.facts):
        section = own.model_dump(exclude_none=True)
    try:
        source = SourceSettings.model_validate({**section, **_from_here(given), "facts": page})
    except ValidationError as error:
        names = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        raise NeedsPerson(
            f"These settings of the source cannot be used: {names} ([source] in docs/settings.md)."
        ) from None
    folder = node.folder if node is not None else Path.cwd()
    anybody = NodeSettings(code="000000", agreement=Path("."))
    settings = Settings(folder=folder, node=node.node if node is not None else anybody, source=source)
    return Home(page, read_facts(page), settings)


def _from_here(given: Mapping[str, str]) -> dict[str, str | Path]:
    """Paths as they are typed start at the working folder, those of a settings file at its own."""
    paths = {name for name, field in SourceSettings.model_fields.items() if "Path" in str(field.annotation)}
    return {name: Path(value).absolute() if name in paths else value for name, value in given.items()}


def _page(name: str, node: Settings | None) -> Path:
    if name.endswith(".toml"):
        return Path(name).absolute()
    if node is not None and node.source is not None:
        own = node.path(node.source.facts)
        if own.stem == name or (own.is_file() and read_facts(own).source.id == name):
            return own
    return (PAGES / f"{name}.toml").absolute()


def open_source(settings: Settings, row_key: bytes) -> Source | None:
    """The bureau's own system, or None if the settings name none. Nobody is contacted yet.

    Raises ``NeedsPerson`` for a setting or file that is missing, ``SourceError`` for a facts page that is wrong.
    """
    section = settings.source
    if section is None:
        return None
    facts = read_facts(settings.path(section.facts))
    if facts.unnamed:
        raise NeedsPerson(
            f"The facts page {settings.path(section.facts)} names no publisher yet ([publisher]); fill it in and "
            "try it with `syncd adapter check`. Nothing was started."
        )
    return Source(open_adapter(settings, section, facts), facts, row_key)


def ask_place(section: SourceSettings) -> None:
    """Raises ``NeedsPerson`` and ``SourceError`` where there is no facts page, or not the place that its mode needs.

    Paths start at the working folder. What else the mode needs may be written into the settings later.
    """
    mode = read_facts(section.facts).source.mode
    if section.url is None and (mode != "files" or section.folder is None):
        needed = "--source-folder, or --source-url for SFTP" if mode == "files" else "--source-url"
        raise NeedsPerson(f"The mode of {section.facts} is {mode}, which needs {needed}. Nothing was made.")


def read_facts(file: Path) -> SourceFacts:
    """The facts page 来源说明 in a file."""
    try:
        return parse_facts(file.read_bytes())
    except OSError:
        raise NeedsPerson(
            f"There is no facts page {file} (source.facts); `syncd adapter new` writes one. Nothing was started."
        ) from None


def open_adapter(settings: Settings, section: SourceSettings, facts: SourceFacts, dry: bool = False) -> Adapter:
    """The adapter of the page's mode; a mode imports its libraries when it is used."""
    if facts.source.mode == "service":
        return _service(settings, section, facts)
    if facts.source.mode == "files":
        return _files(settings, section, facts, dry)
    from adapters.database import DatabaseAdapter

    orders_url = section.orders_url.get_secret_value() if section.orders_url else None
    return DatabaseAdapter(_needed(section.url, "url", "database"), facts, orders_url)


def _service(settings: Settings, section: SourceSettings, facts: SourceFacts) -> Adapter:
    from adapters.service import ServiceAdapter, ServiceConnection

    url = _needed(section.url, "url", "service")
    ca_file = settings.path(section.ca_file) if section.ca_file else None
    by_client = facts.service is not None and facts.service.login == "oauth2"
    client_id = _needed(section.client_id, "client_id", "service with client credentials") if by_client else ""
    secret = _secret(settings, section, "client_secret" if by_client else "token")
    return ServiceAdapter(ServiceConnection(url, secret, ca_file, client_id, section.token_url or ""), facts)


def _files(settings: Settings, section: SourceSettings, facts: SourceFacts, dry: bool) -> Adapter:
    """Its folder on this machine, or by SFTP where ``url`` says so. A dry reading moves no file."""
    from adapters.files import FilesAdapter

    if section.url is None:
        return FilesAdapter(settings.path(_needed(section.folder, "folder or source.url", "files")), facts, not dry)
    from adapters.sftp import SftpFolder
    from adapters.ssh import SftpPlace

    known_hosts = settings.path(_needed(section.known_hosts, "known_hosts", "files by SFTP"))
    key_file = settings.path(section.key_file) if section.key_file else None
    with_password = section.password is not None or section.password_file is not None
    if key_file is None and not with_password:
        _needed(key_file, "key_file or source.password_file", "files by SFTP")
    password = _secret(settings, section, "password") if with_password else None
    return FilesAdapter(SftpFolder(SftpPlace.parse(section.url, known_hosts, key_file, password)), facts, not dry)


def _needed(value: T | None, name: str, mode: str) -> T:
    if value is None:
        raise NeedsPerson(f"The source's mode is {mode}, which needs source.{name} in syncd.toml. Nothing was started.")
    return value


def _secret(settings: Settings, section: SourceSettings, name: str) -> Callable[[], str]:
    """A secret of the source: by the environment, or read from its file each time, so that it may be exchanged.

    Raises ``NeedsPerson`` where there is none now; the call raises ``SourceError`` where there is none any more.
    """
    given, file = getattr(section, name), getattr(section, f"{name}_file")
    if given is not None:
        return lambda: str(given.get_secret_value())
    path = settings.path(_needed(file, f"{name}_file", "one with a secret"))

    def read() -> str:
        try:
            return path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SourceError(f"The file {path} cannot be read (source.{name}_file).", transient=False) from None

    try:
        read()
    except SourceError as error:
        raise NeedsPerson(f"{error.sentence} Nothing was started.") from None
    return read
