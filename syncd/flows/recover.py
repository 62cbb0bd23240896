"""Recover 补回: fetch the entries that this store has lost back from the members, verify them, and go on (LEDGER §5).

1. Every member tells what it holds of this node's log, or a person answers for a silent one (``without``).
2. The largest checkpoint carries this node's own signature, and no other member holds another history.
3. Its tiles, put behind what is held here, lead to its root: so the leaf hashes are proven before an entry is taken.
4. Entries are fetched in pages, each compared with its proven hash, and stored with what they mean here.
5. The mirrored logs are filled up from their owners in the same way; whatever was erased since is erased again.
6. The node is certain again, signs what it holds, and writes down who did this.

A crash between two pages leaves a whole, shorter log; the command is given again.
"""

from collections.abc import Collection, Mapping
from typing import Any

from syncd.errors import NeedsPerson, Retry
from syncd.failpoint import failpoint
from syncd.flows.bureau import Bureau, Peer
from syncd.flows.custody import Custody, Told
from syncd.flows.record import Saying, record, sign
from syncd.flows.replay import remember_rows, replay
from syncd.flows.resync import Finish, operator_body
from syncd.flows.share import Link
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import parse_checkpoint
from syncd.ledger.notes import BadSignature, parse_note, verify_note
from syncd.ledger.tiles import append, tile_path
from syncd.ledger.tree import HASH_BYTES, TILE_WIDTH
from syncd.ledger.wire import Record, decode_records, decompress
from syncd.store import erased
from syncd.store.mirror import interpret
from syncd.store.refill import refill

Json = dict[str, Any]
PAGE = 256


