"""Recover 补回: fetch the entries that this store has lost back from the members, verify them, and go on (LEDGER §5).

1. Every member tells what it holds of this node's log, or a person answers for a silent one (``without``).
2. The largest checkpoint carries this node's own signature, and no other member holds another history.
3. Its tiles, put behind what is held here, lead to its root: so the leaf hashes are proven before an entry is taken.
4. Entries are fetched in pages, each compared with its proven hash, and stored with what they mean here; keys that
   changed and logs that were sealed meanwhile count as they did.
5. The mirrored logs are filled up from their owners in the same way; whatever was erased since is erased again.
6. The node is certain again, signs what it holds, and writes down who did this.

A crash between two pages leaves a whole, shorter log; the command is given again.
"""

from collections.abc import Collection, Mapping
from typing import Any

from syncd.errors import NeedsPerson, Retry
from syncd.flows.bureau import Bureau, Peer
from syncd.flows.custody import Custody
from syncd.flows.record import Saying, record, sign
from syncd.flows.refetch import Refetch, Told
from syncd.flows.rekey import recall
from syncd.flows.resync import Finish, operator_body
from syncd.flows.share import Link

Json = dict[str, Any]


class Recover:
    """Does it, once asked; see the module."""

    def __init__(self, bureau: Bureau, links: Mapping[str, Link], custody: Custody, refetch: Refetch) -> None:
        self._bureau = bureau
        self._refetch = refetch
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
        if fetched[self._bureau.origin]:
            recall(self._bureau)
        fetched |= {peer.origin: self._refetch.mirror(code, peer) for code, peer in self._others(answers)}
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
        self._refetch.fetch(code, bureau.origin, best)
        return best.size - size
