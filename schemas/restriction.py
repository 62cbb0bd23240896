"""What a region answers to a finding 互认: restricts, holds, declines or lifts, and why.

Every answer says what the region knew when it gave it (``knew``), so that an auditor can judge it by that.
"""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.base import Body, Code, Day, Knew, LeafHex, Name

MeasureKind = Literal["binding", "discretionary", "advisory"]
"""约束 (must), 裁量 (may), 建议 (advice to bodies that may not be forced: 国办发〔2020〕49号)."""


class HeldDetail(Body):
    """Why one measure, or the finding as a whole, does not take effect yet."""

    model_config = ConfigDict(title="暂缓明细")

    measure: Code | None = Field(description="惩戒措施代码；为空即整条认定")
    reason: Code = Field(description="原因代码")


class Held(Body):
    """Body of ``finding.held``: nothing follows yet, and whom or what it waits for."""

    model_config = ConfigDict(title="暂缓互认")

    schema_: Literal["held/1.0"] = Field(alias="schema", description="数据结构名称及版本")
    reason: Code = Field(description="原因代码")
    details: list[HeldDetail] = Field(max_length=256, description="逐项原因")
    due: Day | None = Field(description="处理期限")
    knew: Knew


class Measure(Body):
    """One measure in force from day to day, both inclusive."""

    model_config = ConfigDict(title="惩戒措施")

    id: Code = Field(description="惩戒措施代码")
    kind: MeasureKind = Field(description="约束、裁量或建议")
    responder: Annotated[Name, Field(max_length=128)] = Field(description="执行部门")
    basis: Code | None = Field(description="法律依据条目标识；建议类可为空")
    from_: Day = Field(alias="from", description="起始日期")
    to: Day = Field(description="截止日期")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.to < self.from_:
            raise PydanticCustomError("ends_before_it_begins", "The measure ends before it begins.")
        return self


class Restriction(Body):
    """Body of ``restriction.imposed``: one for each finding and region."""

    model_config = ConfigDict(title="受限（实施惩戒）")

    schema_: Literal["restriction/1.0"] = Field(alias="schema", description="数据结构名称及版本")
    rule: Code = Field(description="本地区所用对应规则的标识")
    measures: list[Measure] = Field(min_length=1, max_length=256, description="惩戒措施")
    released_by: Code | None = Field(description="人工放行的事项及操作账号编号，如 review:1001；自动实施时为空")
    knew: Knew
    demonstration: bool = Field(description="演示：据未经确认的目录实施，不具效力")
    mark: Annotated[Name, Field(max_length=32)] | None = Field(description="标记，如异议")


class Lifting(Body):
    """Body of ``restriction.lifted`` and ``restriction.declined``."""

    model_config = ConfigDict(title="解除或不予惩戒")

    schema_: Literal["lifting/1.0"] = Field(alias="schema", description="数据结构名称及版本")
    reason: Code = Field(description="原因代码")
    because: LeafHex | None = Field(description="所依据的条目；本地区自行解除时为空")
    due: Day | None = Field(description="执行期限")
    knew: Knew
    demonstration: bool = Field(description="演示：不具效力")
