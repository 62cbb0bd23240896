"""What was in force on a day, as it was known on another 双时态: a pure function of entries and two days.

The register keeps the newest answer; this keeps none. It takes every entry about the findings of an organisation, drops
those that were not known on day K, and folds the rest: union over active findings, each with its own end. The same
question has the same answer in three years, because entries are never changed.

*As known on K* (LEDGER §9): a region's knowledge is its own entries below the last size that it countersigned by K and,
for each mirrored log, the entries below the size that it countersigned by K. The caller reads those sizes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from syncd.agreement.force import ADVISORY, Restriction, Standing, in_force_of
from syncd.agreement.kinds import Json
from syncd.agreement.relief import AMENDED, EXPIRED, REPAIRED, REVOKED, Event, ReliefState, relief_state

ENDINGS = frozenset({REVOKED, REPAIRED, EXPIRED})
"""These say themselves from which day they act; every other mark, and every answer, acts from the day it was said."""

AnswerKind = Literal["imposed", "lifted", "declined", "held"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the region to a finding: where it stands, the day it was said, the measures if it imposed."""

    kind: AnswerKind
    log: str
    index: int
    day: date
    measures: tuple[Json, ...] = ()
    reason: str | None = None
    demonstration: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that was ever said about one finding: its own place, relief and amendments, the region's answers.

    ``successors``: the logs that go on for its own after a seal 封存, and so speak for it. ``left``: the day from which
    the finding's member, or the region, is no longer named by the agreement.
    """

    finding: str
    log: str
    index: int
    relief: Sequence[Event] = ()
    answers: Sequence[Answer] = ()
    successors: frozenset[str] = frozenset()
    left: date | None = None


@dataclass(frozen=True, slots=True)
class Stood:
    """How one finding stood: its relief, the answer that held, and the measures in force."""

    finding: str
    relief: ReliefState
    answer: Answer | None
    measures: tuple[Json, ...]


def stood(told: Iterable[Told], day: date, known: Mapping[str, int]) -> list[Stood]:
    """What was in force on ``day``, by what stands below the sizes ``known`` of each log; unknown logs have none."""
    return [_stood(one, day, known) for one in told if one.index < known.get(one.log, 0)]


def standing_by(found: Iterable[Stood]) -> Standing:
    """How the organisation stood: one binding or discretionary measure is enough to be restricted."""
    kinds = {measure["kind"] for one in found for measure in one.measures}
    if kinds - {ADVISORY}:
        return "restricted"
    return "noted" if kinds else "clear"


def _stood(told: Told, day: date, known: Mapping[str, int]) -> Stood:
    speak = {told.log, *told.successors}
    events = [event for event in told.relief if event.log in speak and event.index < known.get(event.log, 0)]
    acting = [event for event in events if event.kind in ENDINGS or event.at_day <= day]
    answers = sorted((one for one in told.answers if one.index < known.get(one.log, 0)), key=lambda one: one.index)
    said = [one for one in answers if one.day <= day]
    # An amendment that led to another answer stands behind one; one that led to none has changed nothing here.
    state = relief_state(acting, day, {event.leaf for event in acting if event.kind == AMENDED})
    held = said[-1] if said else None
    restriction = Restriction(held.measures if held is not None and held.kind == "imposed" else (), state, told.left)
    return Stood(told.finding, state, held, tuple(in_force_of(restriction, day)))
