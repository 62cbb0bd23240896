"""Knocking 叩门: the Unix socket beside the store, at which a running daemon is woken to look for jobs."""

import socket
from pathlib import Path

SOCKET = "syncd.sock"
_SECONDS = 1.0


def daemon_answers(data: Path) -> bool:
    """Whether a daemon answers in the node's folder ``data``; it is woken by this, which is harmless."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            knock.settimeout(_SECONDS)
            knock.connect(str(data / SOCKET))
            return knock.recv(8) == b"ok\n"
    except OSError:
        return False
