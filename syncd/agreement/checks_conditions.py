"""What the conditions of a region must say of one another: each understood, no two for one record, none left over."""

from collections.abc import Iterable, Iterator

from syncd.agreement.conditions import BadCondition
from syncd.agreement.local import Condition, LocalCode, Region
from syncd.agreement.model import Agreement
from syncd.agreement.outcome import needs_history, together
from syncd.agreement.samples import TooMany, samples, shown


def condition_faults(where: str, agreement: Agreement, region: Region) -> Iterator[str]:
    """All contradictions in the conditions of one region, naming code, condition and a record that shows it."""
    for code, conditions in region.conditions.items():
        place = f"{where} local code {code},"
        local = region.local_codes.get(code)
        if local is None:
            yield f"{place} field conditions: the code is unknown"
            continue
        if local.criterion is not None or local.severe:
            yield f"{place} field criterion: a code with conditions has none of its own, and is not severe"
        faults = [
            fault for one in conditions for fault in _one(f"{where} condition {one.id}, field", agreement, local, one)
        ]
        yield from faults or _among_each_other(place, conditions, agreement.subject_types)


def _one(where: str, agreement: Agreement, local: LocalCode, condition: Condition) -> Iterator[str]:
    if (condition.criterion is None) != (condition.outcome == "not_severe"):
        yield f"{where} criterion: named by determined and proposed, by nothing else"
    criterion = agreement.criteria.get(condition.criterion or "")
    if condition.criterion is not None and criterion is None:
        yield f"{where} criterion: {condition.criterion} is unknown"
    elif criterion is not None and local.subject_type not in criterion.applies_to:
        yield f"{where} criterion: it does not apply to {local.subject_type}, the type of the code"
    try:
        derived = condition.when is not None and needs_history(condition)
    except BadCondition as fault:
        yield f"{where} when: {fault}"
        return
    if derived and condition.outcome == "determined":
        yield f"{where} outcome: what is counted from the history can only be proposed"


def _among_each_other(place: str, conditions: tuple[Condition, ...], types: Iterable[str]) -> Iterator[str]:
    asked = tuple(one for one in conditions if one.when is not None)
    otherwise = [one.id for one in conditions if one.when is None]
    if len(otherwise) > 1:
        yield f"{place} field conditions: {' and '.join(otherwise)} have no condition both"
    if not asked:
        return
    compiled, ever, overlaps, gap = together(asked), set[str](), dict[tuple[str, ...], str](), ""
    try:
        for sample in samples(compiled, types):
            told = compiled.hold(sample)
            holding = tuple(one.id for one, holds in zip(asked, told or (), strict=False) if holds)
            ever.update(holding)
            if len(holding) > 1:
                overlaps.setdefault(holding, shown(sample))
            elif not holding and not otherwise:
                gap = gap or shown(sample)
    except TooMany as fault:
        yield f"{place} field conditions: {fault}"
        return
    for ids, record in overlaps.items():
        yield f"{place} field conditions: {' and '.join(ids)} both hold for a record with {record}"
    if gap:
        yield f"{place} field conditions: none holds for a record with {gap}"
    for one in asked:
        if one.id not in ever:
            yield f"{place} field conditions: {one.id} can never hold"
