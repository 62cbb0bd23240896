"""Relief 信用修复、撤销、异议 and its reverse: what an issuer says about its own finding afterwards.

Relief acts from the leaf alone (its kind and what it refers to); this body only narrows it, and where it is
missing or unreadable the widest reading holds. So nothing here can make relief fail.
"""

from typing import Literal

from pydantic import ConfigDict, Field

from schemas.base import Body, Code, Day, LeafHex, ShortText


class Relief(Body):
    """Body of every ``relief.*``, of ``finding.upheld``, ``finding.resumed`` and ``objection.received``."""

    model_config = ConfigDict(title="修复、撤销、异议及其恢复")

    schema_: Literal["relief/1.0"] = Field(alias="schema", description="数据结构名称及版本")
    ground: Code = Field(description="理由代码")
    by: Code = Field(description="作出机关或岗位的代码")
    document: ShortText | None = Field(description="文书号")
    received_on: Day | None = Field(description="收到材料日期")
    effective_from: Day | None = Field(description="生效日期；为空时自登记之时起")
    clears: list[LeafHex] = Field(default=[], max_length=256, description="所解除的标记（恢复或维持时）；其他标记不变")
