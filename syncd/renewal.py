"""The node's TLS certificates 证书 while a daemon runs: a renewed pair is taken up, one that ends soon alarms.

Peers trust the node's own authority, so a new certificate of it changes nothing for them. Connections that stand go on
with the certificate they began with.
"""

import datetime as dt
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509

from syncd import keyring
from syncd.flows.alarms import match
from syncd.flows.bureau import Bureau
from syncd.store import alarms

Json = dict[str, Any]
KIND = "certificate_ends"
WARN_DAYS = 30
"""How many days before its end a certificate alarms."""


def valid_until(certificate: Path) -> dt.datetime:
    """When a certificate ends (UTC)."""
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc


def ending(folder: Path, now: dt.datetime) -> dict[str, Json]:
    """The certificates of a node's folder of keys that end within ``WARN_DAYS``, by file; ``until`` is a UTC day."""
    found = {}
    for path in (folder / "ca.crt", keyring.tls_files(folder)[0]):
        until = valid_until(path)
        if until - now < dt.timedelta(days=WARN_DAYS):
            found[path.name] = {"until": until.date().isoformat(), "days_left": (until - now).days}
    return found


class Renewal:
    """The look; each of ``takers`` shows a certificate, and takes another one with its key."""

    def __init__(self, bureau: Bureau, folder: Path, takers: Sequence[Callable[[Path, Path], None]]) -> None:
        self._bureau, self._folder, self._takers = bureau, folder, takers
        self._shown = keyring.tls_files(folder)

    def step(self) -> None:
        """Take up a newer pair, if it is whole, and match the alarms."""
        bureau = self._bureau
        newest = keyring.tls_files(self._folder)
        if newest != self._shown:
            self._take(*newest)
        found = ending(self._folder, bureau.clock())
        with bureau.store.read() as conn:
            standing = alarms.standing_marks(conn, KIND)
        if found or standing:
            with bureau.store.write() as conn:
                match(bureau, conn, KIND, found)

    def _take(self, certificate: Path, key: Path) -> None:
        try:
            ssl.create_default_context().load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:  # the pair in use stays, and this is looked at again
            self._bureau.notice("tls.not_taken", {"file": certificate.name, "because": type(error).__name__})
            return
        for taker in self._takers:
            taker(certificate, key)
        self._shown = certificate, key
        self._bureau.notice("tls.renewed", {"file": certificate.name})
