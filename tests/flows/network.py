"""Nodes in one process with links in memory: the same stages as the daemons', stepped until all is quiet.

The home systems are small true implementations of the adapter's promise: they keep rows, take orders idempotently
and acknowledge them.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from adapters.base import Ack, AckPage, Adapter, Page, RawRow, SourceError
from adapters.facts import parse_facts
from adapters.source import Source
from schemas.identifiers import make_uscc
from syncd import keyring
from syncd.agreement.load import load_agreement
from syncd.agreement.model import Agreement
from syncd.errors import Retry
from syncd.flows.bureau import Bureau, Peer, Signers
from syncd.flows.startup import establish
from syncd.ledger.key_history import ROLES
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner
from syncd.peers import Answer
from syncd.stages import Stages, assemble
from syncd.store.engine import Store
from syncd.store.logs import Logs
from syncd.store.sizes import SignedSizes
from syncd.store.vault import Vault

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
ORGAN = make_uscc("11310114", "00000001")
THREE = ("310114", "320583", "320585")
# What only informs has no bell of its own: a daemon looks at it by the clock, here it follows the stage before it.
QUIET = {"answers": "recognise", "receipts": "share"}


class HomeSystem(Adapter):
    """A bureau's own system in memory: rows with a growing number, orders by (finding, measure)."""

    def __init__(self) -> None:
        self.rows: list[RawRow] = []
        self.orders: dict[tuple[str, str], Json] = {}
        self.acks: list[Ack] = []
        self.down = False
        self.silent = False
        self.pushes = 0
        self.number = ""
        self.begun: list[str] = []

    def put(self, *rows: RawRow) -> None:
        """Add rows, replacing what stands under the same key."""
        keys = {(row.kind, row.key) for row in rows}
        self.rows = [row for row in self.rows if (row.kind, row.key) not in keys] + list(rows)
        self.written = getattr(self, "written", 0) + len(rows)

    def remove(self, key: str) -> None:
        """A row vanishes."""
        self.rows = [row for row in self.rows if row.key != key]

    def pull(self, cursor: Json | None) -> Page:
        self._awake()
        if cursor is None or cursor.get("written") != getattr(self, "written", 0):
            rows = [RawRow(row.kind, row.key, dict(row.fields), row.where, row.fault) for row in self.rows]
            return Page(rows, {"written": getattr(self, "written", 0)}, False, self.begun)
        return Page([], cursor, False)

    def push(self, rows: Sequence[Json]) -> str:
        self._awake()
        self.pushes += 1
        for row in rows:
            key = (row["CJD_RDBH"], row["CJD_CS"])
            held = self.orders.get(key)
            rank = (int(row["CJD_BBH"]), row["CJD_ZT"] == "0")
            if held is not None and (int(held["CJD_BBH"]), held["CJD_ZT"] == "0") > rank:
                continue
            self.orders[key] = row
            state = "applied" if row["CJD_ZT"] == "1" else "lifted"
            day = "2026-11-22"
            self.acks.append(Ack(row["CJD_RDBH"], row["CJD_CS"], int(row["CJD_BBH"]), row["CJD_ZXBM"], state, day))
        return self.number

    def acknowledgements(self, cursor: Json | None) -> AckPage:
        self._awake()
        start = cursor["read"] if cursor else 0
        rows = [] if self.silent else self.acks[start : start + 1000]
        return AckPage(rows, {"read": start + len(rows)}, start + len(rows) < len(self.acks) and not self.silent)

    def in_force(self, uscc: str) -> set[str]:
        """Measures this system applies to an organisation now."""
        return {row["CJD_CS"] for row in self.orders.values() if row["CJD_XDR_SHXYM"] == uscc and row["CJD_ZT"] == "1"}

    def _awake(self) -> None:
        if self.down:
            raise SourceError("The home system is down for maintenance.", transient=True)


@dataclass
class Node:
    """One bureau in the test."""

    bureau: Bureau
    stages: Stages
    home: Any
    source: Source
    rung: set[str] = field(default_factory=set)
    """Bells that have rung since the stages last had their turn."""


