"""The columns of the penalty record 双公示 as data: code, label, other names, and what the border does with each.

The table is the annex of 发改办财金〔2018〕424号 as public implementations of it carry it; codes differ between
systems, so each column answers to its aliases and to its Chinese label too.
"""

from dataclasses import dataclass
from typing import Literal

Duty = Literal["read", "compared", "unused", "personal", "free_text"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: code, Chinese label, the names it has in other systems, and what the border does with it.

    ``read`` goes into the finding; ``compared`` is looked at and left behind; ``unused`` is left behind;
    ``personal`` and ``free_text`` may name persons: only the keyed hash of the row sees them.
    """

    code: str
    zh: str
    duty: Duty
    aliases: tuple[str, ...] = ()


COLUMNS: tuple[Column, ...] = (
    Column("CF_XDR_MC", "行政相对人名称", "read"),
    Column("CF_XDR_LB", "行政相对人类别", "compared"),
    Column("CF_XDR_SHXYM", "行政相对人代码_1（统一社会信用代码）", "read"),
    Column("CF_XDR_GSZC", "行政相对人代码_2（工商注册号）", "compared", ("CF_XDR_GSDJ",)),
    Column("CF_XDR_ZZJG", "行政相对人代码_3（组织机构代码）", "compared", ("CF_XDR_ZDM",)),
    Column("CF_XDR_SWDJ", "行政相对人代码_4（税务登记号）", "compared"),
    Column("CF_XDR_SYDW", "行政相对人代码_5（事业单位证书号）", "compared"),
    Column("CF_XDR_SHZZ", "行政相对人代码_6（社会组织登记证号）", "compared"),
    Column("CF_FRDB", "法定代表人", "personal", ("CF_FR", "CF_FDDB")),
    Column("CF_FR_ZJLX", "法定代表人证件类型", "personal"),
    Column("CF_FR_ZJHM", "法定代表人证件号码", "personal", ("CF_FR_SFZH", "CF_SFZ")),
    Column("CF_XDR_ZJLX", "证件类型（自然人）", "personal"),
    Column("CF_XDR_ZJHM", "证件号码（自然人）", "personal", ("CF_XDR_SFZ",)),
    Column("CF_WSH", "行政处罚决定书文号", "read", ("CF_CFWSH",)),
    Column("CF_WFXW", "违法行为类型", "read"),
    Column("CF_SY", "违法事实", "free_text"),
    Column("CF_YJ", "处罚依据", "read"),
    Column("CF_CFLB", "处罚类别", "read", ("CF_CFLB1", "CF_CFLB2")),
    Column("CF_NR", "处罚内容", "free_text", ("CF_JG",)),
    Column("CF_NR_FK", "罚款金额（万元）", "read"),
    Column("CF_NR_WFFF", "没收违法所得、没收非法财物的金额（万元）", "read"),
    Column("CF_NR_ZKDX", "暂扣或吊销证照名称及编号", "unused"),
    Column("CF_JDRQ", "处罚决定日期", "read"),
    Column("CF_YXQ", "处罚有效期", "read", ("CF_QX",)),
    Column("CF_GSJZQ", "公示截止期", "read"),
    Column("CF_CFJG", "处罚机关", "compared", ("CF_XZJG",)),
    Column("CF_CFJGDM", "处罚机关统一社会信用代码", "read"),
    Column("CF_SJLY", "数据来源单位", "compared"),
    Column("CF_SJLYDM", "数据来源单位统一社会信用代码", "compared"),
    Column("BZ", "备注", "free_text"),
)
LABELS = {column.code: column.zh for column in COLUMNS}

LEGACY_SAME = {"CF_BM": "determination", "DFBM": "place", "CF_AREACODE": "place", "SJC": "updated"}
"""Columns of 2016 to 2018 that the facts page names under ``columns`` today."""

LEGACY_READ = ("CF_ZT", "CF_SYFW")
"""当前状态 and 信息使用范围 of the same years: they say whether a decision still stands and may be shown."""

LEGACY_LEFT = frozenset({"CF_CFMC", "CF_AJMC", "CF_SXYZCD"})
"""处罚名称、案件名称、失信严重程度 of the same years: titles may name persons, and a grade is another scale."""

KINDS = frozenset(
    [
        "警告",
        "通报批评",
        "罚款",
        "没收违法所得",
        "没收非法财物",
        "暂扣许可证",
        "暂扣执照",
        "暂扣许可证件",
        "降低资质等级",
        "吊销许可证",
        "吊销执照",
        "吊销许可证件",
        "限制开展生产经营活动",
        "责令停产停业",
        "责令关闭",
        "限制从业",
        "行政拘留",
        "其他",
        "法律、行政法规规定的其他行政处罚",
    ]
)
"""Kinds of penalty 处罚类别: those of the 2018 table and of 行政处罚法 (2021) Art. 9."""
