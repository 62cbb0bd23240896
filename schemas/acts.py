"""What people did to the system itself: an operator's act 操作 and the erasure 删除 of what was said.

Names and free text stay in the node's own store; here stand account numbers and codes.
"""

from typing import Literal

from pydantic import ConfigDict, Field

from schemas.base import Body, Code, Count, Day


class OperatorAct(Body):
    """Body of ``operator.acted``: who moved which cursor, released or refused what, and on which ground."""

    model_config = ConfigDict(title="操作记录")

    schema_: Literal["operator/1.0"] = Field(alias="schema", description="数据结构名称及版本")
    act: Code = Field(description="操作代码")
    stage: Literal["collect", "share", "recognise", "restrict"] | None = Field(
        description="阶段：归集、共享、互认、受限"
    )
    peer: Code | None = Field(description="对方成员的行政区划代码")
    from_: Count | Code | None = Field(alias="from", description="操作前的位置")
    to: Count | Code | None = Field(description="操作后的位置")
    account: Count = Field(description="操作账号编号")
    ground: Code = Field(description="理由代码")


class Erasure(Body):
    """Body of ``erasure.ordered`` and ``erasure.done`` (行政处罚法 Art. 48; 上海市社会信用条例 Art. 37)."""

    model_config = ConfigDict(title="删除指令及办结")

    schema_: Literal["erasure/1.0"] = Field(alias="schema", description="数据结构名称及版本")
    ground: Code = Field(description="理由代码")
    order: Code | None = Field(description="作出删除决定的文书编号（代码）；无编号时为空")
    due: Day | None = Field(description="办结期限")
