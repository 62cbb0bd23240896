"""The dirt that real sources have, each kind with what must become of the row.

Seen in real code and data: 1900-01-01 as end of publicity, the unit's name and code swapped, 无处罚期限 as a
date, codes whose check character is wrong or that are missing, placeholder numbers, instruction rows of a
spreadsheet that arrive as data, rows that come twice; and rows about persons, who never enter.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from schemas.identifiers import ALPHABET, make_uscc
from syncd.demo.decisions import Clerk
from syncd.demo.formats import PENALTY_COLUMNS, Row

Outcome = Literal["accepted", "quarantined", "refused", "waiting", "repeated"]
FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


@dataclass(frozen=True, slots=True)
class Dirt:
    """A kind of dirt. ``criterion`` asks for a row of this kind to begin with; ``reason`` is the desk's code.

    An accepted row with a reason becomes a finding that is held by every region for that reason.
    """

    soil: Callable[[Row, Clerk], None]
    outcome: Outcome
    reason: str = ""
    criterion: str | None = None


def _end_of_1900(row: Row, _: Clerk) -> None:
    row["CF_GSJZQ"] = "1900-01-01"


def _bad_check(row: Row, _: Clerk) -> None:
    code = row["CF_XDR_SHXYM"]
    row["CF_XDR_SHXYM"] = code[:17] + ALPHABET[(ALPHABET.index(code[17]) + 1) % len(ALPHABET)]


def _placeholder(row: Row, clerk: Clerk) -> None:
    row["CF_WSH"] = clerk.random.choice(("无", "不详", "-", "/"))


def _missing_code(row: Row, clerk: Clerk) -> None:
    row["CF_XDR_SHXYM"] = ""
    row["CF_XDR_GSZC"] = f"{clerk.bureau.code}99{clerk.random.randrange(10**7):07d}"


def _swapped_unit(row: Row, _: Clerk) -> None:
    row["CF_SJLY"], row["CF_SJLYDM"] = row["CF_SJLYDM"], row["CF_SJLY"]


def _swapped_columns(row: Row, _: Clerk) -> None:
    row["CF_XDR_MC"], row["CF_XDR_SHXYM"] = row["CF_XDR_SHXYM"], row["CF_XDR_MC"]


def _instructions(row: Row, _: Clerk) -> None:
    """A second header line for the clerk, 表格说明, taken along as data."""
    row.update(dict.fromkeys(PENALTY_COLUMNS, "选填"), ID="表格说明", RDDM="填认定代码", SSQH="填六位区划")
    row.update(dict.fromkeys(("CF_XDR_MC", "CF_XDR_LB", "CF_XDR_SHXYM", "CF_WSH", "CF_JDRQ"), "必填"))


def _natural_person(row: Row, clerk: Clerk) -> None:
    row.update(CF_XDR_MC=clerk.person(), CF_XDR_LB="自然人", CF_XDR_SHXYM="", CF_FRDB="")
    row.update(CF_XDR_ZJLX=row["CF_FR_ZJLX"], CF_XDR_ZJHM=row["CF_FR_ZJHM"], CF_FR_ZJLX="", CF_FR_ZJHM="")


def _sole_proprietor(row: Row, clerk: Clerk) -> None:
    """The class is written as an organisation's, as happens: only the code gives it away."""
    row["CF_XDR_MC"] = f"{clerk.person()}小吃店"
    row["CF_XDR_SHXYM"] = make_uscc("92" + clerk.bureau.code, f"MA{clerk.random.randrange(10**6):06d}")


def _under_review(row: Row, _: Clerk) -> None:
    row["FYZT"] = "复议中"


def _full_width(row: Row, _: Clerk) -> None:
    for column in ("CF_XDR_SHXYM", "CF_NR_FK", "CF_JDRQ"):
        row[column] = f" {row[column].translate(FULL_WIDTH)}　"


def _no_term(row: Row, _: Clerk) -> None:
    row["CF_YXQ"] = "无处罚期限"


def _long_term(row: Row, _: Clerk) -> None:
    row["CF_YXQ"] = row["CF_GSJZQ"] = "2099/12/31"


def _line_break(row: Row, _: Clerk) -> None:
    row["BZ"] = '备注第一行,"引号"\n第二行'


def _nothing(_: Row, __: Clerk) -> None:
    """The row stays as it is; what is special about it comes from elsewhere."""


def _new_key(row: Row, clerk: Clerk) -> None:
    row.update(clerk.restyled(row), ID=clerk.next_row(int(row["GSRQ"][:4])))


DIRT: dict[str, Dirt] = {
    "sentinel_end": Dirt(_end_of_1900, "quarantined", "sentinel"),
    "bad_check": Dirt(_bad_check, "quarantined", "outer_check"),
    "placeholder": Dirt(_placeholder, "quarantined", "placeholder"),
    "missing_code": Dirt(_missing_code, "quarantined", "missing"),
    "swapped_unit": Dirt(_swapped_unit, "quarantined", "swapped"),
    "swapped_columns": Dirt(_swapped_columns, "quarantined", "swapped"),
    "instructions": Dirt(_instructions, "quarantined", "unknown_value"),
    "natural_person": Dirt(_natural_person, "refused", "natural_person"),
    "sole_proprietor": Dirt(_sole_proprietor, "refused", "sole_proprietor"),
    "under_review": Dirt(_under_review, "waiting"),
    "repeated_line": Dirt(_nothing, "repeated"),
    "repeated_decision": Dirt(_new_key, "repeated"),
    "full_width": Dirt(_full_width, "accepted"),
    "no_term": Dirt(_no_term, "accepted"),
    "long_term": Dirt(_long_term, "accepted"),
    "line_break": Dirt(_line_break, "accepted"),
    "rare_character": Dirt(_nothing, "accepted"),
    "catch_all": Dirt(_nothing, "accepted", "review", criterion="EP-A6"),
    "not_severe": Dirt(_nothing, "accepted", "not_severe", criterion=""),
    "unknown_code": Dirt(_nothing, "accepted", "unmapped"),
}
