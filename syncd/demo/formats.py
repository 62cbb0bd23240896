"""The columns that the three bureau systems speak, as the stand-ins understand them.

Written from the field tables, not from ``adapters``: a stand-in that borrowed the adapter's lists would
agree with its mistakes. Penalties are the 30 columns of 双公示 (发改办财金〔2018〕424号) with six columns
that sources carry beside them; relief 信用修复, orders 惩戒单 and acknowledgements 回执 have no public
format, so theirs are illustrative.
"""

from datetime import UTC, date, datetime, timedelta, timezone

Row = dict[str, str]

PENALTY_COLUMNS: tuple[str, ...] = (
    "CF_XDR_MC",
    "CF_XDR_LB",
    "CF_XDR_SHXYM",
    "CF_XDR_GSZC",
    "CF_XDR_ZZJG",
    "CF_XDR_SWDJ",
    "CF_XDR_SYDW",
    "CF_XDR_SHZZ",
    "CF_FRDB",
    "CF_FR_ZJLX",
    "CF_FR_ZJHM",
    "CF_XDR_ZJLX",
    "CF_XDR_ZJHM",
    "CF_WSH",
    "CF_WFXW",
    "CF_SY",
    "CF_YJ",
    "CF_CFLB",
    "CF_NR",
    "CF_NR_FK",
    "CF_NR_WFFF",
    "CF_NR_ZKDX",
    "CF_JDRQ",
    "CF_YXQ",
    "CF_GSJZQ",
    "CF_CFJG",
    "CF_CFJGDM",
    "CF_SJLY",
    "CF_SJLYDM",
    "BZ",
)
"""The 30 columns of the penalty record 行政处罚信息, in the standard's order."""

EXTRA_COLUMNS: tuple[str, ...] = ("ID", "RDDM", "SSQH", "GSRQ", "FYZT", "GXSJ")
"""Beside the 30: row key 主键, determination 认定代码, place 所属区划, published on 公示日期, review state
复议状态, updated at 更新时间 (``YYYY-MM-DD HH:MM:SS.ffffff``, Asia/Shanghai)."""

SOURCE_COLUMNS: tuple[str, ...] = ("ID", *PENALTY_COLUMNS, "RDDM", "SSQH", "GSRQ", "FYZT", "GXSJ")
"""A penalty row as a bureau's own table holds it."""

RELIEF_COLUMNS: tuple[str, ...] = (
    "ID",
    "CF_WSH",
    "CF_CFJGDM",
    "CF_XDR_SHXYM",
    "XF_ZT",
    "XF_LX",
    "XF_WS",
    "XF_RQ",
    "GXSJ",
)
"""A relief row 修复行: which decision, of whom, what now holds of it
(异议, 中止, 修复, 撤销, 到期, 维持, 恢复)."""

ORDER_COLUMNS: tuple[str, ...] = (
    "CJD_PCH",
    "CJD_RDBH",
    "CJD_BBH",
    "CJD_ZT",
    "CJD_LY",
    "CJD_SY",
    "CJD_YJ",
    "CJD_GZ",
    "CJD_CS",
    "CJD_CSMC",
    "CJD_XZ",
    "CJD_WSH",
    "CJD_WSRQ",
    "CJD_TQBM",
    "CJD_ZXBM",
    "CJD_YXQ",
    "CJD_YXZ",
    "CJD_SFFK",
    "CJD_XDR_MC",
    "CJD_XDR_SHXYM",
    "CJD_BJ",
    "CJD_YS",
)
"""An order 惩戒单, one row for each finding and measure; without contact persons."""

ACK_COLUMNS: tuple[str, ...] = ("HZ_RDBH", "HZ_CS", "HZ_BBH", "HZ_BM", "HZ_ZT", "HZ_RQ")
"""An acknowledgement 回执: finding, measure, counter, department, state (已执行 or 已解除 here), day."""

LOCAL_TIME = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has kept one offset without summer time since 1991, so no zone database is needed."""


def stamp(now: datetime | None = None) -> str:
    """``GXSJ`` of a row written now: ``2026-11-22 17:00:00.123456`` in Asia/Shanghai."""
    moment = (now or datetime.now(UTC)).astimezone(LOCAL_TIME)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def local_today() -> date:
    """The day it is now in Asia/Shanghai."""
    return datetime.now(LOCAL_TIME).date()
