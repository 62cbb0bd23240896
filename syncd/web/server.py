"""The HTTPS server: TLS with client certificates, and which bureau a connection proves to be.

uvicorn does not show the peer's certificate to the application, so a small protocol class reads it once for each
connection. A bureau is proved by both: its name ``urn:syncd:bureau:<code>`` in the certificate, and that member's own
CA having issued it. Trusting the set of all CAs alone would let one member speak for another.
"""

import asyncio
import ssl
import threading
from collections.abc import Mapping
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from syncd.errors import NeedsPerson

_URN = "urn:syncd:bureau:"
START_SECONDS = 10.0


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
    ) -> None:
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
            timeout_graceful_shutdown=3,
            server_header=False,
        )
        config.load()
        config.ssl = _context(certificate, key, authorities)
        self._server = uvicorn.Server(config)
        self._address = f"{host}:{port}"
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)

    def _run(self) -> None:
        # uvicorn ends the process with SystemExit where the port is taken; `start` says it as a sentence instead.
        try:
            self._server.run()
        except SystemExit:
            return

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

    def stop(self) -> None:
        """Let requests finish (3 s at most), then close."""
        self._server.should_exit = True
        self._thread.join(timeout=4)


def _context(certificate: str, key: str, authorities: Mapping[str, bytes]) -> Any:
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cadata="\n".join(pem.decode() for pem in authorities.values())
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
    return context
