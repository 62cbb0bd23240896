"""How long a penalty is published 公示期, by the class 等级 of the penalty and the rules of the day it was decided on.

Publicity stops by itself at its longest (信用修复管理办法, from 2026-04-01), and what is no longer published restricts
nobody any more. Regimes are data (``publicity.toml``); candidates 候选 count only in a demonstration.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from syncd.agreement.dates import months_later
from syncd.agreement.kinds import Json, Severity
from syncd.agreement.law import Regime
from syncd.agreement.model import Agreement

_RANK: tuple[Severity, ...] = ("minor", "general", "severe")


@dataclass(frozen=True, slots=True)
class Span:
    """From which day a company may ask for repair 修复, and the last day on which the penalty may be published."""

    regime: str
    severity: Severity
    repair_from: date
    last: date


def severity_of(agreement: Agreement, kinds: Iterable[str], demonstration: bool = False) -> Severity | None:
    """The highest class 轻微、一般、严重 that a decision's kinds of penalty have; None where the data do not say.

    The class is the ministry's to fix (国办发〔2025〕22号), so a kind that no row names leaves the class open.
    """
    known = {
        kind: row.severity for row in agreement.classes if _counts(row.status, demonstration) for kind in row.kinds
    }
    found = [known.get(kind) for kind in kinds]
    if None in found and "severe" not in found:
        return None
    return max((one for one in found if one is not None), key=_RANK.index, default=None)


def publicity_of(agreement: Agreement, decided: date, severity: Severity, demonstration: bool = False) -> Span | None:
    """The shortest and longest publicity of a penalty of this class decided on this day; None where none was read."""
    for regime in _regimes(agreement, decided, demonstration):
        if regime.severity == severity:
            first, last = months_later(decided, regime.min_months), months_later(decided, regime.max_months)
            return Span(regime.id, severity, first, last)
    return None


def publicity_shown(agreement: Agreement, finding: Json, demonstration: bool = False) -> Json:
    """Class and span of a finding's publicity as they are shown; the days are None where nobody has fixed the class."""
    decided = date.fromisoformat(finding["decided_on"])
    severity = severity_of(agreement, finding["kinds"], demonstration)
    span = publicity_of(agreement, decided, severity, demonstration) if severity else None
    longest = longest_publicity(agreement, decided, demonstration)
    return {
        "severity": severity,
        "repair_from": span.repair_from.isoformat() if span else None,
        "last": span.last.isoformat() if span else None,
        "longest": longest.isoformat() if longest != date.max else None,
    }


@lru_cache(8_192)
def longest_publicity(agreement: Agreement, decided: date, demonstration: bool) -> date:
    """The last day on which any penalty decided on this day may be published; ``date.max`` where no rule was read.

    Its class is the ministry's to fix, so the longest of all classes is the one bound that holds for certain.
    """
    months = [regime.max_months for regime in _regimes(agreement, decided, demonstration)]
    return months_later(decided, max(months)) if months else date.max


def _regimes(agreement: Agreement, decided: date, demonstration: bool) -> list[Regime]:
    return [
        regime
        for regime in agreement.regimes.values()
        if regime.first <= decided
        and (regime.last is None or decided <= regime.last)
        and _counts(regime.status, demonstration)
    ]


def _counts(status: str, demonstration: bool) -> bool:
    return status == "confirmed" or demonstration
