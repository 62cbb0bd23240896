"""Members that change while daemons run, as processes over HTTPS: nobody starts a daemon again by hand.

A member joins by a second version; a log is sealed and its successor goes on; a TLS certificate is renewed.
"""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from daemon_nodes import CONFIG, FAR, HOME, NEAR, ROOT, Node, until
from test_daemon_certificates import shown

sys.path.insert(0, str(ROOT / "tests" / "flows"))

from network import THREE, version_of

from syncd.agreement.model import Agreement
from syncd.asking import ask
from syncd.demo.formats import Row, local_today
from syncd.demo.site import free_port
from syncd.demo.writers import FolderSystem
from syncd.errors import Refuse
from syncd.founding import add_member, found
from syncd.key_list import renew
from syncd.sealing import seal
from syncd.settings import SourceSettings
from syncd.settings_file import Wishes

FIRST = version_of((NEAR, HOME), 1, "2019-12-30")
SECOND = version_of(THREE, 2, "2026-11-01")
OLD, NEW = f"jiakuntai-eco/{HOME}/1", f"jiakuntai-eco/{HOME}/2"


def write(agreement: Agreement, folder: Path) -> Path:
    """A version's folder."""
    for path, data in agreement.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def founded(folder: Path, code: str, agreement: Agreement) -> Node:
    """A node of a version, not running; one of them has a source."""
    node, source = Node(code, folder / code, free_port()), None
    if code == HOME:
        for part in ("in", "out", "ack"):
            (node.folder / "system" / part).mkdir(parents=True)
        facts = CONFIG / "sources" / "kunshan.toml"
        source = SourceSettings(facts=facts, folder=node.folder / "system", every_seconds=0.1)
    place = write(agreement, node.folder / "agreement")
    found(node.folder, Wishes(code, f"https://127.0.0.1:{node.port}", place, source, None, True))
    return node


@pytest.fixture
def nodes() -> Iterator[dict[str, Node]]:
    """Two members of the first version that run, and a third that was founded under the second and waits."""
    with TemporaryDirectory(prefix="syncd-") as folder:
        made = {code: founded(Path(folder), code, FIRST if code != FAR else SECOND) for code in (NEAR, HOME, FAR)}
        for code, other in ((NEAR, HOME), (HOME, NEAR), (FAR, NEAR), (FAR, HOME)):
            member = made[other].member
            add_member(made[code].settings, made[other].folder / f"member-{other}.toml", member.fingerprint)
        write(FIRST, made[FAR].settings.path(made[FAR].settings.node.versions) / "1")  # it reads what was said before
        try:
            yield made
        finally:
            for node in made.values():
                node.kill()
                node.shut_books()


def told(node: Node, kind: str, **args: Any) -> dict[str, Any]:
    """What the daemon answers to a command's job."""
    answer = ask(node.settings, kind, {"account": 7, "ground": "operator_request", **args})
    assert answer["by"] == "daemon"
    return answer


def stands(node: Node, row: Row, as_: str) -> None:
    """Wait until the organisation of a row stands so at a node, by the books of the members that it has now."""
    node.shut_books()
    until(lambda: node.standing(row["CF_XDR_SHXYM"]) == as_, f"{as_} at {node.code}")


def all_stand(nodes: dict[str, Node], row: Row, as_: str) -> None:
    for node in nodes.values():
        stands(node, row, as_)


def test_members_change_while_daemons_run(nodes: dict[str, Node]) -> None:
    near, home = nodes[NEAR].running(), nodes[HOME].running()
    (row,) = home.put()
    stands(near, row, "restricted")
    later = a_member_joins_by_a_version(nodes)
    a_log_is_sealed_and_its_successor_goes_on(nodes, later)
    a_certificate_is_renewed(nodes)
    for node in nodes.values():
        assert node.process is not None and node.process.poll() is None
        assert node.complaints.read_text("utf-8") == ""
    assert len(near.said("daemon.ready")) == len(home.said("daemon.ready")) == 1


