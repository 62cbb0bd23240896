"""Rows, orders and acknowledgements for the tests of this folder: whole, invented, and easy to spoil."""

import csv
import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from adapters.base import Json
from adapters.columns import COLUMNS
from adapters.facts import SourceFacts, parse_facts
from schemas.identifiers import make_uscc

SOURCES = Path(__file__).parents[2] / "config" / "sources"
PERSON = "张三丰"
PERSON_NUMBER = "11010519491231002X"
TELEPHONE = "13800138000"
ORGAN = "11320500MB2000020M"
EXTRAS = ("RDDM", "SSQH", "GSRQ", "FYZT", "GXSJ")
PENALTY_COLUMNS = ("ID", *(column.code for column in COLUMNS), *EXTRAS)
RELIEF_COLUMNS = ("ID", "CF_WSH", "CF_CFJGDM", "CF_XDR_SHXYM", "XF_ZT", "XF_LX", "XF_WS", "XF_RQ", "GXSJ")
ACK_COLUMNS = ("HZ_RDBH", "HZ_CS", "HZ_BBH", "HZ_BM", "HZ_ZT", "HZ_RQ")
STAMP = "2026-11-22 09:00:00.000000"
ROW_KEY = b"k" * 32

Row = dict[str, str]


@lru_cache
def facts_of(bureau: str) -> SourceFacts:
    """The facts page that is shipped for a bureau."""
    return parse_facts((SOURCES / f"{bureau}.toml").read_bytes())


def company(n: int) -> str:
    """The code of an invented company."""
    return make_uscc("91320583", f"MA{n:06d}")


def penalty(n: int = 1, **changes: str) -> Row:
    """A row that passes, full of what must not: names, numbers and telephones of persons."""
    row = dict.fromkeys(PENALTY_COLUMNS, "") | {
        "ID": f"KS2026{n:06d}",
        "CF_XDR_MC": f"昆山（第{n}）电镀有限公司",
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": company(n),
        "CF_FRDB": PERSON,
        "CF_FR_ZJLX": "身份证",
        "CF_FR_ZJHM": PERSON_NUMBER,
        "CF_WSH": f"苏环行罚字[2026]83第{n:03d}号",
        "CF_WFXW": "通过暗管排放生产废水",
        "CF_SY": f"现场负责人{PERSON}陪同检查，电话{TELEPHONE}",
        "CF_YJ": "《中华人民共和国生态环境法典》有关规定",
        "CF_CFLB": "罚款;责令停产停业",
        "CF_NR": f"由{PERSON}接收文书",
        "CF_NR_FK": "2.5",
        "CF_JDRQ": "2026/11/02",
        "CF_YXQ": "2029/11/02",
        "CF_GSJZQ": "2028/11/02",
        "CF_CFJG": "苏州市生态环境局",
        "CF_CFJGDM": ORGAN,
        "CF_SJLY": "苏州市昆山生态环境局",
        "CF_SJLYDM": "11320583MB2000039R",
        "BZ": f"经办：{PERSON}",
        "RDDM": "KS-0104",
        "SSQH": "320583",
        "GSRQ": "2026-11-05",
        "GXSJ": STAMP,
    }
    return row | changes


def relief(n: int = 1, **changes: str) -> Row:
    """A relief row about ``penalty(n)``."""
    row = {
        "ID": f"XF{n:06d}",
        "CF_WSH": f"苏环行罚字〔2026〕83第{n:03d}号",
        "CF_CFJGDM": ORGAN,
        "CF_XDR_SHXYM": company(n),
        "XF_ZT": "修复",
        "XF_LX": "XF-01",
        "XF_WS": "昆环修〔2026〕1号",
        "XF_RQ": "2026-11-20",
        "GXSJ": STAMP,
    }
    return row | changes


def order(n: int = 1, measure: str = "EV-01", counter: int = 1, state: int = 1) -> Json:
    """An order 惩戒单 for finding ``n``."""
    columns = facts_of("taicang").push
    named = {
        "CJD_RDBH": f"{n:064x}",
        "CJD_CS": measure,
        "CJD_BBH": counter,
        "CJD_ZT": state,
        "CJD_XDR_MC": f"昆山(第{n})电镀有限公司",
        "CJD_XDR_SHXYM": company(n),
    }
    return {column: named.get(column, "") for column in columns}


def ack(n: int = 1, **changes: str) -> Row:
    """An acknowledgement 回执 of ``order(n)``."""
    row = {
        "HZ_RDBH": f"{n:064x}",
        "HZ_CS": "EV-01",
        "HZ_BBH": "1",
        "HZ_BM": "昆山市财政局",
        "HZ_ZT": "已执行",
        "HZ_RQ": "2026-11-23",
    }
    return row | changes


def csv_bytes(rows: Sequence[Row], encoding: str = "gb18030", columns: Sequence[str] = ()) -> bytes:
    """A CSV file with a header row."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns or list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def put_file(folder: Path, name: str, data: bytes) -> None:
    """Put a file as a careful source does: under a ``.part`` name, then renamed."""
    part = folder / f"{name}.part"
    part.write_bytes(data)
    part.replace(folder / name)
