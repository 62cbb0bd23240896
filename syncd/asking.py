"""Asking a node to do something 交办: a job in the store, done by the daemon, or here if no daemon runs.

1. If the daemon's lock is free, it is taken, the node is built and its truth established as at any start; the job is
   put into the store and done, and the stages it has woken are walked to their end.
2. Otherwise the job is put into the store, the daemon is woken through its socket, and the answer is waited for.

The job is in the store before anything is done, so that nothing asked is lost: a crash here, or an answer that does
not come in time, leaves it to the daemon. Doing a job again is harmless, as it only moves cursors or decides once.
"""

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import orjson

from adapters.base import SourceError
from syncd import keyring
from syncd.errors import NeedsPerson, Retry, Stop
from syncd.flows.share import drain
from syncd.flows.startup import establish
from syncd.knock import daemon_answers
from syncd.ledger.entry import format_time
from syncd.links import https_links
from syncd.reading import open_store
from syncd.settings import Settings
from syncd.stages import Stages, assemble
from syncd.store import jobs, sourcebook
from syncd.store.engine import Store
from syncd.wiring import Built, build

Json = dict[str, Any]
WAIT_SECONDS = 30.0
_LOOK_SECONDS = 0.05


def ask(settings: Settings, kind: str, args: Json, wait: float = WAIT_SECONDS) -> Json:
    """Have a job done; returns ``job``, ``by`` (daemon or command), its ``result`` and what is ``left`` to later.

    ``left`` names stages that could not go on now, with the reason; the daemon takes them up. Raises ``NeedsPerson``
    if the job failed, and ``Retry`` if no answer came within ``wait`` seconds: the job is then kept and will be done.
    """
    keyring.load(
        settings.data / "keys", settings.passphrase
    )  # a folder that is no node is told so before a store is made in it
    until, job = time.monotonic() + wait, 0
    while True:
        with _alone(settings) as alone:
            if alone:
                return _do(settings, kind, args, job)
        store = open_store(settings)
        try:
            job = job or _queue(store, kind, args)
            answer = _await(store, job, settings, until)
        finally:
            store.close()
        if answer is not None:
            return _told(job, "daemon", answer, {})


@contextmanager
def _alone(settings: Settings) -> Iterator[bool]:
    """Hold the daemon's lock if it is free; what it yields says whether it was."""
    store = Store.open(settings.store_url)
    with ExitStack() as stack:
        stack.callback(store.close)
        alone = True
        try:
            stack.enter_context(store.single_instance())
        except Stop:
            alone = False
        yield alone


def _queue(store: Store, kind: str, args: Json) -> int:
    with store.write() as conn:
        return jobs.ask(conn, kind, args, str(os.getuid()), format_time(dt.datetime.now(dt.UTC)))


def _await(store: Store, job: int, settings: Settings, until: float) -> Any:
    """The finished job's row; None if nobody is at home, so that the lock may be free now."""
    if not daemon_answers(settings.data):
        time.sleep(_LOOK_SECONDS)
        if time.monotonic() < until:
            return None
    while True:
        with store.read() as conn:
            row = jobs.one(conn, job)
        if row is not None and row.state != "queued":
            return row
        if time.monotonic() >= until:
            raise Retry(
                f"Job {job} is kept, but the daemon has not done it yet. It will, by itself, as soon as it comes to "
                "it; `syncd status` shows how many wait."
            )
        time.sleep(_LOOK_SECONDS)


def _told(job: int, by: str, row: Any, left: dict[str, str]) -> Json:
    result = orjson.loads(row.result)
    if row.state != "done":
        raise NeedsPerson(result["error"])
    return {"job": job, "by": by, "result": result, "left": left}


def _do(settings: Settings, kind: str, args: Json, job: int) -> Json:
    """Do it here, under the daemon's lock."""
    rung: dict[str, None] = {}
    built = build(settings, lambda bell: rung.update({bell: None}), lambda event, facts: None)
    store = built.bureau.store
    with ExitStack() as stack:
        stack.callback(store.close)
        stages = _stages(settings, built, stack)
        establish(built.bureau, stages.custody.ask)
        job = job or _queue(store, kind, args)
        stages.work.step()
        with store.read() as conn:
            row = jobs.one(conn, job)
        return _told(job, "command", row, _walk(stages, rung))


def _stages(settings: Settings, built: Built, stack: ExitStack) -> Stages:
    bureau = built.bureau
    others = {code: built.members[code] for code in bureau.members if code != bureau.code}
    links = https_links(settings.data, built.keys, others)
    for link in links.values():
        stack.callback(link.close)
    if built.source is not None:
        stack.callback(built.source.close)
    return assemble(bureau, built.source, links)


def _walk(stages: Stages, rung: dict[str, None]) -> dict[str, str]:
    """Walk the stages that were woken until none is left; one that cannot go on is named and left to the daemon."""
    steps: dict[str, Callable[[], bool]] = dict(stages.steps())
    if stages.restrict is not None:
        steps["acknowledgements"] = stages.restrict.acknowledgements
    walked: dict[str, str | None] = {}
    while rung:
        bell = next(iter(rung))
        del rung[bell]
        also = "acknowledgements" if bell == "restrict" else bell
        for name, step in steps.items():
            if walked.get(name) is None and (name in (bell, also) or name.startswith(f"{bell}:")):
                walked[name] = _drained(step)
    _post(stages, walked)
    return {name: why for name, why in walked.items() if why is not None}


def _drained(step: Callable[[], bool]) -> str | None:
    try:
        drain(step)
    except (Retry, NeedsPerson, SourceError) as error:
        return str(error)
    return None


def _post(stages: Stages, walked: dict[str, str | None]) -> None:
    """Tell ``syncd status`` which stage waits and why, as the daemon does."""
    bureau = stages.bureau
    with bureau.store.write() as conn:
        for name, why in walked.items():
            sourcebook.post(conn, f"stage:{name}", {"error": why, "since": bureau.now_text()})
