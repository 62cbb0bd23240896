"""What every body is made of: one strict frozen model and the annotated types of its fields.

A body is the ``body`` of a disclosure: JSON of known fields only, nothing converted, no field left out (an
unknown value is ``null``), since its bytes are committed to by hash. Titles and descriptions are Chinese
because they are published as JSON Schema for the bureaus' own systems.
"""

from datetime import date
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.dates import NO_DAYS, InvalidDay
from schemas.identifiers import InvalidIdentifier, canonical_uscc, is_sole_proprietor

SCHEMA_VERSION = "1.0"
"""Version of every family of bodies here; a reader holds, and does not judge, a newer one."""

_CACHED = 4_096
_INTEGER_LIMIT = 2**53 - 1
CONTROLS = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"


def line_pattern(barred: str = "") -> str:
    """One line of text without control characters, without blanks at its ends, without the barred ones."""
    return rf"^[^\s{CONTROLS}{barred}]([^{CONTROLS}{barred}]*[^\s{CONTROLS}{barred}])?$"


def _without_docstring(schema: dict[str, Any]) -> None:
    """Docstrings are for readers of Python; what is published speaks by Chinese titles and descriptions."""
    schema.pop("description", None)


class Body(BaseModel):
    """A part of a body: strict, frozen, no unknown fields."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        json_schema_extra=_without_docstring,
    )


@lru_cache(_CACHED)
def _stored_day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidDay("no_such_day", "The calendar has no such day.") from None
    if day in NO_DAYS:
        raise InvalidDay("sentinel", "The day only stands for a missing one and may not be passed on.")
    return text


@lru_cache(_CACHED)
def _stored_uscc(text: str) -> str:
    if canonical_uscc(text) != text:
        raise InvalidIdentifier("not_canonical", "The code is not in the one form that is stored.")
    return text


@lru_cache(_CACHED)
def _organisation_uscc(text: str) -> str:
    if is_sole_proprietor(_stored_uscc(text)):
        raise InvalidIdentifier("sole_proprietor", "The code is a sole proprietor's; organisations only.")
    return text


# The length comes first: without it a peer's text of any size would stay in the cache behind the validator.
Uscc = Annotated[
    str,
    Field(
        max_length=18,
        description="统一社会信用代码，18位，两个校验码均须正确（GB 32100-2015、GB 11714）",
        json_schema_extra={"pattern": "^[1-9ANY][1-9][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$"},
    ),
    AfterValidator(_stored_uscc),
]
OrganisationUscc = Annotated[
    str,
    Field(
        max_length=18,
        description="法人或非法人组织的统一社会信用代码；不含自然人和个体工商户",
        json_schema_extra={"pattern": "^([1-8ANY][1-9]|9[13-9])[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$"},
    ),
    AfterValidator(_organisation_uscc),
]
Day = Annotated[
    str,
    Field(
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description="日期，北京时间，起止日均含当日；不得为1900-01-01、2099-12-31、9999-12-31",
        json_schema_extra={"format": "date"},
    ),
    AfterValidator(_stored_day),
]
Money = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,15})\.[0-9]{2}$", description="人民币元，两位小数的十进制文本")]
RegionCode = Annotated[str, Field(pattern="^[1-9][0-9]{5}$", description="行政区划代码（GB/T 2260，六位）")]
LeafHex = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="所指条目的叶子散列，SHA-256，小写十六进制")]
Code = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_.:/@#-]{0,63}$", description="代码，不含自由文字")]
Count = Annotated[int, Field(ge=0, le=_INTEGER_LIMIT, description="非负整数")]
Name = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=line_pattern(), description="名称"),
]
Text = Annotated[str, Field(max_length=2048, pattern=rf"^[^{CONTROLS}]*$", description="单行文字")]
ShortText = Annotated[str, Field(max_length=128, pattern=rf"^[^{CONTROLS}]*$", description="单行短文字")]
Knew = Annotated[
    dict[
        Annotated[str, Field(pattern="^[a-z0-9-]+/[1-9][0-9]{5}/[1-9][0-9]{0,8}$", description="日志名")],
        Count,
    ],
    Field(description="作出时已知各日志的长度：日志名（协议/行政区划/期次）对应条目数"),
]
