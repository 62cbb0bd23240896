"""The bureau's own system opened from settings: where its secrets come from, and what is said where one is missing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.base import SourceError
from adapters.service import ServiceAdapter
from syncd.errors import NeedsPerson
from syncd.home_system import open_source, read_facts
from syncd.settings import Settings, read_settings

pytestmark = pytest.mark.fast

SOURCES = Path(__file__).parents[2] / "config" / "sources"
SECRET = "a-secret-nobody-should-see"


def settings(folder: Path, source: str) -> Settings:
    """A node's settings with this section of the source."""
    file = folder / "syncd.toml"
    file.write_text(f'[node]\ncode = "310114"\nagreement = "agreement"\n\n[source]\n{source}\n')
    return read_settings(file)


def service(folder: Path, login: str = "token") -> str:
    """A facts page of the service mode in the folder."""
    page = (SOURCES / "jiading.toml").read_text("utf-8")
    (folder / "facts.toml").write_text(page.replace("[service]\n", f'[service]\nlogin = "{login}"\n'))
    return 'facts = "facts.toml"\nurl = "https://192.0.2.1/"\n'


def test_a_secret_in_the_settings_file_is_refused_unseen(tmp_path: Path) -> None:
    with pytest.raises(NeedsPerson, match="SYNCD_SOURCE__TOKEN") as caught:
        settings(tmp_path, service(tmp_path) + f'token = "{SECRET}"')
    assert SECRET not in str(caught.value)


def test_a_token_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_SOURCE__TOKEN", SECRET)
    made = settings(tmp_path, service(tmp_path))
    assert SECRET not in repr(made)
    source = open_source(made, bytes(32))
    assert source is not None and isinstance(source.adapter, ServiceAdapter)
    source.close()


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    for login, added, said in (
        ("token", "", "source.token_file"),
        ("token", 'token_file = "nowhere"', "cannot be read"),
        ("oauth2", 'client_secret_file = "s"', "source.client_id"),
        ("oauth2", 'client_id = "n"', "source.client_secret_file"),
    ):
        with pytest.raises(NeedsPerson, match=said):
            open_source(settings(tmp_path, service(tmp_path, login) + added), bytes(32))
    (tmp_path / "s").write_text(SECRET)
    with pytest.raises(SourceError, match="token_path"):
        open_source(
            settings(tmp_path, service(tmp_path, "oauth2") + 'client_id = "n"\nclient_secret_file = "s"'), bytes(32)
        )


def test_orders_go_where_orders_url_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = SOURCES / "taicang.toml"
    columns = read_facts(page).push
    for name in ("read.db", "orders.db"):
        with closing(sqlite3.connect(tmp_path / name)) as front:
            front.execute(f"CREATE TABLE cjd ({', '.join(columns)}, PRIMARY KEY (CJD_RDBH, CJD_CS))")
    monkeypatch.setenv("SYNCD_SOURCE__ORDERS_URL", f"sqlite:///{tmp_path}/orders.db")
    monkeypatch.setenv("SYNCD_SOURCE__URL", f"sqlite:///{tmp_path}/read.db")
    source = open_source(settings(tmp_path, f'facts = "{page}"'), bytes(32))
    assert source is not None
    source.push([dict.fromkeys(columns, 1)])
    source.close()
    held = []
    for name in ("read.db", "orders.db"):
        with closing(sqlite3.connect(tmp_path / name)) as front:
            held.append(front.execute("SELECT count(*) FROM cjd").fetchone()[0])
    assert held == [0, 1]