@dataclass
class MemoryLink:
    """The way to a peer without a wire: calls its ``receive`` with the same bytes."""

    sender: str
    target: Callable[[], Node]
    down: bool = False
    lose_answers: int = 0
    tamper: Callable[[bytes], bytes] | None = None
    posted: list[bytes] = field(default_factory=list)

    def post_entries(self, origin: str, body: bytes) -> Answer:
        if self.down:
            raise Retry("The peer is away.")
        self.posted.append(body)
        answer = self.target().stages.receive.entries(origin, self.tamper(body) if self.tamper else body, self.sender)
        if self.lose_answers:
            self.lose_answers -= 1
            raise Retry("The answer was lost.")
        return answer

    def post_disclosures(self, origin: str, body: bytes) -> Answer:
        if self.down:
            raise Retry("The peer is away.")
        return self.target().stages.receive.disclosures(origin, body, self.sender)

    def get(self, origin: str, path: str) -> Answer:
        if self.down:
            raise Retry("The peer is away.")
        serve = self.target().stages.serve
        page = re.fullmatch(r"entries\?from=([0-9]+)&count=([0-9]+)", path)
        return serve.entries(origin, page[1], page[2], self.sender) if page else serve.static(origin, path)


class Network:
    """All nodes; ``settle`` steps every stage until nobody has anything more to do."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.links: dict[tuple[str, str], MemoryLink] = {}
        self.now = dt.datetime(2026, 11, 22, 1, 0, tzinfo=dt.UTC)
        self.at_once = 1_000_000  # steps of a stage before the next stage has its turn
        self.versions: dict[str, list[Agreement]] = {}  # what lies in each node's folder of further versions

    def clock(self) -> dt.datetime:
        """Moves a millisecond at each look."""
        self.now += dt.timedelta(milliseconds=1)
        return self.now

    def establish(self) -> None:
        """Start-up of every node."""
        for node in self.nodes.values():
            establish(node.bureau)

    def close(self) -> None:
        """Close stores, vaults, sizes and home systems."""
        for node in self.nodes.values():
            node.bureau.store.close()
            node.bureau.vault.close()
            node.bureau.sizes.close()
            node.source.close()

    def settle(self, *, collect: bool = True, limit: int = 20_000) -> None:
        """Collect once everywhere, then run all stages until quiet; a peer or home system that is away is skipped."""
        if collect:
            for node in self.nodes.values():
                self._drain(node.stages.steps()["collect"])
        every = False
        for _ in range(limit):
            moved = [self._once(node, every) for node in self.nodes.values()]
            if every and not any(moved):
                return
            every = not any(moved)  # when no bell rings any more, every stage has one more look
        raise AssertionError("the network does not come to rest")

    def _once(self, node: Node, every: bool) -> bool:
        """Each stage whose bell has rung, or ``every`` one, in the order of the node's own threads."""
        size, moved = self._size(node), False
        rung, node.rung = node.rung, set()
        for name, step in node.stages.steps().items():
            bell = QUIET.get(name.partition(":")[0], name.partition(":")[0])
            if name != "collect" and (every or bell in rung or bell in node.rung):
                moved = self._drain(step) or moved
        if moved or every:
            if node.stages.restrict is not None:
                self._drain(node.stages.certain(node.stages.restrict.acknowledgements))
            moved = moved or self._size(node) != size
        return moved

    def _size(self, node: Node) -> int:
        with node.bureau.store.read() as conn:
            return node.bureau.logs.state(conn, node.bureau.origin).size

    def _drain(self, step: Callable[[], bool]) -> bool:
        moved = False
        try:
            for _ in range(self.at_once):
                if not step():
                    break
                moved = True
        except (Retry, SourceError):
            return False
        return moved


@cache
def agreement_of(codes: tuple[str, ...]) -> Agreement:
    """The agreement of these members, read once."""
    return load_agreement(agreement_files(codes))


def version_of(
    codes: Sequence[str], version: int, effective_from: str, *edits: tuple[str, str, str], base: Sequence[str] = THREE
) -> Agreement:
    """A later version for these members: ``edits`` replace one text by another in a file."""
    files = agreement_files(sorted({*codes, *base}))
    head = files["agreement.toml"].decode()
    members = ", ".join(f'"{code}"' for code in codes)
    for name, value in (("version", str(version)), ("effective_from", effective_from), ("members", f"[{members}]")):
        old = next(line for line in head.splitlines() if line.startswith(f"{name} "))
        head = head.replace(old, f"{name} = {value}")
    files["agreement.toml"] = head.encode()
    for gone in set(base) - set(codes):
        files.pop(f"regions/{gone}.toml")
        for path in ("measures.toml", "doubts.toml", "bases.toml"):
            files[path] = _without(files[path].decode(), gone).encode()
    for path, old, new in edits:
        assert old in files[path].decode(), (path, old)
        files[path] = files[path].decode().replace(old, new, 1).encode()
    return load_agreement(files)


