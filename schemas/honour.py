"""The honour 守信荣誉: an organ's published recognition that an organisation keeps faith 守信, with an end.

An honour is no finding: a reader that does not know this kind holds it, and can never take it for a restriction. It is
withdrawn by its own log with a body of relief.
"""

from typing import Literal

from pydantic import ConfigDict, Field

from schemas.base import Body, Code, Day, RegionCode
from schemas.finding import Key
from schemas.organisation import Subject


class Honour(Body):
    """Body of ``honour.granted``."""

    model_config = ConfigDict(title="守信荣誉")

    schema_: Literal["honour/1.0"] = Field(alias="schema", description="数据结构名称及版本")
    subject: Subject
    key: Key
    place: RegionCode = Field(description="属地：授予所属的行政区划")
    honour: Code = Field(description="协议中的荣誉代码，如红名单")
    granted_on: Day = Field(description="授予日期")
    published_on: Day = Field(description="公示日期")
    until: Day = Field(description="有效期截止日期")
