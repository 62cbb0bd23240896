"""What witnessing keeps, on both databases: evidence once, cosigned sizes, outside and fresh lines."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from store_kit import NOON, OWN, adopt, append, drafts, later

from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner, format_note, parse_note
from syncd.store import evidence, further_lines, witnessed
from syncd.store.checkpoints import first_after
from syncd.store.engine import Store
from syncd.store.evidence import SUSPICIONS_KEPT, Evidence
from syncd.store.logs import Logs
from syncd.store.witnessed import Cosigned

AT = "2026-11-22T01:00:00.000Z"


def test_evidence_is_kept_once_and_suspicions_in_a_limited_number(store: Store) -> None:
    one = Evidence("a/310114/1", "two_roots", True, b"held", b"shown", ["aa", "bb"], ["key"], "320585", AT)
    with store.write() as conn:
        assert evidence.keep(conn, one) and not evidence.keep(conn, one)
        assert evidence.keep(conn, one._replace(shown=b"another"))
        doubtful = [one._replace(proven=False, proof=(), shown=b"%d" % n) for n in range(SUSPICIONS_KEPT + 5)]
        assert sum(evidence.keep(conn, each) for each in doubtful) == SUSPICIONS_KEPT
        assert evidence.keep(conn, one._replace(shown=b"proven again")), "what is proven is always kept"
        kept = evidence.listing(conn)
        assert kept[0] == one._replace(id=kept[0].id) and kept[2].proof == ()
        assert evidence.counts(conn) == {"a/310114/1": SUSPICIONS_KEPT + 3}


def test_cosigned_sizes_stay_and_the_largest_is_the_state(store: Store) -> None:
    rows = [Cosigned("x", size, bytes([size]) * 32, b"note %d" % size, 7, AT) for size in (3, 9)]
    with store.write() as conn:
        for row in (*rows, rows[0]._replace(note=b"again", timestamp=8)):
            witnessed.put(conn, row)
        assert witnessed.newest(conn, "x") == rows[1] and witnessed.newest(conn, "y") is None
        assert witnessed.at_size(conn, "x", 3) == rows[0]._replace(timestamp=8)
        assert witnessed.at_size(conn, "x", 4) is None


def test_fresh_lines_take_the_place_of_first_ones_and_outside_ones_stand_beside(logs: Logs) -> None:
    adopt(logs)
    append(logs, drafts(1))
    append(logs, drafts(2), later(1))
    log, receipt, court = (
        NoteSigner(name, Ed25519PrivateKey.generate(), kind)
        for name, kind in ((OWN, LOG_KEY), ("a/b/receipt", COSIGNATURE_KEY), ("court", COSIGNATURE_KEY))
    )
    with logs.store.write() as conn:
        text = format_checkpoint(Checkpoint(OWN, 1, logs.root(conn, OWN, 1)))
        first = receipt.cosign(text, 10)
        logs.set_note(conn, OWN, 1, format_note(text, [log.sign(text), first]))
        logs.add_cosignature(conn, OWN, 1, "320583", first, 10, NOON)
        further_lines.keep_outside(conn, OWN, 1, "court", seen := court.cosign(text, 20), 20, AT)
        further_lines.keep_outside(conn, OWN, 1, "court", court.cosign(text, 30), 30, AT)
        newer = receipt.cosign(text, 4000)
        assert further_lines.keep_fresh(conn, OWN, 1, "320583", newer, 4000, AT)
        assert not further_lines.keep_fresh(conn, OWN, 1, "320583", first, 10, AT)
        note = parse_note(further_lines.freshest_note(conn, OWN, 1) or b"")
        assert note.lines == (log.sign(text), seen, newer)
        assert further_lines.newest_outside(conn, OWN) == {"court": (1, 20)}
        for size in (7, 3):
            further_lines.keep_outside(conn, OWN, size, "centre", "line", 40 + size, AT)
        assert further_lines.newest_outside(conn, OWN) == {"centre": (7, 47), "court": (1, 20)}
        signed = first_after(conn, OWN, 0)
        assert signed is not None and signed.size == 1 and first_after(conn, OWN, 1) is None
        assert further_lines.freshest_note(conn, OWN, 3) is None, "not signed yet"
