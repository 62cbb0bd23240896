"""The organisation 信用主体 that findings are about: legal persons and unincorporated organisations only.

The code decides who it is; the name may change while the code stays, and equal names are only a suggestion.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from schemas.base import Body, OrganisationUscc, line_pattern


def _no_person(code: str) -> str:
    if "PERSON" in code:
        raise PydanticCustomError("person", "Persons are no subjects of a finding.")
    return code


SubjectType = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,31}$"), AfterValidator(_no_person)]
"""A class of organisations that an agreement speaks of; which there are is the agreement's to say, not the schema's."""

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
    type: SubjectType | None = Field(description="主体类别代码，见所属协议；由认定代码确定，未确定时为空")
