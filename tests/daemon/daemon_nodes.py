"""Nodes as a bureau has them: a founded folder and a ``syncd run`` process; and what a test may ask of them."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from syncd.agreement.member import Member, load_member
from syncd.demo.bulk import generate_bulk
from syncd.demo.formats import Row, local_today
from syncd.demo.site import free_port
from syncd.demo.writers import FolderSystem
from syncd.flows.inquiry import Inquiry
from syncd.flows.status import status
from syncd.founding import add_member, found
from syncd.keyring import bureau_urn
from syncd.peers import PeerClient
from syncd.reading import OpenBooks, open_books
from syncd.settings import Settings, SourceSettings, read_settings
from syncd.settings_file import Wishes

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"
NEAR, HOME, FAR = "310114", "320583", "320585"
READY_SECONDS, PATIENCE_SECONDS = 30.0, 30.0

_compiled = TemporaryDirectory(prefix="syncd-compiled-")


def environment(**more: str) -> dict[str, str]:
    """The project in reach, and modules compiled once for all processes even where nothing may be written beside."""
    inherited = dict(os.environ)
    if inherited.pop("PYTHONDONTWRITEBYTECODE", None):
        inherited["PYTHONPYCACHEPREFIX"] = _compiled.name
    return inherited | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"} | more


def until(true: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something holds; nothing tells a test about the inside of a daemon, so it looks again and again."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what} did not come about in {seconds} s"
        time.sleep(0.02)


@dataclass
class Node:
    """One bureau's node in ``folder``, and its daemon if one runs."""

    code: str
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _rows: int = 0
    _started: int = field(default=0)
    _opened: list[AbstractContextManager[OpenBooks]] = field(default_factory=list)

    @cached_property
    def settings(self) -> Settings:
        """Its settings, as every command reads them."""
        return read_settings(self.folder / "syncd.toml")

    @cached_property
    def member(self) -> Member:
        """Its member file."""
        return load_member((self.folder / f"member-{self.code}.toml").read_bytes())

    @property
    def keys(self) -> Path:
        """Where its keys and certificates lie."""
        return self.folder / "keys"

    @property
    def log(self) -> Path:
        """What its daemons have written to standard output."""
        return self.folder / "daemon.log"

    @property
    def complaints(self) -> Path:
        """What they have written to standard error."""
        return self.folder / "daemon.err"

    def launch(self, into: int | None = None, **more: str) -> subprocess.Popen[bytes]:
        """Start ``syncd run`` and wait for nothing; its log goes ``into`` a pipe, ``more`` into its environment."""
        command = [sys.executable, "-m", "syncd", "run", "-c", str(self.folder / "syncd.toml")]
        with self.log.open("ab") as out, self.complaints.open("ab") as err:
            self._started = self.log.stat().st_size
            return subprocess.Popen(
                command, stdout=into or out, stderr=err, stdin=subprocess.DEVNULL, env=environment(**more),
                cwd=self.folder,
            )  # fmt: skip

    def start(self, **more: str) -> None:
        """Start the daemon and wait until it is ready."""
        self.process = process = self.launch(None, **more)
        until(lambda: self.said("daemon.ready") or process.poll() is not None, "daemon.ready", READY_SECONDS)
        assert process.poll() is None, self.complaints.read_text("utf-8")

    def running(self) -> "Node":
        """This node, its daemon started if a test has left it dead."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        return self

    def stop(self) -> tuple[int, float]:
        """SIGTERM; the exit code, and the seconds it took."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30), time.monotonic() - begun

    def kill(self) -> None:
        """SIGKILL, as a power cut."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def refused(self) -> tuple[int, str]:
        """Start a daemon that does not come up; its exit code and its one sentence."""
        before = self.complaints.stat().st_size if self.complaints.exists() else 0
        process = self.launch()
        try:
            code = process.wait(READY_SECONDS)
        finally:
            process.kill()
        words = self.complaints.read_bytes()[before:].decode().splitlines()
        assert len(words) == 1 and words[0].startswith("syncd: ") and words[0].endswith((".", ".toml")), words
        return code, words[0]

    def lines(self) -> list[Json]:
        """What the daemon has said since its last start; every line is JSON."""
        with self.log.open("rb") as log:
            log.seek(self._started)
            return [json.loads(line) for line in log.read().splitlines(keepends=True) if line.endswith(b"\n")]

    def said(self, event: str) -> list[Json]:
        """Lines of one event."""
        return [line for line in self.lines() if line["event"] == event]

    def put(self, count: int = 1) -> list[Row]:
        """The bureau's people write so many new rows into their own system."""
        rows = list(generate_bulk(self.code, count, local_today(), start=self._rows))
        self._rows += count
        FolderSystem(self.folder / "system").put_penalties(rows)
        return rows

    @cached_property
    def books(self) -> OpenBooks:
        """Its books, kept open: a test looks into them again and again while it waits."""
        self._opened.append(open_books(self.settings))
        return replace(self._opened[-1].__enter__(), allow_candidates=True)

    def shut_books(self) -> None:
        """Look into them no more: their file may be exchanged now."""
        if "books" in self.__dict__:
            self.books.store.close()
            del self.books

    def status(self) -> Json:
        """``syncd status``."""
        return status(self.books, datetime.now(UTC))

    def peer(self, code: str) -> Json:
        """How it stands with a peer."""
        return next(one for one in self.status()["peers"] if one["peer"] == code)

    def agrees_with(self, code: str, at_least: int = 1) -> bool:
        """Whether a peer has countersigned everything of a log that has so many entries or more."""
        peer = self.peer(code)
        return bool(peer["entries"] >= at_least and peer["behind"] == 0)

    def standing(self, uscc: str) -> str:
        """How an organisation stands here today."""
        return str(Inquiry(self.books).check(uscc, local_today())["standing"])

    def client(self, to: "Node") -> PeerClient:
        """The way to another node as its daemon goes it."""
        return PeerClient(
            to.member.url, bureau_urn(to.code), to.keys / "ca.crt", self.keys / "tls.crt", self.keys / "tls.key"
        )

    def session(self, to: "Node", certificate: Path | None = None, key: Path | None = None) -> requests.Session:
        """A plain client with this node's certificate (or another), that trusts the other's authority."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(to.keys / "ca.crt")
        session.cert = (str(certificate or self.keys / "tls.crt"), str(key or self.keys / "tls.key"))
        return session

    def tls(self, to: "Node") -> ssl.SSLContext:
        """The same for a bare connection."""
        context = ssl.create_default_context(cafile=str(to.keys / "ca.crt"))
        context.load_cert_chain(self.keys / "tls.crt", self.keys / "tls.key")
        return context


def found_three(folder: Path) -> dict[str, Node]:
    """Three nodes of the shipped agreement that have exchanged their member files; one has a folder as its source."""
    nodes = {code: Node(code, folder / code, free_port()) for code in (NEAR, HOME, FAR)}
    for node in nodes.values():
        agreement, source = node.folder / "agreement", None
        shutil.copytree(CONFIG / "agreements" / "jiakuntai-eco", agreement)
        if node.code == HOME:
            for part in ("in", "out", "ack"):
                (node.folder / "system" / part).mkdir(parents=True)
            facts = CONFIG / "sources" / "kunshan.toml"
            place = node.folder / "system"
            source = SourceSettings(facts=facts, folder=place, every_seconds=0.1)
        url = f"https://127.0.0.1:{node.port}"
        found(node.folder, Wishes(node.code, url, agreement, source, None, True))
    for node in nodes.values():
        for other in nodes.values():
            if other is not node:
                file = other.folder / f"member-{other.code}.toml"
                add_member(node.settings, file, other.member.fingerprint)
    return nodes
