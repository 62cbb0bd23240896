"""What an order of erasure covers, in the transaction that stores it: the chain, in every log, and no more."""

import pytest
from store_kit import OWN, PEER, Author, adopt, append, draft, follow

from syncd.ledger.entry import Ref
from syncd.ledger.policy import Sealed
from syncd.store import erased, seals
from syncd.store.append import Appended
from syncd.store.logs import Logs
from syncd.store.statement import execute

SUCCESSOR = "jiakuntai-eco/310114/2"


@pytest.fixture
def logs(logs: Logs) -> Logs:
    """One's own log, and room for a peer's."""
    adopt(logs)
    return logs


def ref_of(entry: Appended, origin: str = OWN) -> Ref:
    return Ref(origin, entry.id, entry.leaf_hash.hex())


def states(logs: Logs, origin: str) -> list[str | None]:
    """Which disclosures are there; one that is marked is neither read nor sent."""
    with logs.store.read() as conn:
        held = logs.read_entries(conn, origin, 0, 99)
        wire = logs.read_wire(conn, origin, 0, 99)
    assert [bool(one.disclosure) for one in wire] == [row.disclosure == "present" for row in held]
    assert all((row.sealed is not None) == (row.disclosure == "present") for row in held)
    return [row.disclosure for row in held]


def test_an_order_covers_what_was_said_and_what_is_said_later(logs: Logs) -> None:
    finding, other = (ref_of(one) for one in append(logs, [draft(), draft()]))
    answer = ref_of(append(logs, [draft("restriction.imposed", finding)])[0])
    append(logs, [draft("notice.served", answer), draft("restriction.imposed", other)])
    order = ref_of(append(logs, [draft(erased.ORDERED, finding)])[0])
    append(logs, [draft("restriction.lifted", finding), draft(erased.DONE, order), draft("restriction.lifted", other)])
    gone, kept = "erased", "present"
    assert states(logs, OWN) == [gone, kept, gone, gone, kept, kept, gone, kept, kept]
    with logs.store.read() as conn:
        assert [(one.state, one.finding.hex()) for one in erased.open_orders(conn)] == [("held", finding.leaf)]
        covered = execute(conn, "SELECT count(*) FROM erased_leaves WHERE finding = ?", (bytes.fromhex(finding.leaf),))
        assert covered.scalar_one() == 4


def test_only_the_findings_own_log_or_its_successor_orders_it(logs: Logs) -> None:
    finding = ref_of(append(logs, [draft()])[0])
    peer, heir = Author(), Author(SUCCESSOR)
    follow(logs, peer)
    follow(logs, heir)
    theirs = peer.say()
    peer.say(erased.ORDERED, finding)
    peer.say("restriction.imposed", finding)
    peer.send(logs, 0, 3)
    append(logs, [draft(erased.ORDERED, theirs), draft(erased.ORDERED, ref_of(append(logs, [draft("x.y")])[0]))])
    heir.say(erased.ORDERED, theirs)
    heir.send(logs, 0, 1)
    assert "erased" not in [*states(logs, OWN), *states(logs, PEER)]
    with logs.store.write() as conn:
        seals.put(conn, "310114", PEER, Sealed(3, bytes(32), SUCCESSOR), "2026-11-22T04:00:00.000Z")
    heir.say(erased.ORDERED, theirs)
    heir.send(logs, 1, 2)
    assert states(logs, PEER) == ["erased", "present", "present"]
    with logs.store.read() as conn:
        assert [one.log for one in erased.orders(conn)] == [logs.state(conn, SUCCESSOR).id]


def test_finding_and_order_in_one_batch_store_no_words(logs: Logs) -> None:
    peer = Author()
    follow(logs, peer)
    finding = peer.say()
    answer = peer.say("restriction.imposed", finding)
    peer.say("notice.served", answer)
    peer.say(erased.ORDERED, finding)
    peer.send(logs, 0, 4)
    assert states(logs, PEER) == ["erased", "erased", "erased", "present"]
    with logs.store.read() as conn:
        places = [row.index for row in logs.read_entries(conn, PEER, 0, 9) if row.disclosure == "erased"]
        assert logs.attach_disclosures(conn, PEER, [(n, logs.vault.seal([b"x"])[0]) for n in places]) == []


def test_items_about_what_is_erased_are_cut_and_the_others_stay(logs: Logs) -> None:
    finding = ref_of(append(logs, [draft()])[0])
    append(logs, [draft(erased.ORDERED, finding)])
    batch = b'{"items":[{"item":{"about":"%s","n":1},"salt":"s"},{"item":{"about":"%s","n":2},"salt":"s"}]}' % (
        finding.leaf.encode(),
        b"00" * 32,
    )
    broken = b'{"items":[{"about":"%s"' % finding.leaf.encode()
    with logs.store.read() as conn:
        cut = erased.without_items(conn, [batch, b"{}", broken])
    assert cut == [b'{"items":[null,{"item":{"about":"%s","n":2},"salt":"s"}]}' % (b"00" * 32), b"{}", b""]
