"""The ways to the other members: an HTTPS client for each, that trusts that member's own certificate authority only."""

from collections.abc import Mapping
from pathlib import Path

from syncd.agreement.member import Member
from syncd.keyring import Keyring, bureau_urn
from syncd.peers import PeerClient


def https_links(data: Path, keys: Keyring, others: Mapping[str, Member]) -> dict[str, PeerClient]:
    """A client for each of ``others``, by code; contacts nobody. Writes their authorities into ``data``."""
    folder = data / "peers"
    folder.mkdir(exist_ok=True)
    links = {}
    for code, member in others.items():
        authority = folder / f"{code}.crt"
        authority.write_text(member.tls_ca_pem, "ascii")
        links[code] = PeerClient(member.url, bureau_urn(code), authority, keys.certificate_file, keys.tls_key_file)
    return links
