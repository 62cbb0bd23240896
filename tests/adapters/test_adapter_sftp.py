"""The files mode on a real SFTP server: the promise, one pinned key, and connections that break."""

from collections.abc import Iterator
from pathlib import Path

import asyncssh
import orjson
import pytest
from adapter_promise import AdapterPromise, findings, pages
from adapter_rows import csv_bytes, facts_of, order, penalty, put_file
from adapter_sftp import PASSWORD, SftpServer
from test_adapter_files import FilesSystem

from adapters.base import SourceError
from adapters.files import FilesAdapter
from adapters.sftp import SftpFolder
from adapters.ssh import SftpPlace

pytestmark = pytest.mark.fast


class SftpSystem(FilesSystem):
    """The folder of the files mode, reached by SFTP; the bureau's own people work on it directly."""

    def __init__(self, folder: Path, server: SftpServer) -> None:
        super().__init__(folder)
        self.server = server
        self.place = SftpPlace.parse(server.url, server.known_hosts, server.key_file, lambda: PASSWORD)

    def adapter(self) -> FilesAdapter:
        return FilesAdapter(SftpFolder(self.place), self.facts)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SftpSystem]:
    root = tmp_path / "root"
    root.mkdir()
    server = SftpServer(tmp_path, root)
    yield SftpSystem(root, server)
    server.close()


class TestPromise(AdapterPromise):
    """Files mode by SFTP."""


def fails(system: SftpSystem) -> SourceError:
    source = system.source()
    with pytest.raises(SourceError) as caught:
        source.collect(None)
    source.close()
    return caught.value


def test_another_key_than_the_pinned_one(system: SftpSystem) -> None:
    system.server.pin(asyncssh.generate_private_key("ssh-ed25519"))
    error = fails(system)
    assert not error.transient and "pinned" in error.sentence
    system.server.known_hosts.write_text("")
    assert "pinned" in fails(system).sentence
    system.server.known_hosts.unlink()
    assert "known_hosts" in fails(system).sentence


def test_by_password_and_refused(system: SftpSystem, tmp_path: Path) -> None:
    server = system.server
    system.put([penalty(1)])
    system.place = SftpPlace.parse(server.url, server.known_hosts, None, lambda: PASSWORD)
    assert PASSWORD not in repr(system.place)
    assert len(findings(list(pages(system)))) == 1
    system.place = SftpPlace.parse(server.url, server.known_hosts, None, lambda: "another")
    error = fails(system)
    assert not error.transient and "account" in error.sentence and "another" not in error.sentence
    with pytest.raises(SourceError, match="without a password"):
        SftpPlace.parse("sftp://u:p@host/", server.known_hosts, None, None)


def test_a_connection_that_was_lost_is_made_again(system: SftpSystem) -> None:
    system.put([penalty(1)])
    source = system.source()
    first = source.collect(None)
    system.server.stop()
    system.put([penalty(2)])
    with pytest.raises(SourceError) as caught:
        source.collect(first.cursor)
    assert caught.value.transient
    with pytest.raises(SourceError) as caught:
        source.push([order(1)])
    assert caught.value.transient
    system.server.start()
    assert [one.row for one in findings([source.collect(first.cursor)])] == ["KS2026000002"]
    source.push([order(1)])
    system.server.stop()
    system.server.start()
    source.push([order(2)])  # the held connection is dead: one more is made for this step
    assert len(system.orders()) == 2
    source.close()


def test_files_are_moved_with_a_record_on_the_server(system: SftpSystem) -> None:
    assert system.facts.files is not None
    moved = system.facts.files.model_copy(update={"done": "moved", "manifest": True})
    system.facts = system.facts.model_copy(update={"files": moved})
    put_file(system.folder / "in", "XZCF_1.csv", csv_bytes([penalty(n) for n in range(1, 4)]))
    first = list(pages(system))[-1]
    second = list(pages(system, first.cursor))[-1]
    assert second.rows == 0 and not list((system.folder / "in").iterdir())
    (record,) = (system.folder / "done").glob("*.json")
    assert orjson.loads(record.read_bytes())["file"] == "XZCF_1.csv"
    assert len(findings(list(pages(system)))) == 3
    system.source().push([order(1)])
    assert len(list((system.folder / "out").glob("CJ_*.manifest.json"))) == 1
    system.facts = facts_of("kunshan")
