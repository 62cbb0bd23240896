"""The daemon 守护进程 of one bureau: server, workers, scheduler, signals.

Life: lock the store → establish the truth (``flows.startup``) → listen → run until SIGTERM or SIGINT → drain within
5 s. Only the source is polled, on its own schedule; every other stage is woken by the one before it. Slow
ticks do what no news brings: they close a stop after a silence, read what only informs, and notice midnight.
"""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from syncd import logs_out, process
from syncd.errors import NeedsPerson, Stop
from syncd.flows.bureau import SHANGHAI
from syncd.flows.outside import Outside
from syncd.flows.startup import establish
from syncd.knock import SOCKET
from syncd.links import https_links
from syncd.peers import PeerClient, WitnessClient
from syncd.renewal import Renewal
from syncd.settings import Settings
from syncd.stages import Stages, assemble
from syncd.store import outbox, sourcebook
from syncd.web.exchange import exchange
from syncd.web.server import Server
from syncd.wiring import Built, build
from syncd.worker import Worker, finish

Json = dict[str, Any]
STOP_SECONDS = 3.5
MISFIRE_SECONDS = 3600
STOP_LOOK_SECONDS = 20.0
QUIET_SECONDS = 2.0
"""How often what only informs (other regions' answers, all members' lines) moves while nothing else happens."""
WATCH_SECONDS = 60.0
VERSIONS_SECONDS = 10.0
"""How often the folder of the agreement's versions is looked at; an adoption in a log rings at once."""


