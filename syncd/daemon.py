"""The daemon 守护进程 of one bureau: the lock, one node at work after another, the socket, signals.

Life: lock the store → establish the truth (``flows.startup``) → listen → run until SIGTERM or SIGINT → drain within
5 s. Where the members' files or a version bring other members, other keys or another log of this node itself, the
same process goes on with a node built anew (``take_members``):

1. it is built beside the running one, with the same store, vault, signed sizes and own system; what cannot be built
   changes nothing, and the sentence stands with the stage ``members``;
2. the running one ends its steps at hand as it would at a stop; the lock on the store is kept, and so is every cursor;
3. where this node's own log is another, what still writes to the old one is refused, and its seal is the first job;
4. the new one begins. A stage that hangs in a call to a peer is waited for by its own successor alone.

Nothing is lost by it, for nothing is by a kill: peers and own system ask or are asked again a second later.
"""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import SimpleQueue

from adapters.base import SourceError
from syncd import keyring, logs_out, process
from syncd.errors import NeedsPerson, Retry, Stop, SyncdError
from syncd.flows.record import sign
from syncd.flows.startup import establish, establish_members
from syncd.knock import SOCKET
from syncd.running import Running
from syncd.settings import Settings
from syncd.store import sourcebook
from syncd.store.engine import Store
from syncd.wiring import build

STOP_SECONDS, RETRY_SECONDS = 3.5, 1.0
ENDED, CHANGED = "ended", "changed"


def _bring_tables_up(url: str) -> None:
    """What Alembic needs for it stays in memory, 15 MB for good; where this fails, the start says why."""
    store = Store.open(url)
    with store.single_instance():
        store.upgrade()


class Daemon:
    """One bureau's node, running."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._write = logs_out.start(settings.logging.level, settings.node.code)
        self._news: SimpleQueue[str] = SimpleQueue()  # a signal may put into it whatever the main thread is at
        self._ended = self._deaf = False
        keyring.ask_whole(settings.data / "keys")  # a folder that is no node is told so before a store is made in it
        process.apart(lambda: _bring_tables_up(settings.store_url))
        self._running = self._made(None)

    def _made(self, before: Running | None) -> Running:
        built = build(self._settings, self._wake, self._write, before.built if before is not None else None)
        return Running(self._settings, built, self._write, self._server_died, lambda: self._news.put(CHANGED))

    def _end(self) -> None:
        self._ended = True
        self._news.put(ENDED)

    def _wake(self, bell: str) -> None:
        self._running.ring(bell)

    def run(self) -> None:
        """Run until a signal; raises what start-up finds. A second daemon on the same store is refused."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._end())
        process.share_memory()
        bureau = self._running.built.bureau
        with bureau.store.single_instance() as bureau.still_alone:
            establish(bureau, self._running.stages.custody.ask)
            self._forget_errors()
            listener = self._open()
            self._begun({})
            self._write("daemon.ready", {"origin": bureau.origin, "port": self._settings.server.port})
            while not self._ended:
                if self._news.get() == CHANGED and not self._ended:
                    self._take_members()
            self._write("daemon.stopping", {})
            self._stop(listener)
        self._write("daemon.stopped", {})
        if self._deaf:
            raise Stop(
                "The server ended by itself, so no peer could reach this node; the daemon stopped with it. What was "
                "committed is kept; start it again, and report this if it stays."
            )

    def _open(self) -> socket.socket:
        server = self._running.server
        server.start()
        try:
            return self._listen(str(self._settings.data / SOCKET))
        except NeedsPerson:
            server.stop()
            raise

    def _begun(self, after: Mapping[str, threading.Thread]) -> None:
        self._running.begin(after)
        process.calm()

    def _take_members(self) -> None:
        """Go on with a node built anew; see the module. Told of what was taken up meanwhile, it does nothing."""
        old = self._running
        if not old.membership.outdated(tell=False):
            return
        try:
            new = self._made(old)  # step 1
        except Exception as error:  # whatever it is, the running node is better than none
            self._write("members.not_taken", {"because": (sentence := _sentence(error))})
            old.membership.refuse(sentence)
            return
        self._write("members.changing", {"origin": new.built.bureau.origin})
        left = old.end(STOP_SECONDS)  # step 2
        self._running = new
        if self._surely(lambda: _hand_over(old, new)):
            new.server.start()
            self._begun(left)  # step 4
            self._write("members.taken", {"members": sorted(new.built.bureau.members), "left_behind": sorted(left)})

    def _surely(self, step: Callable[[], None]) -> bool:
        """Do it, as often as the store asks for another try; False where a signal has come instead."""
        while not self._ended:
            try:
                step()
                return True
            except Retry as error:
                self._write("stage.waits", {"stage": "members", "whose_turn": "retry", "because": str(error)})
                time.sleep(RETRY_SECONDS)
        return False

    def _server_died(self) -> None:
        """A node that nobody can reach is better seen to be down: whoever supervises it starts it again."""
        self._deaf = True
        self._end()

    def _stop(self, listener: socket.socket) -> None:
        """What is not done within its time is done at the next start."""
        listener.close()
        (self._settings.data / SOCKET).unlink(missing_ok=True)
        self._running.end(STOP_SECONDS)
        source = self._running.built.source
        if source is not None:
            source.close()

    def _forget_errors(self) -> None:
        """What a stage said before this start is no news; it will say it again if it still holds."""
        bureau = self._running.built.bureau
        with bureau.store.write() as conn:
            for name in sourcebook.read_board(conn):
                if name.startswith("stage:"):
                    sourcebook.post(conn, name, {"error": None, "since": bureau.now_text()})

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


def _hand_over(old: Running, new: Running) -> None:
    """Step 3, and what the new node needs to know of its members before it begins."""
    before, bureau = old.built.bureau, new.built.bureau
    another = bureau.origin != before.origin
    if another and before.may_sign:
        sign(before)
        before.may_sign = False
    establish_members(bureau)
    if another:
        new.stages.work.step()


def _sentence(error: Exception) -> str:
    if isinstance(error, SyncdError | SourceError):
        return str(error)
    return f"A fault of this program ({type(error).__name__}) while another set of members was taken up; report it."