class Recover:
    """Does it, once asked; see the module."""

    def __init__(self, bureau: Bureau, links: Mapping[str, Link], custody: Custody) -> None:
        self._bureau = bureau
        self._links = links
        self._custody = custody

    def run(self, without: Collection[str], account: int, finish: Finish = lambda conn, result: None) -> Json:
        """Fetch what is missing and end the doubt. Raises ``NeedsPerson`` or ``Retry`` with what stands in the way."""
        answers = self._custody.ask()
        silent = sorted(set(self._links) - set(answers) - set(without))
        if silent:  # step 1
            raise Retry(
                f"{', '.join(silent)} did not tell what it holds of this node's log. Nothing was changed. Try again, "
                "or ask the bureau by telephone and name it with --without."
            )
        fetched = {self._bureau.origin: self._own(answers)}
        fetched |= {peer.origin: self._mirror(code, peer) for code, peer in self._others(answers)}
        if not self._bureau.may_sign:
            self._custody.settle(without)
        result: Json = {"fetched": fetched, "told": {code: one.size for code, one in answers.items()}}
        body = operator_body("recover", account, "operator_request", stage="share")
        with self._bureau.store.write() as conn:  # step 6
            record(self._bureau, conn, [Saying("operator.acted", None, body)])
            finish(conn, result)
        sign(self._bureau)
        return result

    def _others(self, answers: Mapping[str, Told]) -> list[tuple[str, Peer]]:
        return [(code, self._bureau.members[code]) for code in sorted(answers)]

    def _own(self, answers: Mapping[str, Told]) -> int:
        """Step 2 to 4 for this node's own log; returns how many entries came back."""
        bureau = self._bureau
        code = max(answers, key=lambda one: answers[one].size, default=None)
        with bureau.store.read() as conn:
            size = bureau.logs.state(conn, bureau.origin).size
        signed = bureau.sizes.get(bureau.origin) if bureau.doubt != "sizes_missing" else None
        best = answers[code] if code is not None else Told(0, b"", b"")
        if signed is not None and signed.size > max(best.size, size):
            raise NeedsPerson(
                f"This node has signed {signed.size} entries of its log; the members hold {best.size}, this store "
                f"{size}. The rest is lost, so the log cannot be continued: it must be sealed, and a successor opened. "
                "Nothing was changed."
            )
        if code is None or best.size <= size:
            return 0
        self._fetch(code, bureau.origin, best)
        return best.size - size

    def _mirror(self, code: str, owner: Peer) -> int:
        """Step 5 for one mirrored log; its owner knows it best."""
        bureau = self._bureau
        answer = self._links[code].get(owner.origin, "checkpoint")
        if answer.status != 200:
            return 0
        note = parse_note(answer.body)
        shown = parse_checkpoint(note.text)
        verify_note(note, owner.log)
        with bureau.store.read() as conn:
            size = bureau.logs.state(conn, owner.origin).size
        if shown.origin != owner.origin or shown.size <= size:
            return 0
        self._fetch(code, owner.origin, Told(shown.size, shown.root, answer.body))
        bureau.wake("recognise")
        return shown.size - size

    def _fetch(self, code: str, origin: str, target: Told) -> None:
        bureau = self._bureau
        with bureau.store.read() as conn:
            start = bureau.logs.state(conn, origin).size
            edge = bureau.logs.edge(conn, origin, start)
        hashes = self._hashes(code, origin, start, target.size)
        _, root = append(start, edge, hashes)
        if root != target.root:  # step 3
            raise NeedsPerson(
                f"What {code} holds of {origin} does not continue what this store holds at size {start}: one of them "
                "is another history. Nothing was changed; compare the log with every member; it must be sealed."
            )
        at = start
        while at < target.size:
            records = self._records(code, origin, at, min(PAGE, target.size - at))
            self._store(origin, records, hashes[at - start : at - start + len(records)], target.size)
            at += len(records)
            failpoint("recover.after_page")
        with bureau.store.write() as conn:
            if origin != bureau.origin:
                bureau.logs.set_note(conn, origin, target.size, target.note)
        bureau.notice("recover.fetched", {"log": origin, "from": start, "to": target.size, "peer": code})

    def _hashes(self, code: str, origin: str, start: int, stop: int) -> list[bytes]:
        """The leaf hashes ``start`` to ``stop`` from the peer's tiles; not yet proven."""
        found: list[bytes] = []
        for n in range(start // TILE_WIDTH, (stop - 1) // TILE_WIDTH + 1):
            width = min(TILE_WIDTH, stop - n * TILE_WIDTH)
            data = self._get(code, origin, tile_path(0, n, width))
            if len(data) != width * HASH_BYTES:
                raise NeedsPerson(f"{code} sent a tile of {origin} that is not whole. Nothing was changed; try again.")
            found += [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
        return found[start % TILE_WIDTH :]

    def _records(self, code: str, origin: str, start: int, count: int) -> list[Record]:
        try:
            raw = decompress(self._get(code, origin, f"entries?from={start}&count={count}"))
            records = decode_records(raw, 0)
        except (FormatError, BadSignature) as error:
            raise NeedsPerson(f"{code} sent entries of {origin} that cannot be read ({error}). Try again.") from None
        if not records:
            raise Retry(f"{code} sent no entries of {origin} from {start} on. What came before is kept; try again.")
        return records

    def _get(self, code: str, origin: str, path: str) -> bytes:
        answer = self._links[code].get(origin, path)
        if answer.status != 200:
            raise Retry(f"{code} answered {answer.status} for {path}. What came before is kept; try again.")
        return answer.body

    def _store(self, origin: str, records: list[Record], hashes: list[bytes], target: int) -> None:
        """Step 4: one page, with what it means here; what this node said itself is not judged again."""
        bureau = self._bureau
        with bureau.store.read() as conn:
            held, entries = bureau.logs.state(conn, origin), interpret(one.leaf for one in records)
            kept = erased.shed(conn, held, entries, hashes, [one.disclosure for one in records])
        records = [one._replace(disclosure=text) for one, text in zip(records, kept, strict=True)]
        sealed = bureau.logs.seal(kept)
        with bureau.store.write() as conn:
            before = bureau.logs.state(conn, origin)
            after, touched = refill(conn, origin, records, sealed, hashes, target, bureau.clock())
            if after.own:
                replay(bureau, conn, conn, after, before.size, after.size)
                remember_rows(bureau, conn, after, before.size)
            if touched:
                bureau.store.once_committed(bureau.vault.let_go)
            failpoint("recover.before_commit")
        bureau.wake("erase")
