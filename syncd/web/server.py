"""The HTTPS server: TLS with client certificates, and which bureau a connection proves to be.

uvicorn does not show the peer's certificate to the application, so a small protocol class reads it once for each
connection. A bureau is proved by both: its name ``urn:syncd:bureau:<code>`` in the certificate, and that member's own
CA having issued it. Trusting the set of all CAs alone would let one member speak for another.
"""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from syncd.errors import NeedsPerson

_URN = "urn:syncd:bureau:"
START_SECONDS = 10.0
GOODBYE_SECONDS, DRAIN_SECONDS = 0.3, 2.0
KEEP_SECONDS = 60  # an idle peer's connection; a handshake with certificates costs both sides more than keeping it


class Certificates:
    """Which bureau a certificate proves, by that member's own CA."""

    def __init__(self, authorities: Mapping[str, bytes]) -> None:
        self._authorities = {code: x509.load_pem_x509_certificate(pem) for code, pem in authorities.items()}

    def bureau(self, certificate: bytes | None) -> str | None:
        """The code a DER certificate proves, or None."""
        if not certificate:
            return None
        parsed = x509.load_der_x509_certificate(certificate)
        try:
            names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return None
        for urn in names.get_values_for_type(x509.UniformResourceIdentifier):
            code = urn.removeprefix(_URN)
            authority = self._authorities.get(code)
            if authority is None or not urn.startswith(_URN):
                continue
            try:
                parsed.verify_directly_issued_by(authority)
            except (InvalidSignature, ValueError, TypeError):
                continue
            return code
        return None


def _protocol(certificates: Certificates) -> type[HttpToolsProtocol]:
    class Protocol(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
            proved = certificates.bureau(tls.getpeercert(binary_form=True) if tls is not None else None)
            self.app_state = {**self.app_state, "bureau": proved}

    return Protocol


class Server:
    """uvicorn in a thread of its own; ``start`` returns when it listens, ``stop`` drains and ends it."""

    def __init__(
        self,
        app: Starlette,
        host: str,
        port: int,
        certificate: str,
        key: str,
        authorities: Mapping[str, bytes],
        died: Callable[[], None] = lambda: None,
        outsiders: bool = False,
    ) -> None:
        """``died`` is called, in the server's thread, if the server ends without having been told to.

        With ``outsiders`` a connection may come without a client certificate; it proves no bureau then.
        """
        self._died = died
        certificates = Certificates(authorities)
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=_protocol(certificates),
            loop="uvloop",
            lifespan="off",
            log_config=None,
            access_log=False,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            timeout_keep_alive=KEEP_SECONDS,
            timeout_graceful_shutdown=3,
            server_header=False,
        )
        config.load()
        self._context = config.ssl = _context(certificate, key, authorities, outsiders)
        self._server = uvicorn.Server(config)
        self._address = f"{host}:{port}"
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)

    def _run(self) -> None:
        # uvicorn ends the process with SystemExit where the port is taken; `start` says it as a sentence instead.
        try:
            self._server.run()
        except SystemExit:
            return
        finally:
            if self._server.started and not self._server.should_exit:
                self._died()

    def start(self) -> None:
        """Listen; raises ``NeedsPerson`` if the address cannot be had."""
        self._thread.start()
        waited = 0.0
        while not self._server.started and self._thread.is_alive() and waited < START_SECONDS:
            threading.Event().wait(0.01)
            waited += 0.01
        if not self._server.started:
            raise NeedsPerson(
                f"The address {self._address} cannot be listened on (already taken?). Nothing was started; "
                "choose another port in syncd.toml."
            )

    def present(self, certificate: Path, key: Path) -> None:
        """Show this certificate in handshakes from now on; changed in the loop, so that none sees half a pair."""
        for listening in self._server.servers:
            listening.get_loop().call_soon_threadsafe(self._context.load_cert_chain, certificate, key)

    def stop(self) -> None:
        """Let requests under way finish (2 s at most), then drop what is left; returns when all is closed.

        Idle connections are dropped sooner: a peer that keeps one does not answer the goodbye of TLS, and waiting for
        that answer takes longer than a daemon may take to stop.
        """
        self._server.should_exit = True
        if self._thread.ident is None:
            return  # it never listened
        until = time.monotonic() + DRAIN_SECONDS
        self._thread.join(GOODBYE_SECONDS)
        while self._thread.is_alive() and time.monotonic() < until + 1:
            self._drop(idle_only=time.monotonic() < until)
            self._thread.join(0.05)

    def _drop(self, idle_only: bool) -> None:
        for connection in list(self._server.server_state.connections):
            if isinstance(connection, HttpToolsProtocol):
                idle = connection.cycle is None or connection.cycle.response_complete
                if idle or not idle_only:
                    connection.loop.call_soon_threadsafe(connection.transport.abort)


def _context(certificate: str, key: str, authorities: Mapping[str, bytes], outsiders: bool) -> Any:
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cadata="\n".join(pem.decode() for pem in authorities.values())
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_OPTIONAL if outsiders else ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
    return context