class Daemon:
    """One bureau's node, running."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._write = logs_out.start(settings.logging.level, settings.node.code)
        self._workers: dict[str, Worker] = {}
        self._ended = threading.Event()
        self._deaf = False
        self._built: Built = build(settings, self._wake, self._write)
        self._clients = self._links()
        self._stages: Stages = assemble(self._built.bureau, self._built.source, self._clients)
        self._outside = {
            one.name: Outside(self._built.bureau, one, WitnessClient(one.url, settings.path(ca) if ca else None))
            for ca in (settings.witness.ca_file,) for one in self._built.bureau.outside
        }  # fmt: skip
        self._scheduler = BackgroundScheduler(
            timezone=SHANGHAI,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_SECONDS},
        )

    def _links(self) -> dict[str, PeerClient]:
        built = self._built
        others = {code: built.members[code] for code in built.bureau.members if code != built.bureau.code}
        return https_links(self._settings.data, built.keys, others)

    def _wake(self, bell: str) -> None:
        for name, worker in self._workers.items():
            if name == bell or name.startswith(f"{bell}:"):
                worker.ring()

    def _failed(self, stage: str, sentence: str | None) -> None:
        bureau = self._built.bureau
        with bureau.store.write() as conn:
            sourcebook.post(conn, f"stage:{stage}", {"error": sentence, "since": bureau.now_text()})

    def run(self) -> None:
        """Run until a signal; raises what start-up finds. A second daemon on the same store is refused."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ended.set())
        process.share_memory()
        bureau = self._built.bureau
        with bureau.store.single_instance() as bureau.still_alone:
            establish(bureau, self._stages.custody.ask)
            self._forget_errors()
            server = self._server()
            server.start()
            try:
                listener = self._listen(str(self._settings.data / SOCKET))
            except NeedsPerson:
                server.stop()
                raise
            self._start_workers()
            self._schedule()
            self._look_at_certificates(server)
            self._write("daemon.ready", {"origin": bureau.origin, "port": self._settings.server.port})
            process.calm()
            self._ended.wait()
            self._write("daemon.stopping", {})
            self._stop(server, listener)
        self._write("daemon.stopped", {})
        if self._deaf:
            raise Stop(
                "The server ended by itself, so no peer could reach this node; the daemon stopped with it. What was "
                "committed is kept; start it again, and report this if it stays."
            )

    def _server_died(self) -> None:
        """A node that nobody can reach is better seen to be down: whoever supervises it starts it again."""
        self._deaf = True
        self._ended.set()

    def _stop(self, server: Server, listener: socket.socket) -> None:
        """Everybody finishes the step or request at hand, all at once; what is not done by then is done at the start.

        A crash here, or a worker left behind in a call to a peer that hangs, is no different from a kill.
        """
        until = time.monotonic() + STOP_SECONDS
        for worker in self._workers.values():
            worker.end()
        self._scheduler.shutdown(wait=False)
        listener.close()
        (self._settings.data / SOCKET).unlink(missing_ok=True)
        server.stop()
        finish(list(self._workers.values()), max(0.0, until - time.monotonic()))
        self._close()

    def _forget_errors(self) -> None:
        """What a stage said before this start is no news; it will say it again if it still holds."""
        bureau = self._built.bureau
        with bureau.store.write() as conn:
            for name in sourcebook.read_board(conn):
                if name.startswith("stage:"):
                    sourcebook.post(conn, name, {"error": None, "since": bureau.now_text()})

    def _close(self) -> None:
        for client in self._clients.values():
            client.close()
        if self._built.source is not None:
            self._built.source.close()

    def _server(self) -> Server:
        keys, settings = self._built.keys, self._settings
        members = {code: self._built.members[code] for code in self._built.bureau.members}  # a file alone is no member
        authorities = {code: member.tls_ca_pem.encode() for code, member in members.items()}
        witness = self._built.witness
        app = exchange(self._stages.receive, self._stages.serve, witness)
        return Server(
            app, settings.server.host, settings.server.port, str(keys.certificate_file), str(keys.tls_key_file),
            authorities, self._server_died, outsiders=witness is not None,
        )  # fmt: skip

    def _start_workers(self) -> None:
        steps: dict[str, Callable[[], bool]] = dict(self._stages.steps())
        if self._stages.restrict is not None:
            steps["acknowledgements"] = self._stages.certain(self._stages.restrict.acknowledgements)
        for one, outside in self._outside.items():
            steps[f"outside:{one}"] = self._stages.certain(outside.step)
        steps["custody"] = self._stages.custody.step
        steps["reconsider"] = self._stages.certain(self._reconsider)
        steps["answers"] = self._stages.certain(self._stages.recognise.answers)
        self._workers = {name: Worker(name, step, self._write, self._failed) for name, step in steps.items()}
        for worker in self._workers.values():
            worker.start()
            worker.ring()

    def _reconsider(self) -> bool:
        self._stages.recognise.reconsider()
        return False

    def _schedule(self) -> None:
        source = self._settings.source
        if source is not None:
            self._tick("collect", source.every_seconds)
            self._tick("acknowledgements", source.acknowledgements_seconds)
            hours = IntervalTrigger(hours=source.full_comparison_hours)
            self._scheduler.add_job(self._compare_all, hours, id="full-comparison")
        for bell in ("watch", "outside"):
            self._tick(bell, WATCH_SECONDS)
        for bell in ("answers", "receipts"):
            self._tick(bell, QUIET_SECONDS)
        self._tick("versions", VERSIONS_SECONDS)
        self._scheduler.add_job(self._close_stop, IntervalTrigger(seconds=STOP_LOOK_SECONDS), id="stop")
        self._scheduler.add_job(self._midnight, CronTrigger(hour=0, minute=0, timezone=SHANGHAI), id="midnight")
        self._midnight()  # what ended while the daemon was down goes home now
        self._scheduler.start()

    def _look_at_certificates(self, server: Server) -> None:
        takers = [server.present, *(client.present for client in self._clients.values())]
        look = Renewal(self._built.bureau, self._settings.data / "keys", takers)
        look.step()
        self._scheduler.add_job(look.step, IntervalTrigger(seconds=WATCH_SECONDS), id="certificates")

    def _tick(self, bell: str, seconds: float) -> None:
        self._scheduler.add_job(lambda: self._wake(bell), IntervalTrigger(seconds=seconds), id=bell)

    def _compare_all(self) -> None:
        collect, bureau = self._stages.collect, self._built.bureau
        if collect is not None:
            with bureau.store.write() as conn:
                collect.read_again(conn)
            self._wake("collect")

    def _close_stop(self) -> None:
        """The last entries before a silence become a stop, on which all members' lines meet (LEDGER §5)."""
        process.give_back()
        bureau = self._built.bureau
        if bureau.may_sign:
            with bureau.store.write() as conn:
                closed = bureau.logs.close_stop(conn, bureau.origin, bureau.clock())
            if closed:
                self._wake("share")
        if self._built.bureau.today() != self._day:  # the machine slept over midnight
            self._midnight()

    def _midnight(self) -> None:
        """Queue for delivery what ended by itself; being right needs no clock, telling the home system does."""
        bureau = self._built.bureau
        self._day = bureau.today()
        self._stages.adopt.step()  # a version takes effect with the day
        self._stages.recognise.day_change()
        with bureau.store.write() as conn:
            queued = outbox.changed_by(conn, self._day.isoformat())
        if queued:
            self._wake("restrict")
        self._wake("erase")

    def _listen(self, path: str) -> socket.socket:
        """Commands knock on a Unix socket beside the store; a knock wakes the jobs."""
        if os.path.exists(path):
            os.unlink(path)  # a socket left by a killed daemon: the lock says that none is running
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(path)
        except OSError as error:
            raise NeedsPerson(
                f"The socket {path} cannot be made ({error.strerror}); a Unix socket's path has about 100 characters "
                "at most. Nothing was started; use a shorter folder."
            ) from None
        os.chmod(path, 0o600)
        listener.listen(64)
        threading.Thread(target=self._answer, args=(listener,), name="socket", daemon=True).start()
        return listener

    def _answer(self, listener: socket.socket) -> None:
        while True:
            try:
                knock, _ = listener.accept()
            except OSError:
                return  # closed: the daemon is stopping
            self._wake("work")
            with knock, suppress(OSError):  # who has knocked need not wait for the answer
                knock.settimeout(1.0)
                knock.sendall(b"ok\n")
