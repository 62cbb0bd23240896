"""A site 站点 of the demonstration: one bureau's node and its stand-in system, each a process of its own.

The node is founded exactly as a bureau would found it (``syncd.founding``) and run by ``syncd run``; nothing of it is
special but that its settings allow candidates, so that every record says 演示.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from syncd.demo.certificate import make_certificate
from syncd.demo.places import CONFIG, Bureau, Places
from syncd.demo.writers import BureauSystem, DatabaseSystem, FolderSystem, ServiceSystem
from syncd.errors import NeedsPerson
from syncd.founding import add_member, found
from syncd.settings import Settings, SourceSettings, read_settings
from syncd.settings_file import SETTINGS_FILE, Wishes

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
ROWS_PER_FILE = 20
PORTS = range(20_000, 32_000)


@dataclass
class Site:
    """One bureau: its node's folder, its stand-in's folder, and what runs."""

    bureau: Bureau
    folder: Path
    port: int
    system: BureauSystem | None = None
    daemon: subprocess.Popen[bytes] | None = None
    standin: subprocess.Popen[bytes] | None = None
    extra: Sequence[str] = field(default_factory=tuple)
    poll_milliseconds: int = 50

    @property
    def settings_file(self) -> Path:
        """The node's ``syncd.toml``."""
        return self.folder / SETTINGS_FILE

    @property
    def settings(self) -> Settings:
        """The node's settings, as every command reads them."""
        return read_settings(self.settings_file)

    @property
    def home(self) -> BureauSystem:
        """The bureau's own system, once it runs."""
        if self.system is None:
            raise NeedsPerson(f"The stand-in of {self.bureau.key} does not run.")
        return self.system

    def start_standin(self) -> None:
        """Start the bureau's own system and wait until it is ready."""
        place = self.folder / "system"
        place.mkdir(parents=True, exist_ok=True)
        mode, extra = self.bureau.mode, [*self.extra, "--with-parent"]
        if mode == "service":
            certificate, token = make_certificate(place), place / "token"
            if not token.exists():
                token.write_text(secrets.token_hex(16), "ascii")
            extra += ["--port", str(free_port()), "--token-file", str(token), "--cert", str(certificate.cert)]
            extra += ["--key", str(certificate.key)]
        if mode != "service":
            extra += ["--poll-ms", str(self.poll_milliseconds)]
        module = f"syncd.demo.standin_{'folder' if mode == 'files' else mode}"
        self.standin = _start([module, "--dir", str(place), *extra], place / "standin.log")
        ready = _await_line(self.standin, place / "standin.log", '"ready"')
        if mode == "service":
            self.system = ServiceSystem(ready["url"], place, place / "ca.pem")
        elif mode == "files":
            self.system = FolderSystem(place, ROWS_PER_FILE, ("gb18030", "utf-8-sig", "utf-8"))
        else:
            self.system = DatabaseSystem(place)
        self._url = ready.get("url", "")

    def source(self, every: float) -> SourceSettings:
        """The source section of the node's settings."""
        place = self.folder / "system"
        facts = self.folder / "facts.toml"
        shutil.copy(CONFIG / "sources" / f"{self.bureau.key}.toml", facts)
        common = {"facts": facts, "every_seconds": every, "acknowledgements_seconds": every}
        if self.bureau.mode == "service":
            files = {"ca_file": place / "ca.pem", "token_file": place / "token"}
            return SourceSettings.model_validate({**common, "url": self._url, **files})
        if self.bureau.mode == "files":
            return SourceSettings.model_validate({**common, "folder": place})
        return SourceSettings.model_validate({**common, "url": f"sqlite:///{place.resolve() / 'front.sqlite'}"})

    def start_daemon(self, environment: dict[str, str] | None = None) -> None:
        """Start ``syncd run`` and wait until it listens."""
        log = self.folder / "daemon.log"
        self.daemon = _start(["syncd", "run", "-c", str(self.settings_file)], log, environment)
        _await_line(self.daemon, log, '"daemon.ready"')

    def stop(self) -> None:
        """Stop both, the node first."""
        for process in (self.daemon, self.standin):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in (self.daemon, self.standin):
            if process is not None:
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


@contextmanager
def sites(
    directory: Path,
    places: Places,
    *,
    every: float = 0.2,
    allow_candidates: bool = True,
    standin: Sequence[str] = (),
    poll_milliseconds: int = 50,
) -> Iterator[dict[str, Site]]:
    """Lay out, found and introduce all bureaus; stand-ins run, daemons do not yet. All is stopped on leaving."""
    made: dict[str, Site] = {}
    try:
        for bureau in places.bureaus.values():
            site = Site(bureau, directory / bureau.key, free_port(), extra=standin, poll_milliseconds=poll_milliseconds)
            made[bureau.code] = site
            site.start_standin()
            agreement = site.folder / "agreement"
            shutil.copytree(CONFIG / "agreements" / places.plan["agreement"], agreement)
            url = f"https://127.0.0.1:{site.port}"
            found(site.folder, Wishes(bureau.code, url, agreement, site.source(every), None, allow_candidates))
        introduce(list(made.values()))
        yield made
    finally:
        for site in made.values():
            site.stop()


def introduce(together: Sequence[Site]) -> None:
    """Each bureau takes the others' member files, with the fingerprint read out over another channel."""
    for site in together:
        for other in together:
            if other is site:
                continue
            file = other.folder / f"member-{other.bureau.code}.toml"
            spoken = next(line for line in file.read_text("utf-8").splitlines() if line.startswith("fingerprint"))
            add_member(site.settings, file, spoken.split('"')[1])


def free_port() -> int:
    """A port of this machine that nobody listens on just now, below those that systems give to outgoing connections:
    one of those could be taken by a call between looking and listening.
    """
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _start(arguments: list[str], log: Path, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    root = str(CONFIG.parent)
    inherited = {**os.environ, "PYTHONPATH": root, "PYTHONUNBUFFERED": "1", **(environment or {})}
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments], stdout=output, stderr=subprocess.STDOUT, env=inherited,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip


def _await_line(process: subprocess.Popen[bytes], log: Path, text: str) -> dict[str, str]:
    """The first line of a process's log that holds ``text``, as JSON; raises what the process said if it ended."""
    until = time.monotonic() + READY_SECONDS
    with log.open("r", encoding="utf-8", errors="replace") as output:
        partial = ""
        while time.monotonic() < until:
            partial += output.readline()
            if partial.endswith("\n"):
                if text in partial:
                    found_line: dict[str, str] = json.loads(partial)
                    return found_line
                partial = ""
            elif process.poll() is not None:
                break
            else:
                time.sleep(0.01)
    raise NeedsPerson(f"{log.stem} did not start: {_last_words(log)}")


def _last_words(log: Path) -> str:
    with log.open("rb") as output:
        lines = _lines(output)
    return lines[-1] if lines else "it said nothing"


def _lines(output: IO[bytes]) -> list[str]:
    return [line for line in output.read().decode("utf-8", "replace").splitlines() if line.strip()]
