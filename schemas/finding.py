"""The finding 失信认定: one organ's decision about one organisation, as its place's bureau determined it.

Columns are those of the 双公示 penalty record (发改办财金〔2018〕424号). Free text that may name persons
(CF_SY, CF_NR, BZ) has no field here. Three ends are kept apart: of publicity 公示, of query 查询 (five years
in Shanghai, 上海市社会信用条例 Art. 35) and of the measures 惩戒; none says anything about the others.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from schemas.base import CONTROLS, Body, Code, Day, LeafHex, Money, RegionCode, ShortText, Text, Uscc
from schemas.organisation import Subject
from schemas.text import says_no_number

_NUMBER = rf"^[^\s{CONTROLS}\uff01-\uff5ea-z()\[\]{{}}【】〖〗﹝﹞﹙﹚‐‑‒–—―−﹣]+$"
"""What ``text.normalise_number`` leaves: no blanks, one style of brackets and dashes, half-width capitals."""


def _says_a_number(number: str) -> str:
    if says_no_number(number):
        raise PydanticCustomError("placeholder_number", "The number says that there is none: it makes no key.")
    return number


class Key(Body):
    """The natural key 自然键, with the organisation: by it one decision is known again in any log."""

    model_config = ConfigDict(title="认定的自然键")

    organ: Uscc = Field(description="处罚机关统一社会信用代码（CF_CFJGDM）")
    number: Annotated[str, AfterValidator(_says_a_number)] = Field(
        min_length=1,
        max_length=128,
        pattern=_NUMBER,
        description="行政处罚决定书文号（CF_WSH），括号、全半角统一后",
    )
    date: Day = Field(description="处罚决定日期（CF_JDRQ）")
    normaliser: int = Field(ge=1, le=1_000_000, description="文号统一规则的版本")


class SourceRow(Body):
    """Where the row stands at home 来源: enough for the issuer to find it, nothing for others to read."""

    model_config = ConfigDict(title="来源记录")

    id: Code = Field(description="来源系统标识")
    row: ShortText = Field(min_length=1, description="来源系统中的行标识")


class Amount(Body):
    """Money in CNY; null where the decision orders none."""

    model_config = ConfigDict(title="金额")

    fine: Money | None = Field(description="罚款金额（CF_NR_FK），元")
    confiscated: Money | None = Field(description="没收金额（CF_NR_WFFF），元")


class Ends(Body):
    """Three ends that must not be taken for one another; null where none is stated."""

    model_config = ConfigDict(title="三种期限")

    publicity: Day | None = Field(description="公示截止日期（CF_GSJZQ）")
    query: Day | None = Field(description="查询截止日期")
    measures: Day | None = Field(description="惩戒或处罚有效期截止日期（CF_YXQ）")


class Grounds(Body):
    """By what a person at the determining bureau confirmed a proposal 认定依据: the rule, and the records counted."""

    model_config = ConfigDict(title="认定依据")

    rule: Code = Field(description="提出该认定的规则：判定条件标识，或累计标准的代码")
    records: list[LeafHex] = Field(max_length=64, description="计入的记录，以认定条目的叶子散列表示")
    confirmed_by: Code = Field(description="确认该认定的操作账号编号")


class Finding(Body):
    """Body of ``finding.issued`` and ``finding.amended``."""

    model_config = ConfigDict(title="失信认定")

    schema_: Literal["finding/1.0"] = Field(alias="schema", description="数据结构名称及版本")
    subject: Subject
    key: Key
    place: RegionCode = Field(description="属地：认定所属的行政区划，不由机关名称推出")
    source: SourceRow
    local_code: str = Field(
        max_length=64,
        pattern=rf"^[^{CONTROLS}]*$",
        description="本地认定代码；为空即未作认定，须人工处理",
    )
    criterion: Code | None = Field(description="协议中的失信行为标准代码；未能对应时为空")
    legal_basis: Text = Field(description="处罚依据（CF_YJ）")
    kinds: list[Annotated[ShortText, Field(min_length=1)]] = Field(max_length=32, description="处罚类别（CF_CFLB）")
    amount: Amount
    violation: Text = Field(description="违法行为类型（CF_WFXW）")
    decided_on: Day = Field(description="处罚决定日期")
    published_on: Day = Field(description="公示日期")
    ends: Ends
    grounds: Grounds | None = Field(
        default=None, description="由规则提出、经人工确认的认定依据；本地代码自行认定的不写此项"
    )
