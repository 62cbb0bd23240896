"""A daemon whose database came back from an old copy, over HTTPS: it signs nothing, says what to do, and recovers."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from daemon_nodes import FAR, NEAR, Node, environment, until

Json = dict[str, Any]


def syncd(node: Node, *words: str) -> subprocess.CompletedProcess[str]:
    """A command as a person gives it."""
    command = [sys.executable, "-m", "syncd", *words, "-c", str(node.folder / "syncd.toml")]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=node.folder, check=False)


def put_back(node: Node, copy: Path) -> None:
    """The database as it was when it was copied; keys, vault and signed sizes as they are."""
    node.stop()
    node.shut_books()
    for old in node.folder.glob("syncd.db*"):
        old.unlink()
    shutil.copy(copy, node.folder / "syncd.db")


def at_rest(node: Node, entries: int) -> bool:
    return all(node.agrees_with(code, entries) for code in (NEAR, FAR))


def test_an_old_database_signs_nothing_and_is_filled_up_again(three: dict[str, Node], home: Node, near: Node) -> None:
    three[FAR].running()
    row = home.put(2)[0]
    until(lambda: at_rest(home, 4), "all is countersigned")
    home.stop()
    home.shut_books()
    copy = Path(shutil.copy(home.folder / "syncd.db", home.folder / "old-copy"))
    old = home.peer(NEAR)["entries"]
    home.start()
    home.put(3)
    until(lambda: at_rest(home, old + 6), "three more are countersigned")
    full = home.peer(NEAR)["entries"]
    put_back(home, copy)
    home.start()
    home.put(1)
    until(lambda: home.said("stage.waits"), "it says that it waits")
    assert any("syncd ledger recover" in line["because"] for line in home.said("stage.waits"))
    assert home.peer(NEAR)["entries"] == old, "nothing is sequenced"
    assert [one["kind"] for one in home.status()["alarms"]] == ["custody"]
    served = home.client(near)
    assert near.client(home).get(home.member.origin, "entries?from=0&count=9").status == 503, "nor served"
    served.close()
    told = syncd(home, "ledger", "recover", "--reason", "restored", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["result"]["fetched"][home.member.origin] == full - old
    until(lambda: at_rest(home, full + 3), "it goes on: the recovery and the new finding are countersigned")
    assert home.status()["alarms"] == []
    assert home.standing(row["CF_XDR_SHXYM"]) == "restricted"
    until(lambda: syncd(home, "fsck").returncode == 0, "its store agrees with itself")
    erased_everywhere(three, home, row["CF_XDR_SHXYM"])


def erased_everywhere(three: dict[str, Node], home: Node, uscc: str) -> None:
    """By command and over the wire: refused while it stands, then revoked, erased and answered by all."""
    explained = json.loads(syncd(home, "explain", uscc, "--json").stdout)
    entry = explained["findings"][0]["steps"][0]["entry"]
    place = f"{entry['log']}:{entry['index']}"
    order = ("erase", place, "--ground", "revoked", "--order", "KS-2026-0007")
    refused = syncd(home, *order)
    assert refused.returncode == 3 and "--revoke" in refused.stderr, refused.stderr
    assert syncd(home, *order[:-1], "昆环〔2026〕7号", "--revoke").returncode == 2, "codes only, for ever in the ledger"
    done = syncd(home, *order, "--revoke")
    assert done.returncode == 0 and "删除" in done.stdout, done.stderr
    until(lambda: home.status()["erasures"] == {"open": 0, "late": 0}, "all have answered")
    listed = json.loads(syncd(home, "erasures", "--json").stdout)["erasures"][0]
    assert listed["waiting_for"] == [] and set(listed["answers"]) == set(three) and listed["late"] == []
    for node in three.values():
        until(lambda node=node: node.status()["erasures"]["open"] == 0, "it is closed there")  # type: ignore[misc]
        assert node.standing(uscc) == "clear"
        for path in node.folder.glob("*.db*"):
            assert uscc.encode() not in path.read_bytes(), path
    assert "无" in syncd(home, "check", uscc).stdout