def _without(text: str, code: str) -> str:
    """The rows of a table without those of one region, and without the region in the lists of others."""
    head, *rows = re.split(r"(?m)^(?=\[\[)", text)
    kept = [row for row in rows if f'region = "{code}"' not in row and f'regions = ["{code}"]' not in row]
    return head + "".join(row.replace(f', "{code}"', "").replace(f'"{code}", ', "") for row in kept)


def agreement_files(codes: Sequence[str]) -> dict[str, bytes]:
    """The shipped agreement, widened to these members; regions beyond the three copy the second one's mapping."""
    folder = ROOT / "config/agreements/jiakuntai-eco"
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.toml")}
    names = ", ".join(f'"{code}"' for code in codes)
    head = files["agreement.toml"].decode()
    old = next(line for line in head.splitlines() if line.startswith("members"))
    files["agreement.toml"] = head.replace(old, f"members = [{names}]").encode()
    for gone in set(THREE) - set(codes):
        for path in ("measures.toml", "doubts.toml"):
            files[path] = files[path].replace(f', "{gone}"'.encode(), b"")
    for code in codes:
        if f"regions/{code}.toml" not in files:
            files[f"regions/{code}.toml"] = files["regions/320583.toml"].replace(b'"320583"', f'"{code}"'.encode())
    return {name: data for name, data in files.items() if not name.startswith("regions/") or name[8:14] in codes}


def network(
    folder: Path,
    urls: Callable[[str], str],
    codes: Sequence[str] = THREE,
    *,
    allow_candidates: bool = True,
    agreement: Agreement | None = None,
) -> Network:
    """Build nodes for these codes, each with its own store and a home system in memory."""
    found(folder, codes)
    net = opened(folder, urls, codes, allow_candidates=allow_candidates, agreement=agreement)
    net.establish()
    return net


def found(folder: Path, codes: Sequence[str] = THREE) -> None:
    """What ``syncd init`` makes of each node, once: keys, vault, signed sizes."""
    for code in codes:
        keyring.create(folder / code / "keys", code, "https://127.0.0.1:1")
        Vault.create(folder / code / "record-keys.db", keyring.load(folder / code / "keys").node_key).close()
        SignedSizes.create(folder / code / "signed-sizes").close()


def opened(
    folder: Path,
    urls: Callable[[str], str],
    codes: Sequence[str] = THREE,
    *,
    allow_candidates: bool = True,
    home: Callable[[str], Any] = lambda code: HomeSystem(),
    founded_under: Callable[[str], Agreement] | None = None,
    agreement: Agreement | None = None,
) -> Network:
    """Open the nodes that were founded in a folder, for the first time or again; ``home`` gives each its own system."""
    net = Network()
    keys = {code: keyring.load(folder / code / "keys") for code in codes}
    named = agreement or agreement_of(THREE)
    for code in codes:
        own = founded_under(code) if founded_under is not None else agreement or agreement_of(tuple(codes))
        store = Store.open(urls(code))
        store.upgrade()
        vault = Vault(folder / code / "record-keys.db", keys[code].node_key)
        bureau = Bureau(
            code=code, agreement=own, members=_members(named, keys), store=store, logs=Logs(store, vault), vault=vault,
            open_sizes=lambda path=folder / code / "signed-sizes": SignedSizes(path),
            new_sizes=lambda path=folder / code / "signed-sizes": SignedSizes.anew(path),
            signers=signers(own, code, keys[code]), clock=net.clock,
            wake=lambda bell, code=code: net.nodes[code].rung.add(bell),
            allow_candidates=allow_candidates, find_versions=lambda code=code: net.versions.get(code, []),
        )  # fmt: skip
        net.nodes[code] = _node(net, bureau, home(code), keys[code].row_key)
    return net


