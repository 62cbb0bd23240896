"""What happened to a restriction at home: the notice to the company 告知 and the departments' feedback 反馈.

Feedback carries codes only: a department's opinion in words stays in the department.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from schemas.base import Body, Code, Count, Day, LeafHex, Name


class Notice(Body):
    """Body of ``notice.served``: the company was told (上海市社会信用条例 Art. 32)."""

    model_config = ConfigDict(title="告知")

    schema_: Literal["notice/1.0"] = Field(alias="schema", description="数据结构名称及版本")
    on: Day = Field(description="送达日期")
    means: Code = Field(description="送达方式代码")


class Feedback(Body):
    """Body of ``feedback.reported``, or one item of a batch; there ``about`` names the answer (``restriction.*``)."""

    model_config = ConfigDict(title="执行反馈")

    schema_: Literal["feedback/1.0"] = Field(alias="schema", description="数据结构名称及版本")
    about: LeafHex | None = Field(description="所反馈的本地回应（restriction.*）之叶哈希；单独成条时为空，由条目指明")
    measure: Code = Field(description="惩戒措施代码")
    department: Annotated[Name, Field(max_length=128)] = Field(description="反馈部门")
    state: Literal["applied", "not_applicable", "refused", "lifted"] = Field(description="已执行、不适用、拒绝、已解除")
    on: Day = Field(description="反馈日期")
    matter: Code | None = Field(description="所用事项代码")
    effect: Code | None = Field(description="效果代码")
    counter: Count = Field(description="所反馈的版本号")
