"""A daemon's life: it starts once, says what it does, wakes when knocked at, stops when told to; or says why not."""

import os
import shutil
import signal
import socket
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from daemon_nodes import FAR, NEAR, Node, until

from syncd import keyring
from syncd.errors import Stop
from syncd.ledger.entry import format_time
from syncd.store import jobs
from syncd.store.engine import Store

STOP_SECONDS = 5.0
SOCKET = "syncd.sock"


def idle(of: Node, to: Node, said: bytes, answered: bool = False) -> ssl.SSLSocket:
    """A connection that says something or nothing, and then stays open."""
    bare = socket.create_connection(("127.0.0.1", to.port), timeout=10)
    made = of.tls(to).wrap_socket(bare, server_hostname="127.0.0.1")
    made.sendall(said)
    if answered:
        assert made.recv(64).startswith(b"HTTP/1.1 200")
    return made


def _issued(node: Node) -> int:
    """How many of its source's rows the node has issued as findings."""
    return int(node.status()["sources"][0]["rows"]["issued"])


def test_it_stops_in_time_with_idle_peers_connected(three: dict[str, Node], home: Node, near: Node) -> None:
    home.put(2)
    until(lambda: home.agrees_with(NEAR, 4), "countersigning")
    path = f"/exchange/v1/logs/{home.member.origin}"
    held = [
        idle(three[FAR], home, f"GET {path}/checkpoint HTTP/1.1\r\nHost: x\r\n\r\n".encode(), answered=True),
        idle(three[FAR], home, b""),
        idle(near, home, b"POST /exch"),
        idle(near, home, f"POST {path}/entries HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nhalf".encode()),
    ]
    code, seconds = home.stop()
    assert code == 0 and seconds < STOP_SECONDS
    assert home.lines()[-1]["event"] == "daemon.stopped"
    assert not (home.folder / SOCKET).exists()
    code, seconds = near.stop()  # its peers' connections are idle too
    assert code == 0 and seconds < STOP_SECONDS
    for one in held:
        one.close()


def test_it_stops_in_time_while_it_works_and_goes_on_at_its_next_start(home: Node, near: Node) -> None:
    before, issued = home.peer(NEAR)["entries"], _issued(home)
    rows = home.put(700)
    until(lambda: home.peer(NEAR)["entries"] > before, "work has begun")
    code, seconds = home.stop()
    assert code == 0 and seconds < STOP_SECONDS
    home.start()
    until(lambda: home.agrees_with(NEAR, before + 2 * len(rows)), "all is countersigned")
    until(lambda: near.standing(rows[-1]["CF_XDR_SHXYM"]) == "restricted", "the last row is recognised")
    assert _issued(home) == issued + len(rows)


def test_a_second_daemon_on_the_same_store_is_refused(home: Node) -> None:
    code, sentence = home.refused()
    assert code == 70 and "Another daemon already works on this store" in sentence
    assert knock(home.folder / SOCKET) == b"ok\n", "and the first one has lost nothing"


def test_a_port_that_is_taken_is_said(far: Node) -> None:
    (far.folder / SOCKET).unlink(missing_ok=True)  # one that was killed before leaves its own
    with socket.create_server(("127.0.0.1", far.port)):
        code, sentence = far.refused()
    assert code == 3 and f"127.0.0.1:{far.port}" in sentence and "syncd.toml" in sentence
    assert not (far.folder / SOCKET).exists()


def test_a_missing_member_file_is_said(far: Node) -> None:
    members = far.folder / "agreement" / "members"
    file = members / f"member-{NEAR}.toml"
    file.rename(members / "aside")
    try:
        code, sentence = far.refused()
    finally:
        (members / "aside").rename(file)
    assert code == 3 and NEAR in sentence and "syncd member add" in sentence


