"""Real commands as processes, and real node folders for them: SQLite, the files mode, three bureaus' agreement."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from syncd.demo.bulk import generate_bulk
from syncd.demo.formats import Row, local_today
from syncd.demo.site import free_port
from syncd.demo.writers import FolderSystem
from syncd.founding import add_member, found
from syncd.settings import SourceSettings, read_settings
from syncd.settings_file import Wishes

ROOT = Path(__file__).resolve().parents[2]
AGREEMENT = ROOT / "config" / "agreements" / "jiakuntai-eco"
CODES = ("310114", "320583", "320585")
OWN = "320583"
CATCH_ALL = "KS-0199"


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its answer, read."""
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """The one line on standard error; anything more, or a traceback, fails the test."""
        lines = self.err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("syncd: "), self.err
        return lines[0]


_compiled = TemporaryDirectory(prefix="syncd-compiled-")


def environment() -> dict[str, str]:
    """As a person has it: the project in reach from any folder, and modules compiled once, not for each command."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    ours = {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PYTHONPYCACHEPREFIX": _compiled.name}
    return inherited | ours


def syncd(*arguments: str | Path, cwd: Path | None = None) -> Ran:
    """Run one command to its end."""
    command = [sys.executable, "-m", "syncd", *map(str, arguments)]
    ended = subprocess.run(command, cwd=cwd or ROOT, env=environment(), capture_output=True, timeout=90, check=False)
    return Ran(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def make_node(folder: Path, allow_candidates: bool, store_url: str | None = None) -> Path:
    """A node with a folder as its source, knowing two members that never run; returns its ``syncd.toml``."""
    node = folder / "node"
    system, agreement = folder / "system", folder / "agreement"
    for part in ("in", "out", "ack"):
        (system / part).mkdir(parents=True)
    shutil.copytree(AGREEMENT, agreement)
    source = SourceSettings(facts=ROOT / "config" / "sources" / "kunshan.toml", folder=system)
    url = f"https://127.0.0.1:{free_port()}"
    found(node, Wishes(OWN, url, agreement, source, store_url, allow_candidates))
    settings = read_settings(node / "syncd.toml")
    for code in CODES:
        if code != OWN:
            theirs = folder / code
            shutil.copytree(AGREEMENT, theirs / "agreement")
            made = found(theirs, Wishes(code, f"https://127.0.0.1:{free_port()}", theirs / "agreement"))
            add_member(settings, made.member_file, made.member.fingerprint)
    return node / "syncd.toml"


def put_rows(folder: Path, rows: list[Row]) -> None:
    """Let the bureau's own system put rows out, as it stands beside a node of ``make_node``."""
    FolderSystem(folder / "system").put_penalties(rows)


def some_rows() -> list[Row]:
    """Six decisions: four plain ones, one for review (the catch-all), one with a wrong check character."""
    rows = list(generate_bulk(OWN, 6, local_today()))
    rows[4]["RDDM"] = CATCH_ALL
    code = rows[5]["CF_XDR_SHXYM"]
    rows[5]["CF_XDR_SHXYM"] = code[:17] + ("1" if code[17] != "1" else "2")
    return rows


def utc_day() -> str:
    """Today by UTC, as it stands at the head of times."""
    return datetime.now(UTC).date().isoformat()