def a_member_joins_by_a_version(nodes: dict[str, Node]) -> Row:
    """The version is loaded and signed, the new member's file taken; who does not know all holds, and goes on."""
    near, home, far = nodes.values()
    card = far.folder / f"member-{FAR}.toml", far.member.fingerprint
    for node in (near, home):
        with pytest.raises(Refuse, match="syncd agreement load"):
            add_member(node.settings, *card)
        write(SECOND, node.settings.path(node.settings.node.versions) / "2")
        told(node, "agreement.load")
        add_member(node.settings, *card)
        told(node, "agreement.sign", version=2)
        until(lambda node=node: node.said("members.taken"), "taken")  # type: ignore[misc]
        assert node.said("members.taken")[-1]["members"] == sorted(THREE)
    assert near.process is not None
    until(lambda: home.agrees_with(NEAR), "both have heard of each other's adoption")
    near.process.send_signal(signal.SIGSTOP)  # it does not hear that the third has adopted the version too
    far.start()
    until(lambda: home.said("agreement.in_force"), "the version is in force where all is known")
    (row,) = home.put()
    stands(home, row, "restricted")
    far.kill()
    near.process.send_signal(signal.SIGCONT)
    until(lambda: [one["kind"] for one in near.status()["alarms"]] == ["version"], "it says what it holds")
    until(lambda: home.agrees_with(NEAR), "holding is not understanding: it is countersigned")
    stands(near, row, "clear")
    far.start()
    all_stand(nodes, row, "restricted")
    until(lambda: near.status()["alarms"] == [], "nothing is held any more")
    return row


def a_log_is_sealed_and_its_successor_goes_on(nodes: dict[str, Node], issued_before: Row) -> None:
    """By command at each of the three, all of which run."""
    near, home, far = nodes.values()
    sealed = seal(home.settings, OLD, None, "", {"account": 7}, 30)
    assert sealed["by"] == "daemon" and sealed["result"]["successor"] == NEW
    for node in (near, far):
        card = Path(sealed["member_file"]), sealed["fingerprint"]
        assert seal(node.settings, OLD, *card, {"account": 7}, 30)["by"] == "daemon"
    (row,) = home.put()
    all_stand(nodes, row, "restricted")
    home.shut_books()
    until(lambda: home.agrees_with(NEAR) and home.agrees_with(FAR), "all of the successor's is countersigned")
    FolderSystem(home.folder / "system").put_relief([revoked(issued_before)])
    all_stand(nodes, issued_before, "clear")
    policy = near.session(near).get(f"{near.member.url}/exchange/v1/logs/{NEW}/trust.policy", timeout=10).text
    assert OLD in policy and NEW in policy
    for node in (near, far):
        until(lambda node=node: node.status()["alarms"] == [], "no alarm")  # type: ignore[misc]


def revoked(row: Row) -> Row:
    """A relief row of the bureau's own system: the decision was revoked 撤销."""
    return {"ID": f"X{row['ID']}", "CF_WSH": row["CF_WSH"], "CF_CFJGDM": row["CF_CFJGDM"],
            "CF_XDR_SHXYM": row["CF_XDR_SHXYM"], "XF_ZT": "撤销", "XF_LX": "CXCF", "XF_WS": "演示撤〔2026〕1号",
            "XF_RQ": local_today().strftime("%Y/%m/%d")}  # fmt: skip


def a_certificate_is_renewed(nodes: dict[str, Node]) -> None:
    home = nodes[HOME]
    before = shown(home.port, home.keys)
    renew(home.settings, "tls")
    told(home, "keys.rotate", role="tls", key="")
    until(lambda: home.said("tls.renewed"), "the daemon has taken it up")
    assert shown(home.port, home.keys) != before
    (row,) = home.put()
    all_stand(nodes, row, "restricted")
