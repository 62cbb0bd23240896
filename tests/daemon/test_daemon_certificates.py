"""Wrong certificates over real TLS, both ways: a peer is served, and believed, only as who it proves to be."""

import socket
import ssl
from pathlib import Path

import pytest
import requests
from daemon_nodes import FAR, HOME, NEAR, Node
from impostor import Impostor, forged, own, serving, stranger
from starlette.applications import Starlette

from syncd import keyring
from syncd.demo.site import free_port
from syncd.errors import Retry
from syncd.keyring import bureau_urn
from syncd.peers import ANSWER_LIMIT, PeerClient
from syncd.web.server import Server


def entries(node: Node, of: Node) -> str:
    """The address at which a node takes entries of a log."""
    return f"{node.member.url}/exchange/v1/logs/{of.member.origin}/entries"


def shake(node: Node, context: ssl.SSLContext, said: bytes) -> bytes:
    """Shake hands, say something, and return the first bytes of the answer, none if there is none.

    In TLS 1.3 a client hears only after its handshake that its certificate was refused, by an alert or by the end.
    """
    bare = socket.create_connection(("127.0.0.1", node.port), timeout=10)
    with bare, context.wrap_socket(bare, server_hostname="127.0.0.1") as made:
        made.sendall(said)
        return made.recv(64)


GET = b"GET /exchange/v1/logs/x/checkpoint HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_member_is_let_in(three: dict[str, Node], near: Node) -> None:
    assert shake(near, three[FAR].tls(near), GET).startswith(b"HTTP/1.1 404")


def heard(node: Node, context: ssl.SSLContext) -> bytes:
    """What is answered to a request, if the handshake lets it through at all."""
    try:
        return shake(node, context, GET)
    except (ssl.SSLError, ConnectionError):
        return b""


def test_without_a_certificate_there_is_no_answer(near: Node) -> None:
    assert heard(near, ssl.create_default_context(cafile=str(near.keys / "ca.crt"))) == b""


def test_a_certificate_of_an_unknown_authority_is_no_certificate(near: Node, tmp_path: Path) -> None:
    papers = stranger(tmp_path)
    context = ssl.create_default_context(cafile=str(near.keys / "ca.crt"))
    context.load_cert_chain(papers.certificate, papers.key)
    assert heard(near, context) == b""


def test_an_older_tls_is_refused(three: dict[str, Node], near: Node) -> None:
    context = three[FAR].tls(near)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert heard(near, context) == b""


def test_plain_http_gets_no_answer(near: Node) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{near.port}/exchange/v1/logs/x/checkpoint", timeout=10)


@pytest.mark.parametrize("urn", [bureau_urn(HOME), bureau_urn(NEAR), "urn:syncd:bureau:", "320585", ""])
def test_no_member_can_speak_for_another(three: dict[str, Node], near: Node, tmp_path: Path, urn: str) -> None:
    """A name that the member's own authority wrote into a certificate is worth nothing but for that member."""
    papers = forged(tmp_path, three[FAR], urn)
    session = three[FAR].session(near, papers.certificate, papers.key)
    answer = session.post(entries(near, three[HOME]), data=b"x", timeout=10)
    assert answer.status_code == 403 and "client certificate" in answer.text
    assert session.get(f"{entries(near, three[HOME])}?from=0&count=9", timeout=10).status_code == 403
    checkpoint = entries(near, three[HOME]).replace("/entries", "/checkpoint")
    assert session.get(checkpoint, timeout=10).status_code in (403, 404)


def test_only_the_owner_may_add_to_its_log(three: dict[str, Node], near: Node) -> None:
    session = three[FAR].session(near)
    for owner in (HOME, NEAR):
        answer = session.post(entries(near, three[owner]), data=b"x", timeout=10)
        assert answer.status_code == 403 and FAR in answer.text
        disclosures = entries(near, three[owner]).replace("/entries", "/disclosures")
        assert session.post(disclosures, data=b"x", timeout=10).status_code == 403


def client(three: dict[str, Node], port: int) -> PeerClient:
    """The way from one member to the third, who is said to listen on this port."""
    mine, theirs = three[NEAR].keys, three[FAR].keys
    urn = bureau_urn(FAR)
    return PeerClient(f"https://127.0.0.1:{port}", urn, theirs / "ca.crt", mine / "tls.crt", mine / "tls.key")


