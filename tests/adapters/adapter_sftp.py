"""A real SFTP server on loopback: one account, a key of its own, a folder as its root."""

import asyncio
import threading
import warnings
from pathlib import Path

import asyncssh

USER, PASSWORD = "bureau", "a-password-nobody-should-see"


class SftpServer:
    """Runs in a thread of its own; ``known_hosts`` is a file with its key pinned."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.root = root
        self.connections: list[asyncssh.SSHServerConnection] = []
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.key_file, self.known_hosts = folder / "id_ed25519", folder / "known_hosts"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # few rounds are weak, and quick
            self.client_key.write_private_key(str(self.key_file), passphrase=PASSWORD, rounds=1)
        self._allowed = folder / "authorized_keys"
        self.client_key.write_public_key(str(self._allowed))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = 0
        self.start()
        self.pin(self.key)

    def pin(self, key: asyncssh.SSHKey) -> None:
        """Write a key as that of the server."""
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {key.export_public_key().decode()}")

    @property
    def url(self) -> str:
        """Where the folder lies."""
        return f"sftp://{USER}@127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Listen, at the same port as before."""

        async def listen() -> asyncssh.SSHAcceptor:
            server = self

            class Server(asyncssh.SSHServer):
                def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                    server.connections.append(conn)

                def password_auth_supported(self) -> bool:
                    return True

                def validate_password(self, username: str, password: str) -> bool:
                    return (username, password) == (USER, PASSWORD)

            return await asyncssh.listen(
                "127.0.0.1",
                self.port,
                server_factory=Server,
                server_host_keys=[self.key],
                authorized_client_keys=str(self._allowed),
                sftp_factory=lambda chan: asyncssh.SFTPServer(chan, chroot=str(self.root).encode()),
            )

        self._acceptor = asyncio.run_coroutine_threadsafe(listen(), self._loop).result(20)
        self.port = self._acceptor.get_port()

    def stop(self) -> None:
        """End all connections; who comes is refused."""

        async def end() -> None:
            self._acceptor.close()
            for held in self.connections:
                held.abort()
            self.connections.clear()
            await self._acceptor.wait_closed()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(20)

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
