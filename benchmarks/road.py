"""Where the time goes on the road of a finding: ``python -m benchmarks.road`` (or ``make bench-road``).

Three nodes in one process and one thread, SQLite with ``synchronous=FULL``, links and bureau systems in memory: what is
left is the nodes' own work. Each stage's CPU time is counted by itself, so the sum is what a finding costs all three
nodes together, whatever else the machine is doing; HTTPS and the bureau systems come on top (``end_to_end``).

``--profile`` adds where the CPU was found at a look each millisecond, by function alone and with all that it called;
unlike a tracing profiler it does not make small functions look large.
"""

import argparse
import datetime as dt
import gc
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from adapters.base import AckPage, Adapter, Page, RawRow
from adapters.facts import parse_facts
from adapters.source import Source
from syncd import keyring
from syncd.agreement.model import Agreement
from syncd.agreement_files import read_agreement
from syncd.demo.bulk import generate_bulk
from syncd.demo.places import CONFIG, Places, load_places
from syncd.flows.bureau import Bureau, Peer, Signers, day_of
from syncd.flows.startup import establish
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner
from syncd.peers import Answer
from syncd.stages import Stages, assemble
from syncd.store.engine import Store
from syncd.store.logs import Logs
from syncd.store.sizes import SignedSizes
from syncd.store.vault import Vault

Json = dict[str, Any]
PAGE = 500
LOOK_SECONDS = 0.001  # or as often as the kernel's own clock ticks
LISTED = 100
ROOMS = ("adapters/", "schemas/", "store/", "flows/", "ledger/", "agreement/", "syncd/", "benchmarks/")
STAMP = "2026-01-01 08:00:00"


class Home(Adapter):
    """A bureau's own system that costs nothing: pages of rows, orders counted and let go."""

    def __init__(self) -> None:
        self.rows: list[RawRow] = []
        self.findings: set[str] = set()

    def pull(self, cursor: Json | None) -> Page:
        start = cursor["at"] if cursor else 0
        rows = self.rows[start : start + PAGE]
        return Page(rows, {"at": start + len(rows)}, start + len(rows) < len(self.rows))

    def push(self, rows: Sequence[Json]) -> str:
        self.findings.update(row["CJD_RDBH"] for row in rows)
        return ""

    def acknowledgements(self, cursor: Json | None) -> AckPage:
        return AckPage([], cursor or {"at": 0}, False)


@dataclass
class Clocked:
    """CPU seconds by stage; a stage that calls into another node counts only its own."""

    spent: dict[str, float] = field(default_factory=dict)
    inner: float = 0.0

    def run(self, name: str, call: Callable[[], Any]) -> Any:
        outside, self.inner = self.inner, 0.0
        begun = time.process_time()
        try:
            return call()
        finally:
            took = time.process_time() - begun
            self.spent[name] = self.spent.get(name, 0.0) + took - self.inner
            self.inner = outside + took


@dataclass
class Node:
    """One bureau on the road."""

    bureau: Bureau
    stages: Stages
    home: Home
    rung: set[str]


@dataclass
class Link:
    """The way to a peer without a wire."""

    nodes: dict[str, Node]
    sender: str
    to: str
    clocked: Clocked

    def post_entries(self, origin: str, body: bytes) -> Answer:
        take = self.nodes[self.to].stages.receive.entries
        answer: Answer = self.clocked.run("receive", lambda: take(origin, body, self.sender))
        return answer

    def post_disclosures(self, origin: str, body: bytes) -> Answer:
        return self.nodes[self.to].stages.receive.disclosures(origin, body, self.sender)

    def get(self, origin: str, path: str) -> Answer:
        return self.nodes[self.to].stages.serve.static(origin, path)


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--findings", type=int, default=5_000)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    places = load_places()
    with tempfile.TemporaryDirectory(prefix="syncd-road-") as folder:
        clocked = Clocked()
        nodes = build(Path(folder), places, clocked)
        code = next(iter(nodes))
        rows = list(generate_bulk(code, asked.findings, day_of(dt.datetime.now(dt.UTC)), 0, places))
        nodes[code].home.rows = [RawRow("penalty", row["ID"], {**row, "GXSJ": STAMP}, "bulk") for row in rows]
        nodes[code].rung.add("collect")
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        looks = Looks()
        with looks.taken() if asked.profile else nullcontext():
            settle(nodes, clocked)
        each = tell(nodes, clocked, asked.findings)
        if asked.profile:
            looks.tell(each)


def settle(nodes: dict[str, Node], clocked: Clocked) -> None:
    """Step each stage whose bell has rung, one step at a time in turn, until no bell is left, as workers would."""
    moved = True
    while moved:
        moved = False
        for node in nodes.values():
            for name, step in node.stages.steps().items():
                if name in node.rung:
                    node.rung.discard(name)
                    moved = True
                    if clocked.run(name.partition(":")[0], step):
                        node.rung.add(name)
    for name in ("answers", "receipts"):  # what only informs is read when all is quiet
        for node in nodes.values():
            for full, step in node.stages.steps().items():
                while full.partition(":")[0] == name and clocked.run(name, step):
                    pass


