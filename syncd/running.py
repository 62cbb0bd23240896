"""A node at work 运行: what was built, with its server, its workers and its scheduler; begun and ended as a whole.

Only the source is polled, on its own schedule; every other stage is woken by the one before it. Slow ticks do what no
news brings: they close a stop after a silence, read what only informs, and notice midnight.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from syncd import process
from syncd.flows.bureau import SHANGHAI
from syncd.flows.outside import Outside
from syncd.links import https_links
from syncd.membership import Membership
from syncd.peers import PeerClient, WitnessClient
from syncd.renewal import Renewal
from syncd.settings import Settings
from syncd.stages import Stages, assemble
from syncd.store import outbox, sourcebook
from syncd.web.exchange import exchange
from syncd.web.server import Server
from syncd.wiring import Built
from syncd.worker import Worker, finish

Json = dict[str, Any]
Write = Callable[[str, Json], None]
MISFIRE_SECONDS = 3600
STOP_LOOK_SECONDS = 20.0
QUIET_SECONDS = 2.0
"""How often what only informs (other regions' answers, all members' lines) moves while nothing else happens."""
WATCH_SECONDS = 60.0
VERSIONS_SECONDS = 10.0
"""How often the folders of versions and of members are looked at; an adoption in a log, or a knock, rings at once."""


class Running:
    """One node as it was built. ``died`` is called if its server ends by itself, ``changed`` if its members do."""

    def __init__(
        self, settings: Settings, built: Built, write: Write, died: Callable[[], None], changed: Callable[[], None]
    ) -> None:
        self.built, self._settings, self._write, self._died = built, settings, write, died
        self._workers: dict[str, Worker] = {}
        bureau = built.bureau
        self._clients = self._links()
        self.stages: Stages = assemble(bureau, built.source, self._clients)
        self._outside = {
            one.name: Outside(bureau, one, WitnessClient(one.url, settings.path(ca) if ca else None))
            for ca in (settings.witness.ca_file,) for one in bureau.outside
        }  # fmt: skip
        self.membership = Membership(bureau, settings.path(settings.node.agreement), built.members, changed)
        bureau.outdated = self.membership.outdated
        self.server = self._server()
        self._renewal = Renewal(
            bureau, settings.data / "keys", [self.server.present, *(one.present for one in self._clients.values())]
        )
        self._scheduler = BackgroundScheduler(
            timezone=SHANGHAI,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_SECONDS},
        )

    def _links(self) -> dict[str, PeerClient]:
        built = self.built
        others = {code: built.members[code] for code in built.bureau.members if code != built.bureau.code}
        return https_links(self._settings.data, built.keys, others)

    def _server(self) -> Server:
        keys, settings, witness = self.built.keys, self._settings, self.built.witness
        members = {code: self.built.members[code] for code in self.built.bureau.members}  # a file alone is no member
        authorities = {code: member.tls_ca_pem.encode() for code, member in members.items()}
        app = exchange(self.stages.receive, self.stages.serve, witness)
        return Server(
            app, settings.server.host, settings.server.port, str(keys.certificate_file), str(keys.tls_key_file),
            authorities, self._died, outsiders=witness is not None,
        )  # fmt: skip

    def ring(self, bell: str) -> None:
        """Wake the stage of this name, or all that are named ``bell:…``."""
        for name, worker in self._workers.items():
            if name == bell or name.startswith(f"{bell}:"):
                worker.ring()

    def begin(self, after: Mapping[str, threading.Thread]) -> None:
        """Start the workers and the scheduler; the server listens already, and the truth is established.

        ``after``: threads of a node that ran before and are at their last step; the same stage waits for its own.
        """
        self._workers = {
            name: Worker(name, step, self._write, self._failed, after.get(name)) for name, step in self._steps().items()
        }
        for worker in self._workers.values():
            worker.start()
            worker.ring()
        self._schedule()

    def _steps(self) -> dict[str, Callable[[], bool]]:
        """What each worker does. Each waits and fails for itself, so that nothing keeps back what ends with the day."""
        steps: dict[str, Callable[[], bool]] = dict(self.stages.steps())
        if self.stages.restrict is not None:
            steps["acknowledgements"] = self.stages.certain(self.stages.restrict.acknowledgements)
        for one, outside in self._outside.items():
            steps[f"outside:{one}"] = self.stages.certain(outside.step)
        steps["custody"] = self.stages.custody.step
        steps["reconsider"] = self.stages.certain(lambda: self._once(self.stages.recognise.reconsider))
        steps["answers"] = self.stages.certain(self.stages.recognise.answers)
        steps["certificates"] = lambda: self._once(self._renewal.step)
        steps["members"] = lambda: self._once(self.membership.look)
        steps["expiry"] = lambda: self._once(self._expire)
        steps["day_change"] = lambda: self._once(self.stages.recognise.day_change)
        return steps

    def _once(self, step: Callable[[], object]) -> bool:
        step()
        return False

    def _failed(self, stage: str, sentence: str | None) -> None:
        bureau = self.built.bureau
        with bureau.store.write() as conn:
            sourcebook.post(conn, f"stage:{stage}", {"error": sentence, "since": bureau.now_text()})

    def end(self, seconds: float) -> dict[str, threading.Thread]:
        """Everybody finishes the step or request at hand, all at once; returns who has not, within ``seconds`` in all.

        A crash here, or a worker left behind in a call to a peer that hangs, is no different from a kill.
        """
        until = time.monotonic() + seconds
        for worker in self._workers.values():
            worker.end()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self.server.stop()
        finish(list(self._workers.values()), max(0.0, until - time.monotonic()))
        for client in self._clients.values():
            client.close()
        return {name: worker for name, worker in self._workers.items() if worker.is_alive()}

    def _schedule(self) -> None:
        source = self._settings.source
        if source is not None:
            self._tick("collect", source.every_seconds)
            self._tick("acknowledgements", source.acknowledgements_seconds)
            hours = IntervalTrigger(hours=source.full_comparison_hours)
            self._scheduler.add_job(self._compare_all, hours, id="full-comparison")
        for bell in ("watch", "outside", "certificates"):
            self._tick(bell, WATCH_SECONDS)
        for bell in ("answers", "receipts"):
            self._tick(bell, QUIET_SECONDS)
        for bell in ("versions", "members"):
            self._tick(bell, VERSIONS_SECONDS)
        self._scheduler.add_job(self._close_stop, IntervalTrigger(seconds=STOP_LOOK_SECONDS), id="stop")
        self._scheduler.add_job(self._midnight, CronTrigger(hour=0, minute=0, timezone=SHANGHAI), id="midnight")
        self._midnight()  # what ended while the daemon was down goes home now
        self._scheduler.start()

    def _tick(self, bell: str, seconds: float) -> None:
        self._scheduler.add_job(lambda: self.ring(bell), IntervalTrigger(seconds=seconds), id=bell)

    def _compare_all(self) -> None:
        collect, bureau = self.stages.collect, self.built.bureau
        if collect is not None:
            with bureau.store.write() as conn:
                collect.read_again(conn)
            self.ring("collect")

    def _close_stop(self) -> None:
        """The last entries before a silence become a stop, on which all members' lines meet (LEDGER §5)."""
        bureau = self.built.bureau
        if bureau.today() != self._day:  # the machine slept over midnight
            self._midnight()
        process.give_back()
        if bureau.may_sign:
            with bureau.store.write() as conn:
                closed = bureau.logs.close_stop(conn, bureau.origin, bureau.clock())
            if closed:
                self.ring("share")

    def _midnight(self) -> None:
        """Only rings: a store that is busy now is tried again by each worker, and the day is not lost."""
        self._day = self.built.bureau.today()
        for bell in ("expiry", "versions", "day_change", "erase"):  # a version takes effect with the day
            self.ring(bell)

    def _expire(self) -> None:
        """Queue for delivery what ended by itself; being right needs no clock, telling the home system does."""
        bureau = self.built.bureau
        with bureau.store.write() as conn:
            queued = outbox.changed_by(conn, bureau.today().isoformat())
        if queued:
            self.ring("restrict")
