"""The agreement 协议 as facts: criteria, measures, legal bases and what each region makes of them.

Models hold, verbs act: nothing here decides. Each class is also the shape of a table in the agreement's
TOML files; ``load`` checks them strictly, so an unknown field or a wrong type never gets this far. Days
are in Asia/Shanghai, inclusive at both ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

Json = dict[str, Any]

SubjectType = Literal["POLLUTER", "MONITORING_AGENCY", "AUTO_MONITOR_OPERATOR"]
"""排污企业, 环境监测社会化服务机构, 污染源自动监控设施运维机构. Persons are no subjects here."""

Status = Literal["confirmed", "candidate"]
"""confirmed: quoted by a source on the agreement; candidate 候选: a reconstruction, never its text."""

MeasureKind = Literal["binding", "discretionary", "advisory"]
"""约束: an organ applies it; 裁量: weighed in a decision made anyway; 建议: may only be recommended."""

Mode = Literal["automatic", "review"]
"""review 人工复核: waits on the desk until a person releases it."""

BasisKind = Literal[
    "law",
    "administrative_regulation",
    "local_regulation",
    "department_rule",
    "central_policy",
    "normative_document",
]
"""法律, 行政法规, 地方性法规, 部门规章, 中央政策; 规范性文件 never suffices alone (国办发〔2020〕49号)."""

Strength = Literal["requires", "allows", "mentions"]
"""应当, 可以 (or 鼓励, for private bodies), and a mention that gives no power."""

RegionCode = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$")]
Words = Annotated[str, Field(min_length=1)]
_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class Label:
    """A name of the agreement's own order: an aspect 方面 or a category 类别 of measures."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    code: Code
    name_zh: Words
    name_en: Words
    provenance: Words
    note: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a provenance such as ``found: E4`` points to 出处."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    code: Code
    title: Words
    address: Words


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion of severe dishonesty 严重失信行为认定标准; ``outside`` = not one of the agreement's own."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    code: Code
    name_zh: Words
    name_en: Words
    applies_to: Annotated[tuple[SubjectType, ...], Field(min_length=1)]
    status: Status
    provenance: Words
    outside: bool = False
    evidence_zh: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of joint punishment 惩戒措施.

    ``regions`` None = all members. ``persons``: the source also names acts on persons, which are never
    carried. ``responder``: departments by their usual names; which one acts in a region stands in
    ``Region.responders``.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
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
    note: str = ""


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """One article that was read 法律依据; ``region`` None = all, ``valid_to`` None = no end known."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
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
    note: str = ""


@dataclass(frozen=True, slots=True)
class LocalCode:
    """A bureau's own code of a determination 本地认定代码; no criterion where it is not severe."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    code: Code
    subject_type: SubjectType
    meaning_zh: Words
    severe: bool
    status: Literal["confirmed", "illustrative"]
    criterion: Code | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What a region does about a criterion 互认规则; ``months`` count from the day of the decision."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    id: Code
    criterion: Code
    region: RegionCode
    mode: Mode
    months: Annotated[int, Field(ge=1, le=60)]
    measures: Annotated[tuple[Code, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Region:
    """How a member reads the agreement: local codes by code, rules by criterion, departments by measure."""

    code: str
    name_zh: str
    name_en: str
    department: str
    illustrative: bool
    local_codes: Mapping[str, LocalCode]
    rules: Mapping[str, Rule]
    responders: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """One version of the agreement; hashed by identity, since it is loaded once and is the key of caches."""

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
    note: str = ""

    @property
    def tag(self) -> str:
        """How a leaf names this version: ``<id>@<version>#<first 16 hex of the digest>``."""
        return f"{self.id}@{self.version}#{self.digest[:16]}"
