"""A peer that drips what it answers, or what it takes, byte by byte: each call has an end, whatever it is at."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from daemon_nodes import FAR, NEAR, Node
from impostor import own

from syncd import peers
from syncd.errors import Retry
from syncd.keyring import bureau_urn
from syncd.peers import PeerClient, WitnessClient

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n"
NO_LENGTH = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
BODY = b"x" * 64
SECONDS, PATIENCE = 0.6, 3.0
MIB = 1 << 20


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call may last a moment; the timeouts of its socket never come to it."""
    monkeypatch.setattr(peers, "WHOLE_SECONDS", SECONDS)
    monkeypatch.setattr(peers, "BYTES_PER_SECOND", 64 * MIB)
    monkeypatch.setattr(peers, "LOOK_SECONDS", 0.1)


def drip(peer: ssl.SSLSocket, data: bytes) -> None:
    for n in range(len(data)):
        peer.sendall(data[n : n + 1])
        time.sleep(0.2)


def dripping_head(peer: ssl.SSLSocket) -> None:
    peer.recv(65536)
    drip(peer, HEAD + BODY)


def dripping_body(peer: ssl.SSLSocket) -> None:
    peer.recv(65536)
    peer.sendall(HEAD)
    drip(peer, BODY)


def dripping_without_length(peer: ssl.SSLSocket) -> None:
    peer.recv(65536)
    peer.sendall(NO_LENGTH)
    drip(peer, BODY)


def reading_nothing(peer: ssl.SSLSocket) -> None:
    for _ in range(20):
        peer.recv(1)
        time.sleep(0.2)


def well(peer: ssl.SSLSocket) -> None:
    peer.recv(65536)
    peer.sendall(HEAD + BODY)


@contextmanager
def answering(node: Node, how: list[Callable[[ssl.SSLSocket], None]]) -> Iterator[int]:
    """A server with this node's papers that treats each connection as told; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own(node).certificate, own(node).key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)

        def serve() -> None:
            for treat in how:
                with suppress(OSError):
                    bare, _ = listener.accept()
                    with context.wrap_socket(bare, server_side=True) as peer:
                        treat(peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(20)
        assert not thread.is_alive(), "the connection was cut"


def client(three: dict[str, Node], port: int) -> PeerClient:
    mine, theirs = three[NEAR].keys, three[FAR].keys
    urn = bureau_urn(FAR)
    return PeerClient(f"https://127.0.0.1:{port}", urn, theirs / "ca.crt", mine / "tls.crt", mine / "tls.key")


@pytest.mark.parametrize("how", [dripping_head, dripping_body, dripping_without_length])
def test_an_answer_that_drips_ends(three: dict[str, Node], how: Callable[[ssl.SSLSocket], None]) -> None:
    with answering(three[FAR], [how, well]) as port:
        link = client(three, port)
        begun = time.monotonic()
        with pytest.raises(Retry, match=r"cannot be reached .* took longer than") as caught:
            link.get("x", "checkpoint")
        assert time.monotonic() - begun < PATIENCE
        assert "did not prove" not in str(caught.value), "slow is not false"
        assert link.get("x", "checkpoint").body == BODY, "and the next call is a new one"


def test_a_batch_that_is_hardly_read_ends(three: dict[str, Node]) -> None:
    with answering(three[FAR], [reading_nothing]) as port:
        link = client(three, port)
        begun = time.monotonic()
        with pytest.raises(Retry, match="took longer than"):
            link.post_entries("x", b"x" * (32 * MIB))
        assert time.monotonic() - begun < PATIENCE


def test_a_call_may_take_a_second_more_for_each_16_kib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert peers.seconds_for(0) == 120
    assert peers.seconds_for(2 * MIB) == 120 + 128, "a batch at 128 kbit/s takes 131 s"
    assert peers.timeout_for(0) == (5, 30)
    assert peers.timeout_for(2 * MIB) == (5, 30 + 128), "what the system has taken at once is still on its way"


@pytest.mark.parametrize("size", [2 * MIB, 10 * MIB])
def test_a_slow_line_carries_a_batch(three: dict[str, Node], monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """The smaller batch fits into the system's own buffer, so that what takes long is the wait for the answer."""
    monkeypatch.setattr(peers, "TIMEOUT", (0.8, 0.3))
    monkeypatch.setattr(peers, "BYTES_PER_SECOND", MIB)

    def slowly(peer: ssl.SSLSocket) -> None:
        taken = 0
        while taken < size:
            part = len(peer.recv(65536))
            if not part:
                return
            taken += part
            time.sleep(part / (3 * MIB))
        peer.sendall(HEAD + BODY)

    with answering(three[FAR], [slowly]) as port:
        begun = time.monotonic()
        assert client(three, port).post_entries("x", b"x" * size).body == BODY
        assert time.monotonic() - begun > SECONDS


def test_a_slow_line_carries_a_page(three: dict[str, Node], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "BYTES_PER_SECOND", MIB)
    size = 3 * MIB

    def slowly(peer: ssl.SSLSocket) -> None:
        peer.recv(65536)
        peer.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size // 65536):
            peer.sendall(b"x" * 65536)
            time.sleep(1 / 32)

    with answering(three[FAR], [slowly]) as port:
        begun = time.monotonic()
        assert client(three, port).get("x", "entries").body == b"x" * size
        assert time.monotonic() - begun > SECONDS * 2


def test_a_witness_that_drips_ends(three: dict[str, Node]) -> None:
    with answering(three[FAR], [dripping_body]) as port:
        witness = WitnessClient(f"https://127.0.0.1:{port}", three[FAR].keys / "ca.crt")
        begun = time.monotonic()
        with pytest.raises(Retry, match="took longer than"):
            witness.add_checkpoint(b"x")
        assert time.monotonic() - begun < PATIENCE


def test_a_call_within_its_time_is_left_alone(three: dict[str, Node]) -> None:
    with answering(three[FAR], [well]) as port:
        link = client(three, port)
        assert link.get("x", "checkpoint").body == BODY
        time.sleep(SECONDS * 2)
        assert not peers._ENDS._calls
