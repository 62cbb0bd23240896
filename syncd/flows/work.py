"""Jobs 任务: what commands have asked for, done one after another by whoever holds the daemon's lock."""

from typing import Any

import orjson

from syncd.errors import SyncdError
from syncd.flows.bureau import Bureau
from syncd.flows.decide import Decide
from syncd.flows.resync import Resync
from syncd.store import jobs

Json = dict[str, Any]


class Work:
    """Runs queued jobs; a job that fails keeps its sentence and never stops the next one."""

    def __init__(self, bureau: Bureau, resync: Resync, decide: Decide) -> None:
        self._bureau = bureau
        self._resync = resync
        self._decide = decide

    def step(self) -> bool:
        """Do all queued jobs; always says that nothing is left."""
        bureau = self._bureau
        with bureau.store.read() as conn:
            queued = jobs.queued(conn)
        for job in queued:
            try:
                state, result = "done", self._do(job.kind, orjson.loads(job.args))
            except SyncdError as error:
                state, result = "failed", {"error": str(error)}
            with bureau.store.write() as conn:
                jobs.finish(conn, job.id, state, result, bureau.now_text())
            bureau.notice("job", {"job": job.id, "kind": job.kind, "state": state})
        return False

    def _do(self, kind: str, args: Json) -> Json:
        if kind == "resync":
            return self._resync.run(args["stage"], args["peer"], args["dry_run"], args["account"])
        return self._decide.run(args["item"], kind == "desk.release", args["account"], args["ground"])
