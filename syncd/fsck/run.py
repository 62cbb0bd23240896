"""The whole check 核查, part by part, each in the order in which a mistake in one would show in the next.

1. the file (SQLite); 2. each log: leaves, columns, tiles, roots; 3. members' keys and seals, told again by the entries;
4. notes and lines under each size; 5. the agreement's versions and adoptions; 6. what was witnessed, and evidence;
7. each disclosure's key, and what was erased; 8. cursors; 9. the signed sizes; 10. the register and the outbox, made
again from the logs. ``syncd/fsck/tables.py`` says which table is covered by which part.

``repair`` writes tiles, keys, seals, adoptions, cursors, register rows and deliveries again, lets fresh lines go that
do not verify, and erases what was ordered to be; entries, checkpoints, evidence, keys and signed sizes are never
touched: what is wrong with them comes back from a backup or a member. Memory does not grow with what is found.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from syncd.flows import rekey
from syncd.flows.bureau import Bureau
from syncd.fsck import beside, keys, lines, logs, register, versions, witnessing
from syncd.fsck.faults import Fault, Report, Told
from syncd.store.engine import Store
from syncd.store.state import LogState

_AT_ONCE: Final = 512
Mend = Callable[[Sequence[Fault]], None]


def check(
    bureau: Bureau, sizes: Path, told: Told, repair: bool = False, witnessed: witnessing.Logs | None = None
) -> Report:
    """Check a node's store; with ``repair`` the caller holds the daemon's lock. ``sizes``: the signed-sizes file.

    ``witnessed``: the outsiders' logs that the settings name, with their keys.
    """
    run = Run(bureau, Report(), told, repair)
    with bureau.store.read() as conn:
        run.note(beside.check_file(conn))  # step 1
        states = bureau.logs.states(conn)
    places = {state.origin: run.log(state) for state in states}  # step 2
    run.keys(places)  # step 3
    for state in states:
        run.lines(state)  # step 4
    run.versions(places)  # step 5
    run.witnessing(witnessed or {})  # step 6
    for state in states:
        run.vault(state)  # step 7
    with bureau.store.read() as conn:
        run.note(beside.check_erasures(bureau, conn))
        run.note(beside.check_cursors(bureau, conn), lambda faults: beside.mend_cursors(bureau, faults))  # step 8
        run.note(beside.check_sizes(bureau, conn, sizes))  # step 9
    run.register()  # step 10
    return run.report


def check_before(store: Store, repair: bool) -> Report:
    """What must be readable before a node can be built at all: adoptions; ``repair`` as for ``check``."""
    report = Report()
    with store.read() as conn:
        found = list(versions.unreadable(conn))
        places = versions.places(conn) if found else {}
    for fault in found:
        report.add(fault)
    if found and repair:
        with store.write() as conn:
            versions.mend_adoptions(conn, places)
        report.mended = report.total
    return report


def check_texts(store: Store) -> Report:
    """The agreement's texts alone, where a node cannot be built because of one."""
    report = Report()
    with store.read() as conn:
        for fault in versions.check_texts(conn):
            report.add(fault)
    return report


@dataclass
class Run:
    """One check as it goes on."""

    bureau: Bureau
    report: Report
    told: Told
    repair: bool

    def note(self, found: Iterable[Fault], mend: Mend | None = None) -> bool:
        """Note faults as they come, and mend some at a time those that can be derived; says whether any could."""
        waiting, derivable = list[Fault](), False
        for fault in found:
            self.report.add(fault)
            derivable = derivable or fault.derivable
            if self.repair and mend is not None and fault.derivable:
                waiting.append(fault)
            if len(waiting) >= _AT_ONCE:
                self._mend(waiting, mend)
                waiting = []
        self._mend(waiting, mend)
        return derivable

    def _mend(self, waiting: Sequence[Fault], mend: Mend | None) -> None:
        if waiting and mend is not None:
            mend(waiting)
            self.report.mended += len(waiting)

    def log(self, state: LogState) -> logs.Noted:
        """One log; its tiles are written again where its leaves lead to the root that was signed."""
        places: logs.Noted = {kind: array("q") for kind in rekey.KINDS}
        before = self.report.derivable
        with self.bureau.store.read() as conn:
            wrong = self.note(logs.check_log(conn, state, self.told, places))
        self.report.records["entries"] += state.size
        if self.repair and wrong and logs.mend_tiles(self.bureau, state):
            self.report.mended += self.report.derivable - before
        return places

    def keys(self, places: rekey.Places) -> None:
        """Keys and seals; from here on the check goes by what the entries tell."""
        bureau = self.bureau
        with bureau.store.read() as conn:
            told = rekey.story(bureau, conn, places)
            found = [*keys.check_keys(conn, told), *keys.check_seals(conn, told)]
        self.note(found, self._written(lambda conn: keys.mend(conn, told)))
        told.take(bureau)

    def lines(self, state: LogState) -> None:
        """Every signature under one log."""
        bureau = self.bureau
        with bureau.store.read() as conn:
            self.note(lines.check_notes(bureau, conn, state, self.told))
            self.note(lines.check_cosignatures(bureau, conn, state, self.told))
            self.note(lines.check_outside(bureau, conn, state))
            fresh = list(lines.check_fresh(bureau, conn, state))
        self.note(fresh, self._written(lambda conn: lines.mend_fresh(conn, fresh, [state])))

    def versions(self, places: Mapping[str, Mapping[str, Sequence[int]]]) -> None:
        """The agreement's texts, and who adopted which."""
        with self.bureau.store.read() as conn:
            self.note(versions.check_texts(conn))
            found = list(versions.check_adoptions(conn, places))
        self.note(found, self._written(lambda conn: versions.mend_adoptions(conn, places)))

    def witnessing(self, witnessed: witnessing.Logs) -> None:
        """What stands in no log."""
        with self.bureau.store.read() as conn:
            self.note(witnessing.check_witnessed(conn, witnessed))
            self.note(witnessing.check_evidence(self.bureau, conn))

    def vault(self, state: LogState) -> None:
        """One log's disclosures."""
        with self.bureau.store.read() as conn:
            found = beside.check_vault(self.bureau, conn, state, self.told)
            self.note(found, lambda faults: beside.mend_erasures(self.bureau, faults))

    def register(self) -> None:
        """The register and the outbox."""
        bureau, waiting = self.bureau, list[Any]()
        with register.rebuilt(bureau, self.told) as scratch, bureau.store.read() as conn:
            register.catch_up(bureau, conn, scratch, self.told)
            for fault, kind, held, made in register.compare(bureau, conn, scratch.store):
                self.report.add(fault)
                if self.repair:
                    waiting.append((kind, held, made))
                if len(waiting) >= _AT_ONCE:
                    self._register(waiting)
                    waiting = []
            self._register(waiting)

    def _register(self, waiting: Sequence[Any]) -> None:
        if waiting:
            with self.bureau.store.write() as conn:
                register.mend(conn, waiting)
            self.report.mended += len(waiting)

    def _written(self, act: Callable[[Any], object]) -> Mend:
        """Mend everything of a part in one transaction, however many faults there are."""

        def mend(found: Sequence[Fault]) -> None:
            with self.bureau.store.write() as conn:
                act(conn)

        return mend
