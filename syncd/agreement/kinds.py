"""Types of fields that all tables of the agreement share: codes, words, and the closed lists of the field.

Days are in Asia/Shanghai, inclusive at both ends.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

Json = dict[str, Any]

SubjectType = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,31}$")]
"""主体类别: a class of organisations that the agreement lists. Persons are no subjects here."""

Status = Literal["confirmed", "candidate"]
"""confirmed: quoted by a source on the agreement; candidate 候选: a reconstruction, never its text."""

MeasureKind = Literal["binding", "discretionary", "advisory"]
"""约束: an organ applies it; 裁量: weighed in a decision made anyway; 建议: may only be recommended."""

Mode = Literal["automatic", "review"]
"""review 人工复核: waits on the desk until a person releases it."""

Outcome = Literal["determined", "proposed", "not_severe"]
"""认定: the bureau's own decision carries it; 待认定: a rule derived it, a person decides; 未达严重: a plain record."""

Severity = Literal["minor", "general", "severe"]
"""轻微, 一般, 严重: classes of a penalty for its publicity (信用修复管理办法, from 2026-04-01)."""

BasisKind = Literal[
    "law",
    "administrative_regulation",
    "local_regulation",
    "department_rule",
    "central_policy",
    "normative_document",
]
"""法律, 行政法规, 地方性法规, 部门规章, 中央政策; 规范性文件 never suffices alone (国办发〔2020〕49号)."""

Strength = Literal["requires", "allows", "mentions"]
"""应当, 可以 (or 鼓励, for private bodies), and a mention that gives no power."""

RegionCode = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$")]
Words = Annotated[str, Field(min_length=1)]
STRICT = ConfigDict(extra="forbid", strict=True)
"""An unknown field or a wrong type is refused, never converted."""
