"""What stands against an agreement on a day 核验意见: asked before it is signed, where ``load`` asks only for sense.

An agreement that loads can still be one that nobody should sign: it rests on law that has ended, leaves a criterion
without an answer, or does not do what its own test cases say. Each objection is a sentence with file and row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from syncd.agreement.bases import SUFFICIENT_KINDS, SUFFICIENT_STRENGTHS, bases_in_force, doubts_of
from syncd.agreement.cases import failures_of
from syncd.agreement.law import LegalBasis
from syncd.agreement.local import LocalCode, Region
from syncd.agreement.model import Agreement

About = Literal["basis", "gap", "case"]


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing against the agreement: what it is about, in which region (None: all), and the sentence."""

    about: About
    region: str | None
    sentence: str


def objections(agreement: Agreement, day: date) -> list[Objection]:
    """Everything that stands against this agreement on ``day``; empty for one that may be signed."""
    found = []
    for region in agreement.regions.values():
        found += [Objection("gap", region.code, sentence) for sentence in _gaps(agreement, region)]
        found += [Objection("basis", region.code, sentence) for sentence in _law(agreement, region, day)]
        found += [
            Objection("case", region.code, f"regions/{region.code}.toml, test case “{title}”: {wrong}.")
            for title, wrong in failures_of(agreement, region)
        ]
    return found


def _gaps(agreement: Agreement, region: Region) -> Iterator[str]:
    where = f"regions/{region.code}.toml:"
    for code, criterion in agreement.criteria.items():
        if code not in region.rules:
            yield f"{where} no rule says what follows here from criterion {code}."
        for kind in criterion.applies_to:
            if not any(
                one.subject_type == kind and _can_mean(region, one, code) for one in region.local_codes.values()
            ):
                yield f"{where} no local code stands for criterion {code} and the type {kind}."


def _can_mean(region: Region, local: LocalCode, criterion: str) -> bool:
    conditions = region.conditions.get(local.code, ())
    return local.criterion == criterion or any(one.criterion == criterion for one in conditions)


def _law(agreement: Agreement, region: Region, day: date) -> Iterator[str]:
    """Each measure in use has law on the day, or says that it has none; never both, and never law that has ended."""
    for code in sorted({measure for rule in region.rules.values() for measure in rule.measures}):
        for kind in agreement.measures[code].applies_to:
            yield from _law_of(agreement, region, code, kind, day)


def _law_of(agreement: Agreement, region: Region, code: str, kind: str, day: date) -> Iterator[str]:
    declared = any(one.standing == "without_basis" for one in doubts_of(agreement, code, region.code, kind))
    carried = bases_in_force(agreement, code, region.code, day, kind)
    if carried and declared:
        yield (
            f"doubts.toml: measure {code} is without_basis for {kind} in {region.code}, but {carried[0].id} carries it."
        )
    if carried or declared or agreement.measures[code].kind == "advisory":
        return
    ended = [one for one in agreement.bases.values() if kind in one.subject_types and _ended(one, code, region, day)]
    if ended:
        last = max(ended, key=lambda one: one.valid_to or day)
        yield (
            f"regions/{region.code}.toml: measure {code} rests for {kind} on {last.id}, {last.instrument}, which ended "
            f"on {last.valid_to}; name another basis, or take the measure out of the rules."
        )
    else:
        yield f"doubts.toml: measure {code} has no basis for {kind} in {region.code} on {day}, and no row says so."


def _ended(basis: LegalBasis, measure: str, region: Region, day: date) -> bool:
    return (
        basis.measure == measure
        and basis.region in (None, region.code)
        and basis.kind in SUFFICIENT_KINDS
        and basis.strength in SUFFICIENT_STRENGTHS
        and basis.valid_to is not None
        and basis.valid_to < day
    )
