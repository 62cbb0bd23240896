"""Start-up establishes the truth (LEDGER §5): roots recomputed, compared with what was last signed, or stop.

1. every log's root, recomputed from its edge tiles, equals its newest listed root;
2. the signed-sizes file exists and names no size or root that the store does not have;
3. one's own log begins with ``agreement.adopted``, written here once all members are at hand;
4. what was committed but not yet signed is signed.
"""

from typing import Any

from syncd.errors import Stop
from syncd.failpoint import failpoint
from syncd.flows.bureau import Bureau
from syncd.flows.record import Saying, record, sign

Json = dict[str, Any]


def establish(bureau: Bureau) -> None:
    """Check the node's state and make its log ready; raises ``Stop`` with what a person can do.

    Only the holder of the daemon's lock may call this: it brings the tables to this version's form.
    """
    bureau.store.upgrade()
    with bureau.store.write() as conn:
        for origin in bureau.origins:
            owner = bureau.owner(origin)
            tag = bureau.agreement.tag if origin == bureau.origin else None
            bureau.logs.ensure(conn, origin, owner.code if owner else "", origin == bureau.origin, tag)
    with bureau.store.read() as conn:
        for state in bureau.logs.states(conn):
            listed = bureau.logs.checkpoint(conn, state.origin, state.size)
            root = bureau.logs.root(conn, state.origin, state.size)
            if state.size and (listed is None or listed.root != root):  # step 1
                raise Stop(
                    f"The tree of {state.origin} does not lead to its recorded root at size {state.size}. Nothing was "
                    "written or signed. Restore the store, or fetch the log back from a peer."
                )
        _compare(bureau, conn)
        size = bureau.logs.state(conn, bureau.origin).size
    _judge_anew(bureau)
    if size == 0:  # step 3
        _adopt(bureau)
        failpoint("startup.before_sign")
    sign(bureau)  # step 4


def _judge_anew(bureau: Bureau) -> None:
    """Under another agreement, or with candidates no longer allowed, everything is judged again before it acts."""
    under = f"{bureau.agreement.tag} {'candidates' if bureau.allow_candidates else 'confirmed'}"
    with bureau.store.write() as conn:
        before = bureau.logs.get_cursor(conn, "judged_under")
        bureau.logs.set_cursor(conn, "judged_under", under)
        if before in (None, under):
            return
        for origin in bureau.origins:
            bureau.logs.set_cursor(conn, f"recognise:{origin}", "0")


def _compare(bureau: Bureau, conn: Any) -> None:  # step 2
    for origin, size, root in bureau.sizes.all():
        if size == 0:
            continue
        found = bureau.logs.find(conn, origin)
        held = found.size if found is not None else 0
        if held < size:
            bureau.may_sign = False
            raise Stop(
                f"This node has signed {origin} at size {size}, but its store holds only {held}: the store is older "
                "than the signed-sizes file. Nothing was written or signed. Put back the newer store; if it is lost, "
                "the missing entries must be fetched back from a peer."
            )
        if bureau.logs.root(conn, origin, size) != root:
            bureau.may_sign = False
            raise Stop(
                f"This node has signed {origin} at size {size} with another root than its store has. Nothing was "
                "written or signed. The store was altered or exchanged; put back the right one."
            )


def _adopt(bureau: Bureau) -> None:
    agreement = bureau.agreement
    members = [
        {
            "code": peer.code,
            "origin": peer.origin,
            "keys": {"log": peer.log.vkey, "receipt": peer.receipt.vkey},
            "from_sizes": [],
        }
        for peer in sorted(bureau.members.values(), key=lambda one: one.code)
    ]
    adopted: Json = {
        "schema": "agreement/1.0",
        "id": agreement.id,
        "version": agreement.version,
        "digest": agreement.digest,
        "effective_from": agreement.effective_from.isoformat(),
        "members": members,
    }
    with bureau.store.write() as conn:
        record(bureau, conn, [Saying("agreement.adopted", None, public=adopted)])
        failpoint("startup.before_commit")
