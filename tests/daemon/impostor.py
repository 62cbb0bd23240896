"""Servers and certificates that are not what they say: made with real keys, spoken to over real TLS."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from daemon_nodes import Node

from syncd import keyring
from syncd.keyring.authority import certificate, host_name
from syncd.keyring.wrapping import pem


@dataclass(frozen=True)
class Papers:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


def forged(folder: Path, authority: Node, urn: str) -> Papers:
    """A certificate that this member's own authority has issued, for another name."""
    folder.mkdir(parents=True, exist_ok=True)
    ca = x509.load_pem_x509_certificate((authority.keys / "ca.crt").read_bytes())
    ca_key = serialization.load_pem_private_key((authority.keys / "ca.key").read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    named = [host_name("127.0.0.1")]
    names = x509.SubjectAlternativeName([*named, x509.UniformResourceIdentifier(urn)] if urn else named)
    leaf = certificate("somebody", key, ca, ca_key, names)
    papers = Papers(folder / "forged.crt", folder / "forged.key")
    papers.certificate.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    papers.key.write_bytes(pem(key))
    return papers


def own(node: Node) -> Papers:
    """What a node itself shows."""
    return Papers(node.keys / "tls.crt", node.keys / "tls.key")


def stranger(folder: Path) -> Papers:
    """A certificate of an authority that nobody knows."""
    keyring.create(folder / "keys", "310114", "https://127.0.0.1:1")
    return Papers(folder / "keys" / "tls.crt", folder / "keys" / "tls.key")


@dataclass
class Impostor:
    """A server in somebody's place; ``heard`` are the requests that got through to it, ``silent`` lets them wait."""

    port: int
    answer: bytes = b"nothing\n"
    status: int = 200
    location: str = ""
    silent: bool = False
    heard: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0


@contextmanager
def serving(papers: Papers | None, impostor: Impostor) -> Iterator[Impostor]:
    """Serve on the impostor's port, over TLS with these papers or without any."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            impostor.heard.append(self.path)
            impostor.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            if impostor.silent:
                threading.Event().wait(20)
            self.send_response(impostor.status)
            self.send_header("Content-Length", str(len(impostor.answer)))
            if impostor.location:
                self.send_header("Location", impostor.location)
            self.end_headers()
            self.wfile.write(impostor.answer)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def get_request(self):  # type: ignore[no-untyped-def]
            impostor.connections += 1
            return super().get_request()

        def handle_error(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
            """A handshake that fails is what is tested."""

    with Server(("127.0.0.1", impostor.port), Handler) as server:
        impostor.port = server.server_address[1]
        if papers is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(papers.certificate, papers.key)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield impostor
        server.shutdown()
        thread.join()
