"""Start-up establishes the truth (LEDGER §5): roots recomputed, compared with what was last signed, or stop.

1. every log's root, recomputed from its edge tiles, equals its newest listed root;
2. the signed-sizes file exists and names no size or root that the store does not have; the database is the one it was;
3. no member that can be reached holds more of this node's log, or anything else;
4. one's own log begins with ``agreement.adopted``, written here once all members are at hand;
5. what was committed but not yet signed is signed.

Where 2 or 3 fails the node is in doubt (``custody``): it runs, but sequences, collects and signs nothing.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from syncd.agreement.model import Agreement
from syncd.errors import Stop
from syncd.failpoint import failpoint
from syncd.flows.adopt import adopted, take_up
from syncd.flows.bureau import Bureau
from syncd.flows.custody import against
from syncd.flows.doubt import MISSING, MOVED, OLDER, doubt
from syncd.flows.record import Saying, record, sign
from syncd.flows.refetch import Told
from syncd.flows.seal import known
from syncd.store import instance


def establish(bureau: Bureau, ask: Callable[[], Mapping[str, Told]] = dict) -> None:
    """Check the node's state and make its log ready; raises ``Stop`` with what a person can do.

    ``ask`` tells what each reachable member holds of this node's log. In doubt nothing is written or signed, and
    ``bureau.may_sign`` is False. Only the holder of the daemon's lock may call this: it brings the tables to this
    version's form.
    """
    bureau.store.upgrade()
    _introduce(bureau, bureau.find_versions())
    with bureau.store.read() as conn:
        for state in bureau.logs.states(conn):
            listed = bureau.logs.checkpoint(conn, state.origin, state.size)
            root = bureau.logs.root(conn, state.origin, state.size)
            if state.size and (listed is None or listed.root != root):  # step 1
                raise Stop(
                    f"The tree of {state.origin} does not lead to its recorded root at size {state.size}. Nothing was "
                    "written or signed. `syncd fsck` names what differs, and with --repair mends tiles; else restore "
                    "the store, or fetch the log back from a peer."
                )
    _judge_anew(bureau)
    if _certain(bureau, ask()):
        begin(bureau)


def establish_members(bureau: Bureau) -> None:
    """What another set of members needs of ``establish`` while the daemon keeps its lock; the rest was found before."""
    _introduce(bureau, ())
    if _certain(bureau, {}):
        begin(bureau)


def _introduce(bureau: Bureau, found: Sequence[Agreement]) -> None:
    """Every member's log, keys and adoptions as far as they are held; ``found``: texts of versions that are new."""
    known(bureau)
    with bureau.store.write() as conn:
        for origin in bureau.origins:
            owner = bureau.owner(origin)
            bureau.logs.ensure(conn, origin, owner.code if owner else "", origin == bureau.origin)
        take_up(bureau, conn, found)
        bureau.logs.ensure(conn, bureau.origin, bureau.code, True, bureau.agreement.tag)
        own = [state for state in bureau.logs.states(conn) if state.own]
        if len(own) > 1 and bureau.logs.state(conn, bureau.origin).size == 0:
            bureau.logs.set_cursor(
                conn, "doubt", ""
            )  # of the sealed log: its successor begins, and nothing is in doubt


def begin(bureau: Bureau) -> None:
    """Steps 4 and 5, once nothing is in doubt."""
    with bureau.store.read() as conn:
        size = bureau.logs.state(conn, bureau.origin).size
    if size == 0:
        _adopt(bureau)
        failpoint("startup.before_sign")
    sign(bureau)


def _certain(bureau: Bureau, told: Mapping[str, Told]) -> bool:
    """Steps 2 and 3: whether the files, the database and the members that answer leave no doubt."""
    with bureau.store.write() as conn:
        here = instance.cluster(conn)
        known = bureau.logs.get_cursor(conn, "cluster")
        before = bureau.logs.get_cursor(conn, "doubt")
        reason = _doubt_of_file(bureau, conn) or (MOVED if known not in (None, here) else None)
        if reason == MISSING:
            bureau.doubt = reason
        reason = against(bureau, conn, told) or reason or before
        if not reason:
            bureau.logs.set_cursor(conn, "cluster", here)
            return True
        doubt(bureau, conn, reason, {"told": {code: one.size for code, one in told.items()}})
    return False


def _judge_anew(bureau: Bureau) -> None:
    """With candidates allowed or no longer allowed everything is judged again, by its own version.

    Until then ``restrict`` delivers and ``inquiry`` shows nothing as in force that was judged as a demonstration.
    """
    under = "candidates" if bureau.allow_candidates else "confirmed"
    with bureau.store.write() as conn:
        before = (bureau.logs.get_cursor(conn, "judged_under") or "").split()
        bureau.logs.set_cursor(conn, "judged_under", under)
        if not before or before[-1] == under:
            return
        for origin in bureau.origins:
            bureau.logs.set_cursor(conn, f"recognise:{origin}", "0")


def _doubt_of_file(bureau: Bureau, conn: Connection) -> str | None:
    """Whether the file of signed sizes is missing, or names more than the store holds. Raises Stop for another root."""
    try:
        signed = bureau.sizes.all()
    except Stop:
        return MISSING
    older = None
    for origin, size, root in signed:
        found = bureau.logs.find(conn, origin)
        if origin not in bureau.origins:
            continue  # an outsider's log, of which a witness keeps no entries, or a sealed one that ended as it did
        held = found.size if found is not None else 0
        if held < size:
            older = OLDER
        elif size and bureau.logs.root(conn, origin, size) != root:
            raise Stop(
                f"This node has signed {origin} at size {size} with another root than its store has. Nothing was "
                "written or signed. The store was altered or exchanged; put back the right one."
            )
    return older


def _adopt(bureau: Bureau) -> None:
    with bureau.store.write() as conn:
        record(bureau, conn, [Saying("agreement.adopted", None, public=adopted(bureau, bureau.agreement))])
        failpoint("startup.before_commit")
