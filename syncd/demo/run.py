"""``syncd demo`` 演示: three bureaus, three stand-in systems, real HTTPS, one month of rows, one story — and the proof.

1. lay out and found the three nodes, exchange member files; start stand-ins and daemons, each its own process;
2. write a believable month into the three systems, each in its own format, and wait until all is recognised;
3. tell the story: rows and relief that come live, timed at the bureau systems;
4. check every claim against the three stores and the three bureau systems; exit 0 only if all hold.
"""

import datetime as dt
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson

from syncd.demo import tables
from syncd.demo.checks import faults, read_registers
from syncd.demo.generator import generate
from syncd.demo.places import load_places
from syncd.demo.scenario import Scenario
from syncd.demo.site import Site, sites
from syncd.demo.story import Told, await_everywhere, load_month, tell
from syncd.errors import NeedsPerson, Stop, SyncdError
from syncd.flows.bureau import day_of
from syncd.flows.inquiry import Inquiry
from syncd.reading import open_books
from syncd.store import outbox, state
from syncd.store.checkpoints import final_size
from syncd.store.instance import file_lock

MARK = ".syncd-demo"


def main(folder: Path, serve: bool = False, seed: int | None = None, as_json: bool = False) -> int:
    """Run the demonstration in ``folder``; returns the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with _prepared(folder) as directory:
        return _run(folder, directory, serve, seed, as_json)


def _run(folder: Path, directory: Path, serve: bool, seed: int | None, as_json: bool) -> int:
    places, today = load_places(), day_of(dt.datetime.now(dt.UTC))
    if seed is not None:
        places.plan["seed"] = seed
    scenario = generate(today, places)
    say = (lambda text: None) if as_json else tables.say
    say(tables.opening(places))
    try:
        with sites(directory, places) as running:
            begun = time.monotonic()
            rows = load_month(running, scenario)
            with ThreadPoolExecutor() as starting:
                list(starting.map(Site.start_daemon, running.values()))
            say(f"Three daemons run; {rows} rows stand in three systems. Waiting until all is recognised everywhere …")
            await_everywhere(running, "the month is recognised and delivered", lambda site: _settled(site, scenario))
            say(f"  done {time.monotonic() - begun:.1f} s after the first daemon was started.\n")
            told = tell(running, scenario)
            await_everywhere(running, "everything delivered", _delivered)
            await_everywhere(running, "every log countersigned by all members", _final)
            wrong = faults(running, scenario, today)
            _report(folder, running, scenario, told, wrong, today, as_json)
            if serve and not wrong:
                _serve(folder, running)
    except KeyboardInterrupt:
        return 130
    return 1 if wrong else 0


@contextmanager
def _prepared(folder: Path) -> Iterator[Path]:
    """An empty folder of the demonstration's own, held for as long as it runs.

    What an earlier one left is cleared; a folder with anything else in it, or in which one still runs, or a daemon that
    one killed has left behind, is refused: that daemon would go on upon deleted files.
    """
    directory = folder.resolve()
    if directory.exists() and any(directory.iterdir()) and not (directory / MARK).exists():
        raise NeedsPerson(f"{folder} holds something that is no earlier demonstration. Nothing was touched.")
    if len(str(directory)) > 80:
        raise NeedsPerson(f"{directory} is too long a path for a Unix socket below it; use a shorter --dir.")
    directory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(file_lock(directory / MARK))
        except Stop:
            raise NeedsPerson(
                f"A demonstration runs in {folder}. Nothing was touched; end it where it was started (Ctrl-C), "
                "or give another --dir."
            ) from None
        with ExitStack() as quiet:
            for lock in directory.glob("*/*.lock"):
                _hold(quiet, lock)
            for left in directory.iterdir():
                if left.is_dir():
                    shutil.rmtree(left)
                elif left.name != MARK:
                    left.unlink()
        yield directory


def _hold(held: ExitStack, lock: Path) -> None:
    """Hold a node's lock, so that no daemon works while the node is cleared."""
    try:
        held.enter_context(file_lock(lock))
    except Stop:
        holder = lock.read_text("ascii", "replace").strip()
        raise NeedsPerson(
            f"A daemon runs in {lock.parent}, as process {holder}. Nothing was touched; end it (`kill {holder}`) or "
            "give another --dir."
        ) from None


def _settled(site: Site, scenario: Scenario) -> bool:
    """All findings of the month that need no live row are answered here, and all orders are delivered."""
    try:
        with open_books(site.settings) as books:
            answers = Inquiry(books).register(None, day_of(dt.datetime.now(dt.UTC)))
    except SyncdError:
        return False  # the daemon is still making its tables
    findings = [finding for one in answers for finding in one["findings"]]
    answered = sum(1 for finding in findings if finding["answer"] != "waiting")
    return answered >= len(scenario.findings) and _delivered(site)


def _delivered(site: Site) -> bool:
    with open_books(site.settings) as books, books.store.read() as conn:
        counts = outbox.counts(conn)
    return not counts.get("pending") and not counts.get("delivered")


def _final(site: Site) -> bool:
    """Whether every log, as this node holds it, has all members' lines at its end: from then on it can be proven."""
    with open_books(site.settings) as books, books.store.read() as conn:
        held = state.states(conn)
        return all(final_size(conn, log.origin, books.agreement.members) == log.size for log in held)


def _report(
    folder: Path,
    running: Mapping[str, Site],
    scenario: Scenario,
    told: Told,
    wrong: list[str],
    today: dt.date,
    as_json: bool,
) -> None:
    registers = read_registers(running, today)
    if as_json:
        moments = [{"what": moment.what, "milliseconds": moment.milliseconds} for moment in told.moments]
        standing = {code: {uscc: one["standing"] for uscc, one in held.items()} for code, held in registers.items()}
        answer = {"moments": moments, "registers": standing, "faults": wrong, "dir": str(folder)}
        tables.say(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        return
    tables.say(tables.story(running, scenario, told))
    tables.say(tables.registers(running, scenario, registers))
    tables.say(tables.verdict(folder, running, scenario, wrong))


def _serve(folder: Path, running: Mapping[str, Site]) -> None:
    tables.say(tables.serving(folder, running))
    threading.Event().wait()
