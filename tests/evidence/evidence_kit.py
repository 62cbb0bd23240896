"""Three nodes with a small story, seen as an auditor sees them: their evidence, their policy, all lines everywhere."""

from collections.abc import Callable
from pathlib import Path

from network import THREE, Network, Node, company, network, penalty, relief

from syncd.evidence.books import Evidence
from syncd.ledger.trust import TrustedKey, TrustedMember, format_trust

HOME = "320583"
NEIGHBOUR = "310114"


def trust_of(net: Network) -> bytes:
    """The trust policy of these nodes."""
    members = [
        TrustedMember(code, [TrustedKey(peer.log.vkey)], [TrustedKey(peer.receipt.vkey)],
                      sm2=[TrustedKey(peer.sm2.vkey)] if peer.sm2 is not None else [])
        for code, peer in sorted(next(iter(net.nodes.values())).bureau.members.items())
    ]  # fmt: skip
    return format_trust(members, title="trust policy of a test")


def evidence_of(net: Network, code: str = HOME) -> Evidence:
    """One node's evidence."""
    node = net.nodes[code]
    return Evidence(code, node.bureau.agreement, trust_of(net), node.bureau.logs)


def carry_lines(net: Network) -> None:
    """Give every node all members' lines of every log, as nodes do among themselves in time."""
    for owner in net.nodes.values():
        origin = owner.bureau.origin
        with owner.bureau.store.read() as conn:
            sql = "SELECT s.size, s.member, s.line, s.timestamp FROM cosignatures s JOIN logs l ON l.id = s.log "
            rows = [tuple(row) for row in conn.exec_driver_sql(f"{sql} WHERE l.origin = '{origin}'")]
        for other in net.nodes.values():
            with other.bureau.store.write() as conn:
                for row in rows:
                    if other.bureau.logs.checkpoint(conn, origin, row[0]) is not None:
                        other.bureau.logs.add_cosignature(conn, origin, *row, net.clock())


def origin_of(net: Network, code: str) -> str:
    """A member's log."""
    return net.nodes[code].bureau.origin


def story(folder: Path, urls: Callable[[str], str]) -> Network:
    """Four findings, acknowledged at home; the second is repaired, the third disputed, the fourth revoked."""
    net = network(folder, urls)
    home, neighbour = net.nodes[HOME].home, net.nodes[NEIGHBOUR].home
    rows = [penalty(str(100 + n), company(n), "KS-0104", HOME) for n in range(1, 4)]
    rows.append(penalty("201", company(9), "JD-0101", NEIGHBOUR, CF_WSH="沪环罚〔2026〕201号"))
    home.put(*rows[:3])
    neighbour.put(rows[3])
    net.settle()
    home.put(relief("r1", rows[1], "修复"), relief("r2", rows[2], "异议"))
    net.settle()
    home.put(relief("r3", rows[0], "撤销"))
    net.settle()
    carry_lines(net)
    return net


def store_of(net: Network, code: str = HOME) -> Node:
    """A node."""
    return net.nodes[code]


__all__ = ["HOME", "NEIGHBOUR", "THREE", "carry_lines", "company", "evidence_of", "origin_of", "story", "trust_of"]
