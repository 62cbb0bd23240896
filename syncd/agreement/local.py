"""How one member reads the agreement 地区对应文件: its codes, conditions, rules, departments and test cases.

Each class is also the shape of a table in ``regions/<code>.toml``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from syncd.agreement.honours import Reward
from syncd.agreement.kinds import STRICT, Code, Mode, Outcome, RegionCode, Status, SubjectType, Words


@dataclass(frozen=True, slots=True)
class LocalCode:
    """A bureau's own code of a determination 本地认定代码; no criterion where it is not severe.

    A code whose meaning depends on the record has no criterion here, is not severe, and has ``Condition`` rows.
    ``scale``, ``grade``: it is a grade of a rating scale 信用等级; by itself nothing follows from it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: Code
    subject_type: SubjectType
    meaning_zh: Words
    severe: bool
    status: Literal["confirmed", "illustrative"]
    criterion: Code | None = None
    scale: Code | None = None
    grade: Words | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """What a local code means for the records that meet ``when`` 判定条件 (CEL over ``names``); none = all others.

    ``status`` candidate: acts only in a demonstration, as long as the bureau has not confirmed it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: Code
    code: Code
    outcome: Outcome
    status: Status
    when: Words | None = None
    criterion: Code | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a region does about a criterion 互认规则; ``months`` count from the day of the decision.

    ``persons``: how many different people must release it where ``mode`` is review.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: Code
    criterion: Code
    region: RegionCode
    mode: Mode
    months: Annotated[int, Field(ge=1, le=60)]
    measures: Annotated[tuple[Code, ...], Field(min_length=1)]
    persons: Literal[1, 2] = 1


@dataclass(frozen=True, slots=True)
class Given:
    """The record of a test case; what is left out is as in a plain penalty of the region itself.

    ``place``: another member's record. ``same_violation_12m``, ``penalties_12m``: how many the register holds.
    ``day``: the day on which the region answers. ``demonstration``: candidates act.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    local_code: str
    decided_on: date
    day: date
    place: RegionCode | None = None
    subject_type: SubjectType | None = None
    kinds: tuple[Words, ...] = ("罚款",)
    fine_cny: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]{2}$")] | None = None
    confiscated_cny: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]{2}$")] | None = None
    violation: str = ""
    legal_basis: str = ""
    publicity_ends: date | None = None
    same_violation_12m: Annotated[int, Field(ge=1)] = 1
    penalties_12m: Annotated[int, Field(ge=1)] = 1
    demonstration: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come of it: the outcome at home, and what this region answers; what is left out is not asked."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    outcome: Literal["determined", "proposed", "not_severe", "unmapped"]
    criterion: Code | None = None
    by: Code | None = None
    answer: Literal["impose", "hold"] | None = None
    reason: str | None = None
    measures: tuple[Code, ...] | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class TestCase:
    """A test case 测试用例 that lives in the region's mapping file: given–expect."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    __test__: ClassVar[bool] = False  # pytest must not take it for one of its own
    title: Words
    given: Given
    expect: Expected


@dataclass(frozen=True, slots=True)
class Region:
    """How a member reads the agreement: local codes by code, rules by criterion, rewards by honour, departments.

    ``conditions`` by local code: what the code means for which records. ``cases``: what the region expects of it all.
    """

    code: str
    name_zh: str
    name_en: str
    department: str
    illustrative: bool
    local_codes: Mapping[str, LocalCode]
    rules: Mapping[str, Rule]
    responders: Mapping[str, str]
    conditions: Mapping[str, tuple[Condition, ...]] = field(default_factory=dict)
    cases: tuple[TestCase, ...] = ()
    rewards: Mapping[str, Reward] = field(default_factory=dict)
