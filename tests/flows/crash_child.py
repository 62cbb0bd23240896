"""The processes of the crash tests: three nodes, rows, one relief, two jobs; killed at a failpoint or not.

Started once, it reads a line of JSON for each run (``folder``, ``failpoint`` and what ``run`` takes), forks a child
that opens what is in the folder and goes on from there, and answers with the child's exit status and last words.
Forking spares each of hundreds of children the second and a half that importing takes.
"""

import datetime as dt
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import front
from network import THREE, Network, agreement_of, company, facts_of, find_spare, opened, penalty, relief, version_of

from syncd import failpoint, keyring
from syncd.ledger.key_history import ROLES
from syncd.ledger.notes import NoteSigner
from syncd.ledger.wire import compress, decode_batch, decompress, encode_batch, encode_records
from syncd.store import desk, jobs, register

Json = dict[str, Any]
JIADING, HOME, OTHER = "310114", "320583", "320585"
LATER = dt.timedelta(seconds=61)  # the next entries make a stop, so that peers receive in several batches
RELIEVED, WITHHELD, REVIEWED = 1, 3, 6
ROWS = {
    HOME: [penalty("101", company(RELIEVED), "KS-0104", HOME)],
    JIADING: [penalty("201", company(2), "JD-HB-04", JIADING)],
}
NEWS = {
    HOME: [relief("r1", ROWS[HOME][0], "撤销"), penalty("102", company(2), "KS-0105", HOME),
           penalty("103", company(WITHHELD), "KS-0104", HOME), penalty("104", company(REVIEWED), "KS-0199", HOME)],
    OTHER: [penalty("301", company(4), "TC-A05", OTHER)],
}  # fmt: skip

SHORTER = ("regions/320585.toml", 'id = "TC-R-EP-04"\ncriterion = "EP-04"\nmode = "automatic"\nmonths = 24',
           'id = "TC-R-EP-04"\ncriterion = "EP-04"\nmode = "automatic"\nmonths = 12')  # fmt: skip


def run(folder: Path, urls: dict[str, str], rows: str, at_once: int = 1_000_000) -> None:
    """Open the nodes, start them, and let everything happen that has not happened yet.

    ``rows`` are those of the ``first`` day, of the ``second`` or of ``both``; on the second there is work for persons.
    ``DEEDS`` bring no rows: a person asks for something, such as an erasure.
    ``at_once`` 1 lets every stage take one step at a time, so that a peer works between two batches and relief has to
    act before the rest of its log is there.
    """
    net = opened(folder, urls.__getitem__, home=front.at(folder))
    net.links[HOME, OTHER].tamper = withhold
    net.at_once = at_once
    find_spare(net, folder)
    net.establish()
    if rows in DEEDS:
        DEEDS[rows](net, folder)
        net.close()
        return
    for node in net.nodes.values():  # a daemon's stages start at once, in no order: here the worst one
        assert node.stages.restrict is not None
        node.stages.restrict.acknowledgements()
        node.stages.recognise.reconsider()
    if rows != "second":
        put(net, ROWS)
    if rows != "first":
        net.now += LATER
        if at_once == 1:
            relieve_ahead(net)
        put(net, NEWS)
        ask(net, 1, "resync", {"stage": "share", "peer": OTHER, "dry_run": False})
        net.nodes[OTHER].stages.recognise.reconsider()  # what did not arrive has been sent again
        ask(net, 2, "desk.release", {"item": reviewed(net), "ground": "operator_request"})
    net.close()


def put(net: Network, rows: dict[str, list[Any]]) -> None:
    """The bureaus write rows; then everybody works until all is quiet."""
    for code, some in rows.items():
        net.nodes[code].home.put(*some)
    net.settle()


def relieve_ahead(net: Network) -> None:
    """Relief comes alone, and more a minute later: it stands in a batch of its own, below the sender's target."""
    node = net.nodes[HOME]
    node.home.put(NEWS[HOME][0])
    while node.stages.steps()["collect"]():
        pass
    net.now += LATER


def ask(net: Network, number: int, kind: str, args: Json, code: str = HOME) -> None:
    """A person at one bureau asks for something, once; then everybody works until all is quiet."""
    node = net.nodes[code]
    with node.bureau.store.write() as conn:
        if jobs.one(conn, number) is None:
            jobs.ask(conn, kind, {**args, "account": 1001}, "1001", node.bureau.now_text())
    net.settle()


def erase(net: Network, _: Path) -> None:
    """The first day's finding is to be erased while it still stands."""
    with net.nodes[HOME].bureau.store.read() as conn:
        found = register.findings_of(conn, company(RELIEVED))
    leaf = found[0].leaf.hex() if found else ""
    ask(net, 9, "erase", {"finding": leaf, "ground": "revoked", "number": "KS-2026-0007", "revoke": True})


def fetch_back(net: Network, _: Path) -> None:
    """One's own entries are fetched back from the members."""
    ask(net, 9, "recover", {"without": []})


def rotate(net: Network, folder: Path) -> None:
    """The log key is changed for the one that lies ready beside it; the old one is retired by itself."""
    spare = keyring.signing_keys(folder / HOME / "keys", "log")[1][1]
    key = NoteSigner(net.nodes[HOME].bureau.origin, spare, ROLES["log"]).vkey
    ask(net, 1, "keys.rotate", {"role": "log", "key": key})


def seal(net: Network, _: Path) -> None:
    """Another member's log is sealed, without a successor."""
    ask(net, 1, "keys.seal", {"log": net.nodes[OTHER].bureau.origin, "successor": None, "keys": []})


def change(net: Network, _: Path) -> None:
    """All adopt a second version, by which one of them judges anew."""
    net.versions = {code: [version_of(THREE, 2, "2026-11-01", SHORTER)] for code in THREE}
    net.settle()
    for code in THREE:
        ask(net, 1, "agreement.sign", {"version": 2, "ground": "operator_request"}, code)
    ask(net, 2, "agreement.replay", {"version": 2, "ground": "operator_request"}, OTHER)


DEEDS = {"erase": erase, "recover": fetch_back, "rotate": rotate, "seal": seal, "change": change}


def reviewed(net: Network) -> int:
    """The desk's item about the finding that waits for a person's review; 0 once there is none."""
    with net.nodes[HOME].bureau.store.read() as conn:
        return next((item.id for item in desk.listing(conn) if item.kind == "review"), 0)


def withhold(body: bytes) -> bytes:
    """A batch on its way loses one finding's disclosure."""
    batch = decode_batch(decompress(body))
    gone = company(WITHHELD).encode()
    records = [one._replace(disclosure=b"") if gone in one.disclosure else one for one in batch.records]
    return compress(encode_batch(batch.old, batch.proof, batch.checkpoint, batch.newest, encode_records(records)))


def child(order: Json, words: Path) -> int:
    """One run, in a process of its own; returns its wait status."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    try:
        failpoint.arm(order.pop("failpoint"))
        run(Path(order.pop("folder")), **order)
    except BaseException:
        words.write_text(traceback.format_exc(), "utf-8")
        os._exit(1)
    os._exit(0)


def main() -> None:
    """Serve runs until standard input ends."""
    agreement_of(THREE)  # what does not change is read once, before any child is there
    for code in THREE:
        facts_of(code)
    for line in sys.stdin:
        order = json.loads(line)
        words = Path(order["folder"], "last-words.txt")
        words.unlink(missing_ok=True)
        status = child(order, words)
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        said = words.read_text("utf-8") if words.exists() else ""
        print(json.dumps({"code": code, "killed": code == -signal.SIGKILL, "words": said}), flush=True)


if __name__ == "__main__":
    main()
