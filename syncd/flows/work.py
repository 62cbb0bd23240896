"""Jobs 任务: what commands have asked for, done one after another by whoever holds the daemon's lock.

A job is marked done in the transaction that writes its entry, so that a crash leaves it either to be done or done: a
decision is never taken twice, nor told to have failed because it had been taken already.
"""

from functools import partial
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.errors import SyncdError
from syncd.failpoint import failpoint
from syncd.flows.adopt import Adopt
from syncd.flows.bureau import Bureau
from syncd.flows.decide import Decide
from syncd.flows.honour import Honouring
from syncd.flows.keys import Rotate
from syncd.flows.order_erasure import OrderErasure
from syncd.flows.recover import Recover
from syncd.flows.rejudge import Rejudge
from syncd.flows.resync import Finish, Resync
from syncd.flows.seal import Seal
from syncd.flows.who import Identify
from syncd.store import jobs

Json = dict[str, Any]
RECOVER = "recover"
HONOUR = frozenset({"honour.grant", "honour.withdraw"})
IDENTITY = frozenset({"who.ask", "desk.choose", "desk.reopen"})


class Work:
    """Runs queued jobs; a job that fails keeps its sentence and never stops the next one."""

    def __init__(
        self, bureau: Bureau, resync: Resync, decide: Decide, recover: Recover, order: OrderErasure, adopt: Adopt
    ) -> None:
        self._bureau = bureau
        self._order = order
        self._resync = resync
        self._decide = decide
        self._recover = recover
        self._adopt = adopt
        self._identify = Identify(bureau)
        self._honouring = Honouring(bureau)

    def step(self) -> bool:
        """Do all queued jobs; always says that nothing is left.

        Where the members' files say otherwise than this node was built from, the jobs wait for the node built anew: who
        asked for them has put a file before.
        """
        bureau = self._bureau
        with bureau.store.read() as conn:
            queued = jobs.queued(conn)
        if bureau.outdated():
            return False
        for job in queued:
            if not (bureau.may_sign or job.kind == RECOVER):
                continue  # kept until this node may write to its log again
            state = "done"
            try:
                self._do(job.kind, orjson.loads(job.args), partial(self._finish, job.id))
            except SyncdError as error:
                state = self._fail(job.id, str(error))
            except Exception as error:  # a fault of ours must not keep the jobs behind it waiting for ever
                state = self._fail(job.id, f"A fault of this program ({type(error).__name__}); please report it.")
            bureau.notice("job", {"job": job.id, "kind": job.kind, "state": state})
        return False

    def _do(self, kind: str, args: Json, finish: Finish) -> None:
        if kind == RECOVER:
            self._recover.run(args["without"], args["account"], finish)
        elif kind == "erase":
            self._order.run(args["finding"], args["ground"], args["number"], args["revoke"], args["account"], finish)
        elif kind == "agreement.load":
            self._adopt.load(finish)
        elif kind == "agreement.sign":
            self._adopt.adopt(args["version"], args["account"], args["ground"], finish)
        elif kind in HONOUR:
            self._honouring.run(kind, args, finish)
        elif kind == "agreement.replay":
            Rejudge(self._bureau).propose(args["version"], args["account"], args["ground"], finish)
        elif kind in IDENTITY:
            self._identify.run(kind, args, finish)
        elif kind == "keys.rotate":
            Rotate(self._bureau).run(args["role"], args["key"], args["account"], finish)
        elif kind == "keys.seal":
            Seal(self._bureau).run(args["log"], args["successor"], args["keys"], args["account"], finish)
        elif kind == "resync":
            self._resync.run(args["stage"], args["peer"], args["dry_run"], args["account"], finish)
        else:
            self._decide.run(args["item"], kind == "desk.release", args["account"], args["ground"], finish)

    def _finish(self, job: int, conn: Connection, result: Json) -> None:
        jobs.finish(conn, job, "done", result, self._bureau.now_text())
        failpoint("work.before_commit")

    def _fail(self, job: int, sentence: str) -> str:
        """Keep the sentence, unless the job itself was done and only what followed it failed: that is tried again."""
        with self._bureau.store.write() as conn:
            row = jobs.one(conn, job)
            if row is not None and row.state == "queued":
                jobs.finish(conn, job, "failed", {"error": sentence}, self._bureau.now_text())
                return "failed"
        return "done"
