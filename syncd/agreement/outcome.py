"""What a record is by its own bureau's code list 判定结果: exactly one outcome, in this order.

1. the code 本地认定代码 is not in the list → ``unmapped`` 未对应;
2. it stands for a criterion → ``determined`` 认定: the bureau's own decision carries it;
3. it has no conditions → ``not_severe`` 未达严重: shared as a plain record;
4. its conditions are candidates 候选, and this is no demonstration → ``undetermined`` 未作认定;
5. the one condition that holds says what it is; if none holds, the row without a condition does. A condition that
   needs the history can only be answered at home: elsewhere it leaves the record ``undetermined``;
6. none or several hold, or the library gives an error → ``unmapped``: no decision is ever guessed. ``samples`` refuses
   such lists when they are loaded, so this only stands between a fault and a company.

``proposed`` 待认定 restricts nobody: a person at the determining bureau confirms it, and only then it is a finding.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from syncd.agreement.conditions import Conditions, conditions_of
from syncd.agreement.kinds import Json
from syncd.agreement.local import Condition, LocalCode
from syncd.agreement.model import Agreement
from syncd.agreement.names import NAMES, Counts, facts_of

Kind = Literal["determined", "proposed", "not_severe", "unmapped", "undetermined"]


@dataclass(frozen=True, slots=True)
class OutcomeOf:
    """The outcome of one record; ``by`` is the code or the condition that said so."""

    kind: Kind
    criterion: str | None = None
    by: str | None = None


UNMAPPED, UNDETERMINED = OutcomeOf("unmapped"), OutcomeOf("undetermined")


def map_local_code(agreement: Agreement, region: str, code: str) -> LocalCode | None:
    """What a bureau's own code 本地认定代码 means by the agreed list; None if region or code is not in it."""
    known = agreement.regions.get(region)
    return known.local_codes.get(code) if known else None


def grade_of(agreement: Agreement, finding: Json) -> str | None:
    """Scale and grade of a record that is a grade 信用等级, for whoever reads it; nothing follows from it by itself."""
    local = map_local_code(agreement, finding["place"], finding["local_code"])
    return f"{local.scale} {local.grade}" if local is not None and local.scale is not None else None


def outcome_of(
    agreement: Agreement, finding: Json, counts: Counts | None = None, *, allow_candidates: bool = False
) -> OutcomeOf:
    """The outcome of a record (``finding/1.0``) by the list of its own place; ``counts`` None = not known here."""
    code = finding["local_code"]
    local = map_local_code(agreement, finding["place"], code)
    if local is None:  # step 1
        return UNMAPPED
    if local.criterion is not None:  # step 2
        return OutcomeOf("determined", local.criterion, code)
    conditions = agreement.regions[finding["place"]].conditions.get(code)
    if not conditions:  # step 3
        return UNMAPPED if local.severe else OutcomeOf("not_severe", by=code)
    if not allow_candidates and any(one.status == "candidate" for one in conditions):  # step 4
        return UNDETERMINED
    return by_conditions(conditions, {**finding, "subject": {**finding["subject"], "type": local.subject_type}}, counts)


def criterion_of(agreement: Agreement, finding: Json, *, allow_candidates: bool = False) -> str | None:
    """The criterion a record is determined to meet, by its bureau's own code; None where nothing is determined."""
    found = outcome_of(agreement, finding, allow_candidates=allow_candidates)
    return found.criterion if found.kind == "determined" else None


def by_conditions(conditions: tuple[Condition, ...], finding: Json, counts: Counts | None) -> OutcomeOf:
    """Steps 5 and 6: what the conditions of one code say of a record."""
    asked = _asked(conditions, counts is not None)
    told = asked.compiled.hold(facts_of(asked.compiled.names, finding, counts)) if asked.compiled else ()
    if told is None:
        return UNMAPPED
    holding = [outcome for outcome, holds in zip(asked.outcomes, told, strict=True) if holds]
    if not holding:
        if asked.left_out:
            return UNDETERMINED
        holding = list(asked.otherwise)
    return holding[0] if len(holding) == 1 else UNMAPPED


@dataclass(frozen=True, slots=True)
class _Asked:
    """The conditions of one code, made ready once: those that can be answered, and what each of them says."""

    compiled: Conditions | None
    outcomes: tuple[OutcomeOf, ...]
    otherwise: tuple[OutcomeOf, ...]
    left_out: bool


@lru_cache(1_024)
def _asked(conditions: tuple[Condition, ...], with_history: bool) -> _Asked:
    asked = [one for one in conditions if one.when is not None]
    now = tuple(one for one in asked if with_history or not needs_history(one))
    return _Asked(
        compiled=together(now) if now else None,
        outcomes=tuple(_said(one) for one in now),
        otherwise=tuple(_said(one) for one in conditions if one.when is None),
        left_out=len(now) < len(asked),
    )


def _said(condition: Condition) -> OutcomeOf:
    return OutcomeOf(condition.outcome, condition.criterion, condition.id)


def together(conditions: tuple[Condition, ...]) -> Conditions:
    """These conditions as one expression, compiled once. Raises ``BadCondition``."""
    return conditions_of(tuple(one.when for one in conditions if one.when is not None))


def needs_history(condition: Condition) -> bool:
    """Whether a condition reads a name of the history."""
    return any(NAMES[name].of_history for name in together((condition,)).names)