def _members(agreement: Agreement, keys: Mapping[str, keyring.Keyring]) -> dict[str, Peer]:
    """The members as one node knows them, apart from what others know: each learns of changed keys by itself."""
    return {code: peer(agreement, code, one) for code, one in keys.items()}


def signers(agreement: Agreement, code: str, keys: keyring.Keyring) -> Signers:
    """The signers of a member."""
    return Signers(
        NoteSigner(f"{agreement.id}/{code}/1", keys.log, LOG_KEY),
        NoteSigner(f"{agreement.id}/{code}/receipt", keys.receipt, COSIGNATURE_KEY),
    )


def find_spare(net: Network, folder: Path) -> None:
    """Let each node find further keys in its folder, as a daemon does."""
    for code, node in net.nodes.items():
        own = node.bureau.members[code]
        names, keys = {"log": own.log.name, "receipt": own.receipt.name}, folder / code / "keys"
        node.bureau.signers = replace(node.bureau.signers, spare=lambda names=names, keys=keys: [
            NoteSigner(names[role], key, kind)
            for role, kind in ROLES.items() for _, key in keyring.signing_keys(keys, role)
        ])  # fmt: skip


def peer(agreement: Agreement, code: str, keys: keyring.Keyring) -> Peer:
    """The public side of a member."""
    own = signers(agreement, code, keys)
    return Peer(code, own.log.name, own.log.verifier, own.receipt.verifier)


def _node(net: Network, bureau: Bureau, home: Any, row_key: bytes) -> Node:
    source = Source(home, facts_of(bureau.code), row_key)
    others = [code for code in bureau.members if code != bureau.code]
    links = {other: MemoryLink(bureau.code, lambda other=other: net.nodes[other]) for other in others}
    net.links.update({(bureau.code, other): link for other, link in links.items()})
    return Node(bureau, assemble(bureau, source, links), home, source)


@cache
def facts_of(code: str) -> Any:
    """The facts page of a test bureau: the shipped one of the database mode, with this place."""
    text = (ROOT / "config/sources/taicang.toml").read_text("utf-8")
    return parse_facts(text.replace("320585", code).encode())


def company(n: int) -> str:
    """The n-th invented company's USCC."""
    return make_uscc("91320583", f"MA{n:06d}")


def penalty(key: str, uscc: str, code: str, place: str, **changes: str) -> RawRow:
    """A clean penalty row of 30 columns and the extras."""
    fields = {
        "ID": key, "CF_XDR_MC": f"演示第{key}化工有限公司", "CF_XDR_LB": "法人及非法人组织", "CF_XDR_SHXYM": uscc,
        "CF_FRDB": "甲某某", "CF_WSH": f"环罚〔2026〕{key}号", "CF_WFXW": "超标排放水污染物", "CF_SY": "某日检查",
        "CF_YJ": "《中华人民共和国水污染防治法》第八十三条", "CF_CFLB": "罚款", "CF_NR": "罚款贰万元", "CF_NR_FK": "2",
        "CF_JDRQ": "2026/11/02", "CF_YXQ": "2099/12/31", "CF_GSJZQ": "2028/11/02", "CF_CFJG": "某某生态环境局",
        "CF_CFJGDM": ORGAN, "CF_SJLY": "某某生态环境局", "CF_SJLYDM": ORGAN, "RDDM": code, "SSQH": place,
        "GSRQ": "2026-11-05", "FYZT": "", "GXSJ": "2026-11-05 08:00:00.000000",
    }  # fmt: skip
    return RawRow("penalty", key, fields | changes, f"test:{key}")


def relief(key: str, of: RawRow, status: str, **changes: str) -> RawRow:
    """A relief row about a penalty row."""
    fields = {
        "ID": key, "CF_WSH": of.fields["CF_WSH"], "CF_CFJGDM": of.fields["CF_CFJGDM"],
        "CF_XDR_SHXYM": of.fields["CF_XDR_SHXYM"], "XF_ZT": status, "XF_LX": "XYXF", "XF_WS": "信修〔2026〕1号",
        "XF_RQ": "2026-11-21", "GXSJ": "2026-11-21 08:00:00.000000",
    }  # fmt: skip
    return RawRow("relief", key, fields | changes, f"test:{key}")
