"""``resync``: move a stage's cursor back, by hand, with a reason; recovery is the normal road walked again.

Moving a cursor back re-derives and re-delivers, and appends nothing that is already so. What was done, by which
account and on what ground is written into the ledger (``operator.acted``); the free text of the reason stays here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from syncd.errors import NeedsPerson
from syncd.failpoint import failpoint
from syncd.flows.bureau import Bureau
from syncd.flows.collect import Collect
from syncd.flows.record import Saying, record, sign
from syncd.flows.resend import Resend
from syncd.store import outbox, sourcebook

Json = dict[str, Any]
Finish = Callable[[Connection, Json], None]
"""Marks a job as done with its result, in the transaction that writes the job's entry."""
STAGES = ("collect", "share", "recognise", "restrict")


class Resync:
    """Moves cursors back; ``dry_run`` only says what would be walked again."""

    def __init__(self, bureau: Bureau, collects: Sequence[Collect], resends: Mapping[str, Resend]) -> None:
        self._bureau = bureau
        self._collects = collects
        self._resends = resends

    def run(
        self, stage: str, peer: str | None, dry_run: bool, account: int, finish: Finish = lambda conn, result: None
    ) -> Json:
        """Do it; returns what was (or would be) moved. Raises ``NeedsPerson`` for an unknown stage or peer."""
        doing = {"collect": self._collect, "share": self._share, "recognise": self._recognise,
                 "restrict": self._restrict}.get(stage)  # fmt: skip
        if doing is None:
            raise NeedsPerson(f"There is no stage {stage}; the stages are {', '.join(STAGES)}. Nothing was moved.")
        if peer is not None and (peer not in self._bureau.members or peer == self._bureau.code):
            raise NeedsPerson(f"{peer} is not another member of this agreement. Nothing was moved.")
        moved = doing(peer, dry_run)
        failpoint("resync.before_record")
        result: Json = {"stage": stage, "peer": peer, "dry_run": dry_run, **moved}
        body = operator_body("resync", account, "operator_request", stage=stage, peer=peer)
        body |= {"from": moved.get("from"), "to": moved.get("to")}
        with self._bureau.store.write() as conn:
            if not dry_run:
                record(self._bureau, conn, [Saying("operator.acted", None, body)])
            finish(conn, result)
        if not dry_run:
            self._wake_all()
        return result

    def _wake_all(self) -> None:
        sign(self._bureau)
        for bell in ("resend", "share", "recognise", "restrict", "collect"):
            self._bureau.wake(bell)

    def _collect(self, peer: str | None, dry_run: bool) -> Json:
        bureau, rows = self._bureau, 0
        with bureau.store.write() as conn:
            for collect in self._collects:
                rows += sum(sourcebook.counts(conn, collect.name).values())
                if not dry_run:
                    collect.read_again(conn)
        return {"source_rows": rows, "from": rows, "to": 0}

    def _share(self, peer: str | None, dry_run: bool) -> Json:
        bureau = self._bureau
        with bureau.store.write() as conn:
            sizes = {code: bureau.logs.countersigned(conn, bureau.origin, code) for code in self._resends
                     if peer in (None, code)}  # fmt: skip
            for code in () if dry_run else sizes:
                self._resends[code].begin(conn)
        return {"countersigned": sizes, "entries": sum(sizes.values()), "from": max(sizes.values(), default=0), "to": 0}

    def _recognise(self, peer: str | None, dry_run: bool) -> Json:
        bureau, entries = self._bureau, 0
        with bureau.store.write() as conn:
            for state in bureau.logs.states(conn):
                owner = bureau.owner(state.origin)
                if peer is not None and (owner is None or owner.code != peer):
                    continue
                entries += state.size
                if not dry_run:
                    for lane in ("recognise", "relief", "answers"):
                        bureau.logs.set_cursor(conn, f"{lane}:{state.origin}", "0")
        return {"entries": entries, "from": entries, "to": 0}

    def _restrict(self, peer: str | None, dry_run: bool) -> Json:
        with self._bureau.store.write() as conn:
            queued = sum(outbox.counts(conn).values()) if dry_run else outbox.again(conn, self._bureau.now_text())
        return {"deliveries": queued, "from": queued, "to": 0}


def operator_body(act: str, account: int, ground: str, **where: str | None) -> Json:
    """The body of ``operator.acted``: codes and an account number, never a name or free text."""
    body: Json = {"schema": "operator/1.0", "act": act, "stage": None, "peer": None, "from": None, "to": None,
                  "account": account, "ground": ground}  # fmt: skip
    return body | where
