"""The relief table 修复、撤销、异议: what later entries make of a finding, in whatever order they arrive.

One total function. Every event is read for itself, so copies, gaps and order of arrival change nothing:

1. ``relief.revoked`` 撤销 ends the finding for good and from the beginning; its body narrows nothing.
2. ``relief.repaired`` 修复 and ``relief.expired`` 到期 end it for good from their date, or from the day
   they were recorded where no readable body gives one. Several: the earliest day counts.
3. ``relief.suspended`` 中止 turns it off, and so does any ``relief.*`` this version does not know.
4. ``finding.amended`` 变更 turns the old version off until this region has recognised the newest one.
5. ``relief.disputed`` 异议 is a mark, shown wherever the finding is shown; it turns nothing off.
6. ``finding.upheld`` 维持 and ``finding.resumed`` 恢复 remove exactly the marks of 3 and 5 that they name
   in ``clears``; without a readable body they name none. They never undo 1, 2 or 4, nor a later mark.
7. ``objection.received`` 异议申请 and every other kind change nothing: only the issuer marks.

``erasure.ordered`` 删除指令 ends it as 1 does, whatever was said before: nobody may restrict on what must be forgotten.

A mistake here restricts a company that the law has cleared.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

Ending = Literal["revoked", "repaired", "expired", "erased"]

REVOKED, REPAIRED, EXPIRED = "relief.revoked", "relief.repaired", "relief.expired"
ERASED = "erasure.ordered"
DISPUTED, AMENDED = "relief.disputed", "finding.amended"
CLEARING = frozenset({"finding.upheld", "finding.resumed"})
_FROM_THE_BEGINNING: dict[str, Ending] = {REVOKED: "revoked", ERASED: "erased"}
_ENDINGS: dict[str, Ending] = {REPAIRED: "repaired", EXPIRED: "expired"}  # the stronger reason first


@dataclass(frozen=True, slots=True)
class Event:
    """One entry about a finding, of its own log or that log's successor; the caller lets no other log in.

    ``leaf`` is the entry's own leaf hash; ``log`` and ``index`` say where it stands. ``effective_from`` and
    ``clears`` come from the body and are None and empty without a readable one. ``at_day`` is the day of the
    entry's ``at`` in Asia/Shanghai.
    """

    kind: str
    leaf: bytes
    log: str
    index: int
    effective_from: date | None
    at_day: date
    clears: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class ReliefState:
    """What stands of a finding.

    ``ended``: it ends for good, and why (revoked before erased before repaired before expired); set as soon as it is
    known. ``ended_on``: the first day on which it no longer acts, whichever ending brought it; None with
    ``ended`` = from the beginning. That day may still lie ahead: ``off`` is the answer for the day that
    was asked. ``suspended``, ``disputed``: the marks that stand. ``because``: the leaf that decided, None
    if nothing did.
    """

    ended: Ending | None = None
    ended_on: date | None = None
    suspended: bool = False
    disputed: bool = False
    because: bytes | None = None
    off: bool = False


UNTOUCHED = ReliefState()
"""No relief at all."""


def relief_state(events: Iterable[Event], day: date, recognised: Collection[bytes] = frozenset()) -> ReliefState:
    """Fold the events of one finding, in any order and with any repetition, into what stands on ``day``.

    ``recognised``: leaves of the amendments this region has put in force; the newest is enough. Never raises.
    """
    known = sorted(set(events), key=_place)
    if not known:
        return UNTOUCHED
    disputes = _standing(known, _disputes)
    stops = _standing(known, _suspends) + _unrecognised(known, recognised)
    ended, ended_on, ending = _ending(known)
    deciding = next(iter((*ending, *stops, *disputes)), None)
    return ReliefState(
        ended=ended,
        ended_on=ended_on,
        suspended=bool(stops),
        disputed=bool(disputes),
        because=deciding.leaf if deciding else None,
        off=bool(stops) or _over(ended, ended_on, day),
    )


def off_on(state: ReliefState, day: date) -> bool:
    """Whether the finding restricts nobody on ``day``; the same question as ``off``, for another day."""
    return state.suspended or _over(state.ended, state.ended_on, day)


def _over(ended: Ending | None, ended_on: date | None, day: date) -> bool:
    return ended is not None and (ended_on is None or ended_on <= day)


def _place(event: Event) -> tuple[object, ...]:
    """A total order, so that the leaf reported as the reason depends on no order of arrival."""
    dated = (event.effective_from is not None, event.effective_from or date.max)
    return event.log, event.index, event.leaf, event.kind, event.at_day, *dated, tuple(sorted(event.clears))


def _ending(events: Sequence[Event]) -> tuple[Ending | None, date | None, Sequence[Event]]:
    """Why and from when it is over, and the events of that reason, the deciding one first."""
    for kind, whole in _FROM_THE_BEGINNING.items():
        deciding = [event for event in events if event.kind == kind]
        if deciding:
            return whole, None, deciding
    dated = sorted((event for event in events if event.kind in _ENDINGS), key=_from)
    for kind, ended in _ENDINGS.items():
        deciding = [event for event in dated if event.kind == kind]
        if deciding:
            return ended, _from(dated[0]), deciding
    return None, None, ()


def _from(event: Event) -> date:
    return event.effective_from or event.at_day


def _disputes(kind: str) -> bool:
    return kind == DISPUTED


def _suspends(kind: str) -> bool:
    known = kind in _ENDINGS or kind in (REVOKED, DISPUTED)
    return kind.startswith("relief.") and not known


def _standing(events: Sequence[Event], is_mark: Callable[[str], bool]) -> list[Event]:
    """The marks of one sort that no later entry has cleared."""
    clearing = [event for event in events if event.kind in CLEARING]
    marks = [event for event in events if is_mark(event.kind)]
    return [mark for mark in marks if not any(_clears(event, mark) for event in clearing)]


def _clears(event: Event, mark: Event) -> bool:
    """A log cannot put back in force what it had not yet stopped."""
    return mark.leaf in event.clears and (event.log != mark.log or event.index > mark.index)


def _unrecognised(events: Sequence[Event], recognised: Collection[bytes]) -> list[Event]:
    amendments = [event for event in events if event.kind == AMENDED]
    done = [event for event in amendments if event.leaf in recognised]
    return [
        event
        for event in amendments
        if event.leaf not in recognised
        and not any(later.log == event.log and later.index > event.index for later in done)
    ]
