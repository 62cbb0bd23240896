"""The organisation 信用主体 that findings are about: legal persons and unincorporated organisations only.

The code decides who it is; the name may change while the code stays, and equal names are only a suggestion.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from schemas.base import Body, OrganisationUscc, line_pattern

SubjectType = Literal["POLLUTER", "MONITORING_AGENCY", "AUTO_MONITOR_OPERATOR"]
"""排污企业, 环境监测社会化服务机构, 污染源自动监控设施运维机构: the three classes the agreement speaks of."""

RegisteredName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=line_pattern(r"\u3000\uff01-\uff5e"),
        description="登记名称全称，半角括号",
    ),
]
"""A name as ``text.normalise_name`` leaves it: half-width, so that ``（上海）`` and ``(上海)`` are one."""


class Organisation(Body):
    """An organisation as the shared schema describes it."""

    model_config = ConfigDict(title="信用主体（法人和非法人组织）")

    schema_: Literal["organisation/1.0"] = Field(alias="schema", description="数据结构名称及版本")
    uscc: OrganisationUscc
    name: RegisteredName = Field(description="登记名称全称，半角括号")
    former_names: list[RegisteredName] = Field(description="曾用名称，先旧后新", max_length=64)


class Subject(Body):
    """The organisation within a finding: who it was when the finding was issued."""

    model_config = ConfigDict(title="行政相对人")

    uscc: OrganisationUscc
    name: RegisteredName = Field(description="认定时的登记名称全称")
    type: SubjectType | None = Field(
        description="主体类别：排污企业、监测机构、自动监控运维机构；由认定代码确定，未确定时为空"
    )
