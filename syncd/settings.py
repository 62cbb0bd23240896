"""Configuration of one bureau's node: read once from ``syncd.toml`` and the environment, checked once.

Relative paths are taken from the folder of the file. Environment variables ``SYNCD_<SECTION>__<NAME>`` win over
the file, so that a secret needs not stand in it. Nothing here opens the store or a connection.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from syncd.errors import NeedsPerson


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _region(code: str) -> str:
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
        raise ValueError("a region is six digits of GB/T 2260")
    return code


class NodeSettings(_Section):
    """Who this node is and where it keeps what is its own."""

    code: Annotated[str, AfterValidator(_region)] = Field(description="GB/T 2260 code of the bureau 区划代码")
    data: Path = Field(default=Path("."), description="folder of keys, locks and the socket")
    agreement: Path = Field(description="folder of the agreement 协议, with its local members/")
    versions: Path = Field(default=Path("versions"), description="folder of the agreement's further versions 协议版本")
    sm2: bool = Field(default=False, description="sign each checkpoint by SM2 too 国密; needs the extra gm")
    allow_candidates: bool = Field(
        default=False, description="demonstration only 演示: lets candidates and measures without a basis act"
    )
    scoring: Path | None = Field(default=None, description="tables by which credit reviews are counted 考核")


class StoreSettings(_Section):
    """Where the store lies: SQLite by default, PostgreSQL by URL."""

    url: str = "sqlite:///syncd.db"
    keys: Path = Field(
        default=Path("record-keys.db"), description="record keys, kept out of database backups (LEDGER §3)"
    )


class ServerSettings(_Section):
    """The HTTPS address at which peers reach this node."""

    host: str = "127.0.0.1"
    port: int = Field(default=8443, ge=1, le=65535)


class SourceSettings(_Section):
    """The bureau's own system 前置系统: its facts page, and how to reach it.

    A secret stands in a file of its own (``…_file``) or comes by the environment; no repr, message or log shows it.
    """

    facts: Path
    url: str | None = None
    orders_url: SecretStr | None = None
    folder: Path | None = None
    ca_file: Path | None = None
    token_file: Path | None = None
    token: SecretStr | None = None
    client_id: str | None = None
    client_secret_file: Path | None = None
    client_secret: SecretStr | None = None
    token_url: str | None = None
    known_hosts: Path | None = None
    key_file: Path | None = None
    password_file: Path | None = None
    password: SecretStr | None = None
    every_seconds: float = Field(default=60.0, gt=0)
    acknowledgements_seconds: float = Field(default=5.0, gt=0)
    full_comparison_hours: float = Field(default=24.0, gt=0)


SECRETS = ("token", "client_secret", "password")
"""Settings of the source that may come by the environment and never stand in the file."""


class KeySettings(_Section):
    """A passphrase for the private keys, from the environment or a file; none by default."""

    passphrase: SecretStr | None = Field(default=None, description="give it as SYNCD_KEYS__PASSPHRASE")
    passphrase_file: Path | None = None


class WitnessSettings(_Section):
    """Witnessing 见证: outsiders' logs that this node countersigns, and outside witnesses of its own log."""

    logs: Path | None = Field(default=None, description="file of outsiders' logs: log <vkey> [<origin>]")
    witnesses: Path | None = Field(default=None, description="file of outside witnesses: witness <name> <vkey> <url>")
    ca_file: Path | None = None


class WatchSettings(_Section):
    """What is looked at by itself: others' checkpoints, and how long one may stay provisional."""

    cross_check_minutes: float = Field(default=50.0, gt=0, le=60)
    provisional_minutes: float = Field(default=60.0, gt=0)


class LoggingSettings(_Section):
    """structlog JSON lines to standard output; one canonical line a unit of work."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """All settings of a node; ``folder`` is where relative paths start."""

    model_config = SettingsConfigDict(env_prefix="SYNCD_", env_nested_delimiter="__", extra="forbid", frozen=True)

    folder: Path
    node: NodeSettings
    store: StoreSettings = StoreSettings()
    server: ServerSettings = ServerSettings()
    source: SourceSettings | None = None
    keys: KeySettings = KeySettings()
    witness: WitnessSettings = WitnessSettings()
    watch: WatchSettings = WatchSettings()
    logging: LoggingSettings = LoggingSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file (whose content arrives as init arguments)."""
        return env_settings, init_settings

    def path(self, relative: Path) -> Path:
        """A path of the settings, made absolute from the folder of ``syncd.toml``."""
        return relative if relative.is_absolute() else self.folder / relative

    @property
    def data(self) -> Path:
        """The node's own folder."""
        return self.path(self.node.data)

    @property
    def passphrase(self) -> bytes | None:
        """The passphrase of the private keys, or None. Raises ``NeedsPerson`` if its file cannot be read."""
        if self.keys.passphrase is not None:
            return self.keys.passphrase.get_secret_value().encode()
        if self.keys.passphrase_file is None:
            return None
        path = self.path(self.keys.passphrase_file)
        try:
            if path.stat().st_mode & 0o077:
                raise NeedsPerson(f"{path} can be read by others. Nothing was started; run chmod 600 on it.")
            return path.read_bytes().rstrip(b"\r\n")
        except OSError as error:
            raise NeedsPerson(f"{path} cannot be read ({error.strerror}). Nothing was started.") from None

    @property
    def store_url(self) -> str:
        """The store's URL; a relative SQLite file is taken from the data folder."""
        prefix = "sqlite:///"
        if not self.store.url.startswith(prefix):
            return self.store.url
        return prefix + str(self.data / self.store.url.removeprefix(prefix))


def read_settings(file: Path) -> Settings:
    """Read and check ``syncd.toml``.

    Raises ``NeedsPerson`` with the field's name and what it should be; values are not repeated.
    """
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise NeedsPerson(f"There is no settings file {file}; `syncd init` makes one.") from None
    except OSError as error:
        raise NeedsPerson(f"The settings file {file} cannot be read ({error.strerror}). Nothing was started.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NeedsPerson(f"{file} is not valid TOML: {error}. Nothing was started.") from None
    content.pop("folder", None)
    section = content.get("source")
    if isinstance(section, dict) and (open_secrets := [name for name in SECRETS if name in section]):
        named = ", ".join(f"source.{name}" for name in open_secrets)
        raise NeedsPerson(
            f"{file} holds a secret in the open: {named}. Put it into a file of its own "
            f"(source.{open_secrets[0]}_file) or into the environment (SYNCD_SOURCE__{open_secrets[0].upper()}). "
            "Nothing was started."
        )
    try:
        return Settings(folder=file.resolve().parent, **content)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()
        )
        raise NeedsPerson(f"{file} cannot be used: {faults}. Nothing was started.") from None
