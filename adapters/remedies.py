"""How each fault of a row is mended 处置办法: who must act, and what to do, in English and Chinese.

The desk groups its quarantine by these causes; a test holds the table complete. After mending nobody needs to do
anything more: the row is read again by itself and leaves the quarantine. A row or file that is taken away instead
leaves it with the next full reading.
"""

from typing import Literal, NamedTuple

Turn = Literal["source", "page", "maintainer"]
"""Whose turn it is: the source's clerk, whoever keeps the facts page, or syncd's maintainer."""

INCOMPLETE = frozenset({"missing", "empty", "placeholder", "sentinel"})
"""Causes that count against completeness 完整率; all others count against validity 合规率."""


class Remedy(NamedTuple):
    """Whose turn it is, and what to do."""

    turn: Turn
    english: str
    chinese: str


_UNKNOWN = Remedy(
    "maintainer", "The cause has no remedy of its own yet; read the item's sentence.", "该原因尚无办法，请看条目说明。"
)
REMEDIES: dict[str, Remedy] = {
    "missing": Remedy("source", "Fill the column in and save the row.", "补填该字段并保存该行。"),
    "placeholder": Remedy(
        "source",
        "Write the real number of the decision; 无, 不详, / and - name none.",
        "填写真实文号，不得以无、不详、/、- 代替。",
    ),
    "sentinel": Remedy(
        "source",
        "Write the real day; 1900-01-01 and the like only stand for a missing one.",
        "填写真实日期，1900-01-01 等仅为占位。",
    ),
    "format": Remedy(
        "source",
        "Write days as 2026-11-22 and amounts as plain numbers in 万元.",
        "日期写作 2026-11-22，金额以万元为单位写数字。",
    ),
    "no_such_day": Remedy("source", "Correct the day: the calendar has none such.", "更正日期：历法上无此日。"),
    "in_future": Remedy("source", "Correct the day: it lies after today.", "更正日期：晚于今日。"),
    "before_decision": Remedy(
        "source",
        "Correct the days: one lies before the decision.",
        "核对日期：公示或截止日早于决定日。",
    ),
    "stamped": Remedy(
        "source",
        "Put the legal day back, and stop the database from stamping the column at each edit (ON UPDATE).",
        "恢复法定日期，并取消该列的自动更新时间戳。",
    ),
    "negative": Remedy("source", "Correct the amount: it is negative.", "更正金额：为负数。"),
    "decimals": Remedy(
        "source",
        "Correct the amount: more than six decimals of 万元 are less than a 分.",
        "更正金额：万元小数多于六位。",
    ),
    "too_large": Remedy(
        "source",
        "Check the amount (元 in place of 万元?), or a row larger than 64 KiB.",
        "核对金额单位是否为万元，或该行超过 64 KiB。",
    ),
    "too_long": Remedy(
        "source",
        "Check the column: it holds more than it may, perhaps another column's text.",
        "核对该字段：内容过长，或误填他字段。",
    ),
    "separator": Remedy("source", "Write the code's 18 characters together.", "代码 18 位连写，不加空格或连字符。"),
    "length": Remedy("source", "Correct the code: it has 18 characters.", "更正代码：应为 18 位。"),
    "lower_case": Remedy("source", "Write the code in capitals, as on the licence.", "代码用大写字母，以执照为准。"),
    "alphabet": Remedy(
        "source", "Correct the code: I, O, S, V and Z do not occur in it.", "更正代码：不含 I、O、S、V、Z。"
    ),
    "prefix": Remedy(
        "source", "Correct the code's first eight characters.", "更正代码前八位（登记机关、类别、区划）。"
    ),
    "outer_check": Remedy(
        "source", "Correct the code: its last character does not check (GB 32100).", "更正代码：末位校验不符。"
    ),
    "inner_check": Remedy(
        "source",
        "Correct the code: the organisation code in it does not check (GB 11714).",
        "更正代码：其中组织机构代码校验不符。",
    ),
    "person_id": Remedy(
        "source",
        "A person's number stands where a company's code belongs: correct the code, or mark the row 自然人.",
        "代码处填了身份证号：更正代码，或类别改为自然人。",
    ),
    "sole_proprietor": Remedy("source", "Mark the row 个体工商户; it is not taken.", "类别改为个体工商户；不予归集。"),
    "personal_content": Remedy(
        "source",
        "Take the identity or telephone number out of the column.",
        "删去该字段中的身份证号或电话号码。",
    ),
    "swapped": Remedy("source", "Put the name and the code back into their own columns.", "名称与代码填反，请互换。"),
    "contradicts": Remedy(
        "source",
        "The organisation code is not the one inside the USCC: correct whichever is wrong.",
        "组织机构代码与统一社会信用代码不一致，请更正。",
    ),
    "conflicting": Remedy(
        "source",
        "Two columns of one meaning say different things: empty or correct one.",
        "同义两列内容不一，请清空或更正其一。",
    ),
    "duplicate_key": Remedy(
        "source",
        "Two decisions stand under one row key: give one a key of its own.",
        "两项决定共用一个主键，请另给主键。",
    ),
    "invalid": Remedy(
        "source",
        "Correct the value: it has not the form that the column asks for (a place is six digits).",
        "更正该值：格式不符（属地为六位区划代码）。",
    ),
    "needs_person": Remedy(
        "source", "The row's state needs a person's look in the source.", "该行状态须由人员在来源系统核定。"
    ),
    "unknown_value": Remedy(
        "page",
        "Correct the value in the source; or, where it is right, add it to the facts page and start the node again.",
        "来源更正该值；若无误，补入来源说明并重启。",
    ),
    "unmapped_violation": Remedy(
        "page",
        "Add the local code to [legacy].violations of the facts page, or fill CF_WFXW in.",
        "在来源说明 [legacy] 中补该认定代码之违法行为类型。",
    ),
    "header": Remedy(
        "source",
        "Export the file with one line of column names, each once; or correct columns.row on the facts page.",
        "重新导出：首行为字段名且不重复；或更正来源说明中的主键列名。",
    ),
    "undecodable": Remedy(
        "source",
        "Export the file in an agreed encoding; or add the encoding to the facts page.",
        "按约定编码重新导出；或在来源说明补该编码。",
    ),
    "cells": Remedy(
        "source",
        "Export the file again: a line has more or fewer cells than the header.",
        "重新导出：某行列数与表头不符。",
    ),
    "cut_off": Remedy(
        "source", "Export the file again: a quote stays open or it is damaged.", "重新导出：引号未闭或文件损坏。"
    ),
    "quote": Remedy(
        "source",
        "Export the file again with quotes within a cell doubled; the other lines were read.",
        "重新导出：单元格内的引号须双写；其余各行已读取。",
    ),
    "ambiguous_encoding": Remedy(
        "page",
        "Export the file as UTF-8 with a mark, or agree on one encoding and name it alone on the facts page.",
        "导出为带 BOM 的 UTF-8；或约定一种编码并在来源说明中只写该编码。",
    ),
    "delimiter": Remedy(
        "page",
        "Name the sign that parts the cells on the facts page (files.delimiter).",
        "在来源说明 files.delimiter 写明分隔符。",
    ),
    "rounded_number": Remedy(
        "source",
        "Format the column as text, type the code again, and export the file again: the spreadsheet has rounded it.",
        "将该列设为文本格式，重填代码后重新导出（数字已被表格四舍五入）。",
    ),
    "too_many_rows": Remedy(
        "source",
        "Split the sheet into files of at most 20,000 rows, or export CSV.",
        "拆成每个不超过 2 万行，或导出 CSV。",
    ),
    "locked": Remedy("source", "Export the file without a password.", "去掉密码后重新导出。"),
    "no_workbook": Remedy(
        "source", "Open the file and save it as .xlsx: it only bears that name.", "打开后另存为 .xlsx：该文件名不副实。"
    ),
    "no_sheet": Remedy(
        "page",
        "Correct files.sheet on the facts page, or show the sheet in the workbook.",
        "更正来源说明 files.sheet，或取消隐藏该工作表。",
    ),
    "damaged": Remedy(
        "source",
        "Copy the rows into a new workbook and export it: this one is damaged or has cells far away.",
        "将数据复制到新工作簿后重新导出：原文件损坏或有远处单元格。",
    ),
    "no_table": Remedy(
        "source",
        "Send CSV, XLSX or XLS, plain or zipped; take the other file away and release the item.",
        "报送 CSV、XLSX 或 XLS，可压缩；移走其他文件后核销该条目。",
    ),
    "no_text": Remedy("source", "Rename the file by what it is (.xlsx, .zip).", "按实际格式改名（.xlsx、.zip）。"),
    "no_archive": Remedy("source", "Pack the zip file again, with the usual method.", "用常用方式重新压缩。"),
    "member_path": Remedy(
        "source",
        "Pack the zip file again, without paths that lead out of it.",
        "重新压缩，成员名不得含上级或绝对路径。",
    ),
    "no_access": Remedy(
        "source", "Put the file there again, readable for the node's account.", "重新放置文件，并授予节点账号读取权限。"
    ),
    "not_whole": Remedy(
        "source", "Put the .ok or manifest beside the file once it is whole.", "文件写完后放置 .ok 或清单。"
    ),
    "checksum": Remedy(
        "source", "Send the file and its manifest again: they do not fit.", "文件与清单校验和不符，请一并重发。"
    ),
    "shape": Remedy(
        "source",
        "The interface gives something that is no row of plain columns: its maintainer must look.",
        "接口返回的不是字段平铺的一行，请接口维护人员核查。",
    ),
    "schema": Remedy(
        "source",
        "The shared schema refuses the row; the item's sentence names the field. Correct it in the source.",
        "不符合共享格式，字段见条目说明，请来源更正。",
    ),
    "unreadable": Remedy(
        "maintainer",
        "The row made the program fail; report the item to syncd's maintainer.",
        "程序处理该行出错，请报维护人员。",
    ),
}


def remedy_of(reason: str) -> Remedy:
    """How to mend a cause; a cause that is not in the table says so."""
    return REMEDIES.get(reason, _UNKNOWN)


def is_incomplete(reason: str) -> bool:
    """Whether the cause counts against completeness 完整率."""
    return reason in INCOMPLETE