@pytest.mark.parametrize("name", ["log", "receipt", "witness", "node", "row", "tls", "ca"])
def test_a_key_that_others_can_read_is_refused(far: Node, name: str) -> None:
    file = far.keys / f"{name}.key"
    file.chmod(0o640)
    try:
        with pytest.raises(Stop, match=rf"{name}\.key can be read by others.*chmod 600"):
            keyring.load(far.keys)
        if name == "tls":
            assert far.refused()[0] == 70
    finally:
        file.chmod(0o600)
    keyring.load(far.keys)


def test_a_folder_too_deep_for_a_socket_is_said(far: Node, tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20)
    shutil.copytree(far.folder, deep)
    code, sentence = Node(FAR, deep, far.port).refused()
    assert code == 3 and "shorter folder" in sentence


def test_log_lines_are_json_say_each_thing_once_and_name_nobody(home: Node, near: Node) -> None:
    rows = home.put(30)
    until(lambda: home.agrees_with(NEAR, 60), "countersigning")
    until(lambda: near.standing(rows[-1]["CF_XDR_SHXYM"]) == "restricted", "recognising")
    until(lambda: bool(home.said("share.countersigned")), "the line of log that follows the countersignature")
    for node in (home, near):
        lines = node.lines()
        assert all({"event", "level", "timestamp", "bureau"} <= line.keys() for line in lines)
        assert {line["bureau"] for line in lines} == {node.code}
        text = node.log.read_text("utf-8")
        for row in rows:
            for column in ("CF_XDR_MC", "CF_XDR_SHXYM", "CF_FRDB", "CF_WSH", "CF_SY", "CF_NR"):
                assert not row[column] or row[column] not in text, f"{column} stands in the log of {node.code}"
        assert node.complaints.read_text("utf-8").count("Traceback") == 0
    stored = [(line["log"], line["size"]) for line in near.said("receive.stored")]
    counted = [(line["peer"], line["size"]) for line in home.said("share.countersigned")]
    assert stored and len(set(stored)) == len(stored), "a batch is one unit of work, and has one line"
    assert counted and len(set(counted)) == len(counted)
    assert sum(line["issued"] for line in home.said("collect.page")) <= home._rows


def knock(path: Path) -> bytes:
    """Knock at a node's socket; what it answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.settimeout(5)
        door.connect(str(path))
        return door.recv(8)


def ask(node: Node) -> int:
    """Queue a job as a command does, without knocking."""
    store = Store.open(node.settings.store_url)
    args = {"stage": "restrict", "peer": None, "dry_run": False, "account": 1001}
    with store.write() as conn:
        number = jobs.ask(conn, "resync", args, "1001", format_time(datetime.now(UTC)))
    store.close()
    return number


def state(node: Node, number: int) -> str:
    """How far a job has come."""
    store = Store.open(node.settings.store_url)
    try:
        with store.read() as conn:
            row = jobs.one(conn, number)
            return row.state if row is not None else "lost"
    finally:
        store.close()


def test_a_knock_wakes_a_queued_job(near: Node) -> None:
    number = ask(near)
    time.sleep(0.5)
    assert state(near, number) == "queued", "nothing polls the jobs"
    assert knock(near.folder / SOCKET) == b"ok\n"
    until(lambda: state(near, number) == "done", "the job is done")


def test_a_job_that_nobody_has_knocked_for_is_done_at_the_next_start(near: Node) -> None:
    number = ask(near)
    near.kill()
    near.start()
    until(lambda: state(near, number) == "done", "the job is done")


def test_knocking_and_running_away_hurts_nobody(near: Node) -> None:
    for _ in range(20):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.connect(str(near.folder / SOCKET))
    assert knock(near.folder / SOCKET) == b"ok\n"


def test_a_log_that_nobody_reads_stops_nothing(home: Node) -> None:
    home.stop()
    reading, writing = os.pipe()
    process = home.launch(writing)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as log:
            until(lambda: b"daemon.ready" in log.readline(), "daemon.ready")
        rows = home.put(2)
        until(lambda: home.standing(rows[-1]["CF_XDR_SHXYM"]) == "restricted", "work goes on")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
