"""Honours 守信荣誉 and incentives 守信激励 as facts: the shapes of their tables."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from syncd.agreement.kinds import STRICT, Code, RegionCode, Status, Words


@dataclass(frozen=True, slots=True)
class Honour:
    """A recognition 红名单、A级、白名单 that an organ of a member grants and publishes."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: Code
    name_zh: Words
    name_en: Words
    status: Status
    provenance: Words


@dataclass(frozen=True, slots=True)
class Incentive:
    """What a department may offer 激励措施: never an order, so it needs no basis; ``regions`` None = all members."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: Code
    name_zh: Words
    name_en: Words
    status: Status
    provenance: Words
    regions: tuple[RegionCode, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reward:
    """What a region offers to whom an honour names 激励规则; ``months`` count from the day it was granted."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: Code
    honour: Code
    months: Annotated[int, Field(ge=1, le=60)]
    incentives: Annotated[tuple[Code, ...], Field(min_length=1)]
