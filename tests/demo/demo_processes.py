"""Stand-ins as real processes, for the tests of this folder: started, ready, stopped."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from syncd.demo.certificate import make_certificate

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "agreed-token"


class Running:
    """A stand-in process; ``ready`` is what its ready line said."""

    def __init__(self, name: str, directory: Path, *extra: str) -> None:
        command = [sys.executable, "-m", f"syncd.demo.standin_{name}", "--dir", str(directory), *extra]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else ""
        self.ready: dict[str, Any] = json.loads(line)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float, str]:
        """Sends the signal; exit code, seconds it took, and what was said on stderr."""
        begun = time.monotonic()
        self.process.send_signal(number)
        said = self.process.communicate(timeout=10)[1]
        return self.process.returncode, time.monotonic() - begun, said


@contextmanager
def running(name: str, directory: Path, *extra: str) -> Iterator[Running]:
    """A stand-in that is certainly gone afterwards."""
    standin = Running(name, directory, *extra)
    try:
        yield standin
    finally:
        if standin.process.poll() is None:
            standin.process.kill()
            standin.process.communicate()


def service_options(directory: Path) -> list[str]:
    """Token and certificate for a stand-in service, made if they are not there."""
    paths = make_certificate(directory / "tls")
    token = directory / "exchange.token"
    token.write_text(TOKEN)
    return ["--token-file", str(token), "--cert", str(paths.cert), "--key", str(paths.key)]


def exchange_session(directory: Path, token: str = TOKEN) -> requests.Session:
    """What an adapter would use: the agreed token, and the bureau's own authority as the only one."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(directory / "tls" / "ca.pem")
    session.headers["Authorization"] = f"Bearer {token}"
    return session


def order(finding: int, measure: str = "MA-01", counter: int = 1, state: str = "1", **more: str) -> dict[str, str]:
    """One order 惩戒单 as the exchange pushes it."""
    return {
        "CJD_PCH": "P1",
        "CJD_RDBH": f"{finding:064x}",
        "CJD_BBH": str(counter),
        "CJD_ZT": state,
        "CJD_LY": "生态环境",
        "CJD_SY": "EP-04",
        "CJD_YJ": "依据",
        "CJD_GZ": "R-1",
        "CJD_CS": measure,
        "CJD_CSMC": "从严审查",
        "CJD_XZ": "约束",
        "CJD_WSH": f"演环罚〔2026〕{finding}号",
        "CJD_WSRQ": "2026-11-01",
        "CJD_TQBM": "提请部门",
        "CJD_ZXBM": "执行部门",
        "CJD_YXQ": "2026-11-02",
        "CJD_YXZ": "2027-11-01",
        "CJD_SFFK": "是",
        "CJD_XDR_MC": "虚构化工有限公司",
        "CJD_XDR_SHXYM": "91310114MA0000015X",
        "CJD_BJ": "",
        "CJD_YS": "演示",
    } | more


def until(seconds: float, question: Any) -> Any:
    """Asks until the answer is truthy; fails after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := question()):
        assert time.monotonic() < end, "nothing came in time"
        time.sleep(0.01)
    return found
