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


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call may last a moment; the timeouts of its socket never come to it."""
    monkeypatch.setattr(peers, "WHOLE_SECONDS", SECONDS)
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
            link.post_entries("x", b"x" * (32 << 20))
        assert time.monotonic() - begun < PATIENCE


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