def test_the_right_peer_is_believed_and_its_connection_kept(three: dict[str, Node]) -> None:
    with serving(own(three[FAR]), Impostor(0)) as peer:
        link = client(three, peer.port)
        for _ in range(5):
            assert link.post_entries("a/1/1", b"body").body == b"nothing\n"
        link.close()
    assert peer.bodies == [b"body"] * 5 and peer.connections == 1


def test_nothing_is_sent_to_who_cannot_prove_its_name(three: dict[str, Node], tmp_path: Path) -> None:
    papers = {
        "another member": own(three[HOME]),
        "an unknown authority": stranger(tmp_path),
        "the right authority, another name": forged(tmp_path / "a", three[FAR], bureau_urn(HOME)),
        "the right authority, no name": forged(tmp_path / "b", three[FAR], ""),
        "the right name, another authority": forged(tmp_path / "c", three[HOME], bureau_urn(FAR)),
    }
    for what, shown in papers.items():
        with serving(shown, Impostor(0)) as impostor:
            link = client(three, impostor.port)
            with pytest.raises(Retry, match="did not prove to be the member"):
                link.post_entries("a/1/1", b"body")
            link.close()
        assert impostor.heard == [], f"{what} was told something"


def test_nothing_is_sent_in_the_clear(three: dict[str, Node]) -> None:
    with serving(None, Impostor(0)) as impostor:
        link = client(three, impostor.port)
        with pytest.raises(Retry):
            link.post_entries("a/1/1", b"body")
    assert impostor.heard == []


def test_a_peer_cannot_send_us_elsewhere(three: dict[str, Node]) -> None:
    with serving(None, Impostor(0)) as elsewhere:
        away = f"http://127.0.0.1:{elsewhere.port}/exchange/v1/logs/a/1/1/entries"
        with serving(own(three[FAR]), Impostor(0, status=307, location=away)) as peer:
            link = client(three, peer.port)
            assert link.post_entries("a/1/1", b"body").status == 307
            link.close()
    assert elsewhere.heard == []


def test_a_peer_cannot_fill_our_memory(three: dict[str, Node]) -> None:
    with serving(own(three[FAR]), Impostor(0, answer=b"x" * (8 << 20))) as peer:
        link = client(three, peer.port)
        assert len(link.post_entries("a/1/1", b"body").body) == ANSWER_LIMIT
        link.close()


def test_a_renewed_certificate_is_shown_at_once_and_believed(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keyring.create(keys, NEAR, "https://127.0.0.1:1")
    authority = (keys / "ca.crt").read_bytes()
    port = free_port()
    server = Server(Starlette(), "127.0.0.1", port, *map(str, keyring.tls_files(keys)), {NEAR: authority})
    client = PeerClient(f"https://127.0.0.1:{port}", bureau_urn(NEAR), keys / "ca.crt", *keyring.tls_files(keys))
    server.start()
    try:
        before = shown(port, keys)
        assert client.get("x", "checkpoint").status == 404
        made = keyring.renew_tls(keys, NEAR, "https://127.0.0.1:1")
        assert made.name == "tls.2.crt" and (keys / "tls.2.key").stat().st_mode & 0o777 == 0o600
        keyring.renew_ca(keys, NEAR)
        for one in (server, client):
            one.present(*keyring.tls_files(keys))
        (keys / "ca.crt").write_bytes(authority)  # a peer that has the old one trusts what the renewed one issues
        assert client.get("x", "checkpoint").status == 404
        after = shown(port, keys)
    finally:
        client.close()
        server.stop()
    assert before != after == ssl.PEM_cert_to_DER_cert(made.read_text())


def shown(port: int, keys: Path) -> bytes:
    """The certificate that a server shows in a new handshake."""
    context = ssl.create_default_context(cafile=str(keys / "ca.crt"))
    context.load_cert_chain(*keyring.tls_files(keys))
    bare = socket.create_connection(("127.0.0.1", port), timeout=10)
    with bare, context.wrap_socket(bare, server_hostname="127.0.0.1") as made:
        return made.getpeercert(binary_form=True) or b""
