"""The agreement 协议 as facts: criteria, measures, legal bases and what each region makes of them.

Models hold, verbs act: nothing here decides. Each class is also the shape of a table in the agreement's
TOML files; ``load`` checks them strictly, so an unknown field or a wrong type never gets this far. Days
are in Asia/Shanghai, inclusive at both ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from syncd.agreement.honours import Honour, Incentive
from syncd.agreement.kinds import STRICT, Code, MeasureKind, RegionCode, Status, SubjectType, Words
from syncd.agreement.law import Doubt, LegalBasis, PenaltyClass, Regime
from syncd.agreement.local import Region


@dataclass(frozen=True, slots=True)
class Label:
    """A name of the agreement's own order: an aspect 方面 or a category 类别 of measures."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: Code
    name_zh: Words
    name_en: Words
    provenance: Words
    note: str = ""


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """A class of organisations 主体类别 that the agreement speaks of; persons are none."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: SubjectType
    name_zh: Words
    name_en: Words
    provenance: Words


@dataclass(frozen=True, slots=True)
class Scale:
    """A rating scale 信用等级: its grades are plain records, and are never turned into another scale.

    A grade means something only where a local code of a region says so in its own row.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: Code
    name_zh: Words
    name_en: Words
    grades: Annotated[tuple[Words, ...], Field(min_length=2)]
    applies_to: Annotated[tuple[SubjectType, ...], Field(min_length=1)]
    provenance: Words


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a provenance such as ``found: E4`` points to 出处."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: Code
    title: Words
    address: Words


@dataclass(frozen=True, slots=True)
class Repeated:
    """累计: so many penalties of one organisation for one type of violation 违法行为类型 within a year.

    ``window``: any twelve months, or one calendar year. ``scope``: the records of the bureau itself, or of all
    members. ``among``: only findings of these criteria count; empty = every penalty does.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: Literal["repeated"]
    at_least: Annotated[int, Field(ge=2, le=20)]
    window: Literal["rolling_12_months", "calendar_year"]
    scope: Literal["own", "all"]
    status: Status
    provenance: Words
    among: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class Unperformed:
    """逾期未履行: three clocks have run out: performance, reconsideration 复议 and lawsuit 诉讼.

    The last two count from the day of service 送达 (行政复议法 Art. 20, 行政诉讼法 Art. 46).
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: Literal["unperformed"]
    reconsideration_days: Annotated[int, Field(ge=1, le=366)]
    lawsuit_months: Annotated[int, Field(ge=1, le=24)]
    status: Status
    provenance: Words


@dataclass(frozen=True, slots=True)
class Linked:
    """关联: the decision names another one, by which another organisation was penalised."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: Literal["linked"]
    scope: Literal["own", "all"]
    status: Status
    provenance: Words


Aggregate = Repeated | Unperformed | Linked
"""What makes a criterion of several facts 累计标准; it only ever proposes."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion of severe dishonesty 严重失信行为认定标准; ``outside`` = not one of the agreement's own.

    ``aggregate``: it can be proposed from several facts; a bureau's own determination needs none of them.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: Code
    name_zh: Words
    name_en: Words
    applies_to: Annotated[tuple[SubjectType, ...], Field(min_length=1)]
    status: Status
    provenance: Words
    outside: bool = False
    evidence_zh: str = ""
    note: str = ""
    aggregate: Annotated[Aggregate, Field(discriminator="kind")] | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of joint punishment 惩戒措施.

    ``regions`` None = all members. ``persons``: the source also names acts on persons, which are never
    carried. ``responder``: departments by their usual names; which one acts in a region stands in
    ``Region.responders``. ``max_months``: the longest it may last, from the day of the decision.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: Code
    category: Code
    aspect: Code
    kind: MeasureKind
    name_zh: Words
    name_en: Words
    applies_to: Annotated[tuple[SubjectType, ...], Field(min_length=1)]
    persons: bool
    responder: tuple[Words, ...]
    status: Status
    provenance: Words
    regions: tuple[RegionCode, ...] | None = None
    outside: bool = False
    max_months: Annotated[int, Field(ge=1, le=60)] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a credit review is for 审查用途, and which measures touch it: whole categories, or single ones."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: Code
    name_zh: Words
    name_en: Words
    status: Literal["confirmed", "illustrative"]
    provenance: Words
    categories: tuple[Code, ...] = ()
    measures: tuple[Code, ...] = ()
    incentives: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """One version of the agreement; hashed by identity, since it is loaded once and is the key of caches.

    ``files``: the bytes it was read from, by path, so that a node can keep the text by which it judged.
    """

    id: str
    version: int
    digest: str
    title_zh: str
    title_en: str
    effective_from: date
    members: tuple[str, ...]
    aspects: Mapping[str, Label]
    categories: Mapping[str, Label]
    sources: Mapping[str, Citation]
    criteria: Mapping[str, Criterion]
    measures: Mapping[str, Measure]
    bases: Mapping[str, LegalBasis]
    regions: Mapping[str, Region]
    doubts: tuple[Doubt, ...] = ()
    regimes: Mapping[str, Regime] = field(default_factory=dict)
    classes: tuple[PenaltyClass, ...] = ()
    purposes: Mapping[str, Purpose] = field(default_factory=dict)
    subject_types: Mapping[str, SubjectKind] = field(default_factory=dict)
    scales: Mapping[str, Scale] = field(default_factory=dict)
    honours: Mapping[str, Honour] = field(default_factory=dict)
    incentives: Mapping[str, Incentive] = field(default_factory=dict)
    field_zh: str = ""
    note: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def tag(self) -> str:
        """How a leaf names this version: ``<id>@<version>#<first 16 hex of the digest>``."""
        return f"{self.id}@{self.version}#{self.digest[:16]}"