@dataclass
class Looks:
    """Where the CPU was found, a look each millisecond of CPU time."""

    alone: Counter[str] = field(default_factory=Counter)
    within: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def taken(self) -> Iterator[None]:
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, LOOK_SECONDS, LOOK_SECONDS)
        yield
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _look(self, _: int, frame: FrameType | None) -> None:
        seen = set[str]()
        ours = ""
        while frame is not None:
            code = frame.f_code
            name = f"{'/'.join(Path(code.co_filename).parts[-2:])} {code.co_qualname}"
            if not ours and "site-packages" not in code.co_filename and name.startswith(ROOMS):
                ours = f"{name}:{frame.f_lineno}"
                self.alone[ours] += 1
            seen.add(name)
            frame = frame.f_back
        self.within.update(seen)

    def tell(self, each: float) -> None:
        """``each``: microseconds of a finding, which the looks share out."""
        whole = sum(self.alone.values())
        for title, found in (("alone", self.alone), ("with all that it called", self.within)):
            print(title)
            for name, looks in found.most_common(LISTED if whole else 0):
                print(f"  {looks / whole * each:7.1f} us  {name}")


def tell(nodes: dict[str, Node], clocked: Clocked, count: int) -> float:
    """Print what each stage cost, and make sure that the road was gone to its end."""
    for code, node in nodes.items():
        if len(node.home.findings) != count:
            raise SystemExit(f"{code} restricts {len(node.home.findings)} of {count} findings")
    for name, seconds in sorted(clocked.spent.items(), key=lambda item: -item[1]):
        if seconds * 1e6 / count >= 1:
            print(f"  {name:12} {seconds * 1e6 / count:7.0f} us a finding")
    total = sum(clocked.spent.values())
    print(f"road: {total * 1e6 / count:,.0f} us of CPU a finding over {len(nodes)} nodes ({count:,} findings)")
    return total * 1e6 / count


def build(folder: Path, places: Places, clocked: Clocked) -> dict[str, Node]:
    """Nodes of all bureaus of the demonstration, founded and established."""
    agreement = read_agreement(CONFIG / "agreements" / places.plan["agreement"])
    keys = {}
    for code in places.bureaus:
        keyring.create(folder / code / "keys", code, "https://127.0.0.1:1")
        keys[code] = keyring.load(folder / code / "keys")
    signers = {code: _signers(agreement, code, keys[code]) for code in keys}
    peers = {code: Peer(code, one.log.name, one.log.verifier, one.receipt.verifier) for code, one in signers.items()}
    nodes: dict[str, Node] = {}
    for code, bureau in places.bureaus.items():
        node = _bureau(folder / code, code, agreement, peers, signers[code], keys[code])
        rung = set[str]()
        node.wake = _bells(rung, [other for other in peers if other != code])
        facts = parse_facts((CONFIG / "sources" / f"{bureau.key}.toml").read_bytes())
        links = {other: Link(nodes, code, other, clocked) for other in peers if other != code}
        home = Home()
        nodes[code] = Node(node, assemble(node, Source(home, facts, keys[code].row_key), links), home, rung)
    for one in nodes.values():
        establish(one.bureau)
    return nodes


def _bells(rung: set[str], others: Sequence[str]) -> Callable[[str], None]:
    def wake(bell: str) -> None:
        rung.update([f"{bell}:{other}" for other in others] if bell in ("share", "resend") else [bell])

    return wake


def _signers(agreement: Agreement, code: str, keys: keyring.Keyring) -> Signers:
    return Signers(
        NoteSigner(f"{agreement.id}/{code}/1", keys.log, LOG_KEY),
        NoteSigner(f"{agreement.id}/{code}/receipt", keys.receipt, COSIGNATURE_KEY),
    )


def _bureau(
    folder: Path, code: str, agreement: Agreement, peers: dict[str, Peer], signers: Signers, keys: keyring.Keyring
) -> Bureau:
    Vault.create(folder / "record-keys.db", keys.node_key).close()
    SignedSizes.create(folder / "signed-sizes").close()
    store = Store.open(f"sqlite:///{folder / 'syncd.db'}")
    store.upgrade()
    vault = Vault(folder / "record-keys.db", keys.node_key)
    return Bureau(
        code=code, agreement=agreement, members=peers, store=store, logs=Logs(store, vault), vault=vault,
        open_sizes=lambda: SignedSizes(folder / "signed-sizes"),
        new_sizes=lambda: SignedSizes.anew(folder / "signed-sizes"),
        signers=signers, clock=lambda: dt.datetime.now(dt.UTC), wake=lambda bell: None, allow_candidates=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
