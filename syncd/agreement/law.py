"""What the law says of measures and publicity 法律依据、公示期, as facts that were read and dated.

Each class is also the shape of a table in ``bases.toml``, ``doubts.toml`` or ``publicity.toml``.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from syncd.agreement.kinds import STRICT, BasisKind, Code, RegionCode, Severity, Status, Strength, SubjectType, Words


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is wrong with the law behind a measure 依据存疑、无依据, as found when the articles were read.

    ``regions`` None = all members, ``subject_types`` None = every type that the measure reaches. Shown wherever the
    measure is shown; what acts is decided by ``LegalBasis`` alone.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    measure: Code
    standing: Literal["doubtful", "without_basis"]
    why_en: Words
    why_zh: str = ""
    regions: tuple[RegionCode, ...] | None = None
    subject_types: tuple[SubjectType, ...] | None = None


@dataclass(frozen=True, slots=True)
class Regime:
    """How long a penalty of one class is published 公示期, for decisions of certain days; ``last`` None = still so.

    ``status`` candidate: from memory or a press summary; never in force outside a demonstration.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: Code
    severity: Severity
    first: date
    min_months: Annotated[int, Field(ge=0, le=60)]
    max_months: Annotated[int, Field(ge=0, le=60)]
    status: Status
    provenance: Words
    last: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class PenaltyClass:
    """Which class a kind of penalty 处罚类别 has; the highest of a decision's kinds counts."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    severity: Severity
    kinds: Annotated[tuple[Words, ...], Field(min_length=1)]
    status: Status
    provenance: Words


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """One article that was read 法律依据; ``region`` None = all, ``valid_to`` None = no end known.

    ``max_duration`` says in words how long it carries the measure; ``max_months`` says so where it is a plain term.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: Code
    measure: Code
    subject_types: Annotated[tuple[SubjectType, ...], Field(min_length=1)]
    instrument: Words
    kind: BasisKind
    strength: Strength
    valid_from: date
    condition_zh: Words
    provenance: Annotated[str, Field(pattern=r"^read: .")]
    region: RegionCode | None = None
    valid_to: date | None = None
    article: str | None = None
    quote_zh: str = ""
    condition_en: str = ""
    max_duration: str = ""
    max_months: Annotated[int, Field(ge=1, le=60)] | None = None
    note: str = ""
