"""Which article carries a measure 法律依据: only rows that were read, of a kind and strength that give power.

Rule (国办发〔2020〕49号): a law, administrative regulation, local regulation of that very region,
department rule or central policy that requires or allows the measure and is in force on the day.
Normative documents 规范性文件 and mere mentions never suffice, however many there are.
"""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from syncd.agreement.kinds import MeasureKind
from syncd.agreement.law import Doubt, LegalBasis
from syncd.agreement.model import Agreement, Measure

SUFFICIENT_KINDS = (
    "law",
    "administrative_regulation",
    "local_regulation",
    "department_rule",
    "central_policy",
)
"""In the order in which they are cited; a ``normative_document`` is not among them."""

SUFFICIENT_STRENGTHS = ("requires", "allows")
ADVISED_ASPECTS = frozenset({"MKT", "IND"})

Standing = Literal["carried", "doubtful", "without_basis", "advised"]
"""有依据; 存疑: an article is there and open to challenge; 无依据: no effect; 建议: advice, which needs none."""


def bases_in_force(
    agreement: Agreement, measure: str, region: str, day: date, subject_type: str | None = None
) -> list[LegalBasis]:
    """Every row that carries the measure in the region on ``day``, the one to cite first.

    First what lasts longest, so that a repealed article cuts nothing another still carries; then the
    region's own law before the general, a duty before a permission, the higher before the lower, the
    later before the earlier. ``subject_type`` None asks for any type of organisation.
    """
    rows = [
        row
        for row in _carrying(agreement, measure, region, day)
        if subject_type is None or subject_type in row.subject_types
    ]
    return sorted(rows, key=_citing_order)


def doubts_of(agreement: Agreement, measure: str, region: str, subject_type: str | None = None) -> list[Doubt]:
    """What was found wrong with the law behind the measure in the region 依据存疑、无依据; shown, never deciding."""
    return [
        one
        for one in agreement.doubts
        if one.measure == measure
        and region in (one.regions or (region,))
        and (subject_type is None or subject_type in (one.subject_types or (subject_type,)))
    ]


def standing_of(agreement: Agreement, measure: str, region: str, day: date, subject_type: str) -> Standing:
    """How the measure stands in law for a type of organisation in the region on the day, as it is shown everywhere."""
    if kind_of(agreement.measures[measure]) == "advisory":
        return "advised"
    if not bases_in_force(agreement, measure, region, day, subject_type):
        return "without_basis"
    doubts = doubts_of(agreement, measure, region, subject_type)
    return "doubtful" if any(one.standing == "doubtful" for one in doubts) else "carried"


def kind_of(measure: Measure) -> MeasureKind:
    """约束、裁量、建议: what is asked of the market or an industry is advice, whatever the row says."""
    return "advisory" if measure.aspect in ADVISED_ASPECTS else measure.kind


def _carrying(agreement: Agreement, measure: str, region: str, day: date) -> Iterator[LegalBasis]:
    for row in agreement.bases.values():
        if (
            row.measure == measure
            and row.region in (None, region)
            and row.kind in SUFFICIENT_KINDS
            and row.strength in SUFFICIENT_STRENGTHS
            and row.valid_from <= day
            and (row.valid_to is None or day <= row.valid_to)
        ):
            yield row


def _citing_order(row: LegalBasis) -> tuple[int, bool, int, int, int, str]:
    return (
        -(row.valid_to or date.max).toordinal(),
        row.region is None,
        SUFFICIENT_STRENGTHS.index(row.strength),
        SUFFICIENT_KINDS.index(row.kind),
        -row.valid_from.toordinal(),
        row.id,
    )
