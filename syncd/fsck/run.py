"""The whole check 核查, part by part, each in the order in which a mistake in one would show in the next.

1. the file (SQLite); 2. each log: leaves, columns, tiles, roots; 3. each disclosure's key, and what was erased;
4. cursors; 5. the signed sizes; 6. the register and the outbox, made again from the logs.

``repair`` writes tiles, cursors, register rows and deliveries again, and erases what was ordered to be; entries,
checkpoints, keys and signed sizes are never touched: what is wrong with them comes back from a backup or a member.
"""

from pathlib import Path
from typing import Any

from syncd.flows.bureau import Bureau
from syncd.fsck import beside, logs, register
from syncd.fsck.faults import Fault, Report, Told

_AT_ONCE = 128


def check(bureau: Bureau, sizes: Path, told: Told, repair: bool = False) -> Report:
    """Check a node's store; with ``repair`` the caller holds the daemon's lock. ``sizes``: the signed-sizes file."""
    report = Report()
    with bureau.store.read() as conn:
        for fault in beside.check_file(conn):  # step 1
            report.add(fault)
        states = bureau.logs.states(conn)
    for state in states:  # step 2
        with bureau.store.read() as conn:
            faults = _noted(report, logs.check_log(conn, state, told))
        report.records["entries"] += state.size
        if repair and faults and logs.mend_tiles(bureau, state):
            report.mended += len(faults)
    for state in states:  # step 3
        with bureau.store.read() as conn:
            faults = _noted(report, beside.check_vault(bureau, conn, state, told))
        if repair and faults:
            beside.mend_erasures(bureau, faults)
            report.mended += len(faults)
    with bureau.store.read() as conn:
        faults = _noted(report, beside.check_cursors(bureau, conn))  # step 4
        for fault in beside.check_sizes(bureau, conn, sizes):  # step 5
            report.add(fault)
    if repair and faults:
        beside.mend_cursors(bureau, faults)
        report.mended += len(faults)
    _register(bureau, report, told, repair)  # step 6
    return report


def _noted(report: Report, found: Any) -> list[Fault]:
    """Note faults as they come; returns those that can be derived, as many as are listed."""
    derivable = list[Fault]()
    for fault in found:
        report.add(fault)
        if fault.derivable:
            derivable.append(fault)
    return derivable


def _register(bureau: Bureau, report: Report, told: Told, repair: bool) -> None:
    with bureau.store.read() as conn, register.rebuilt(bureau, conn, told) as scratch:
        waiting = list[Any]()
        for fault, kind, held, made in register.compare(bureau, conn, scratch):
            report.add(fault)
            if repair:
                waiting.append((kind, held, made))
            if len(waiting) >= _AT_ONCE:
                _mend(bureau, report, waiting)
                waiting = []
        _mend(bureau, report, waiting)


def _mend(bureau: Bureau, report: Report, waiting: list[Any]) -> None:
    if waiting:
        with bureau.store.write() as conn:
            for kind, held, made in waiting:
                register.mend(conn, kind, held, made)
        report.mended += len(waiting)
