"""A new facts page 来源说明, written from the models themselves: every setting is there with its meaning.

What a bureau must say stands as a line marked 填写 with an example; what has a default stands as a comment. The page
loads as it is, so that ``check`` can be asked at every step; no node starts with it until its publisher is named.
"""

from collections.abc import Iterator
from typing import Any, get_args

import orjson
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from adapters.facts import (
    UNNAMED_PUBLISHER,
    Columns,
    Expected,
    Legacy,
    Origin,
    Performance,
    Publisher,
    Review,
)
from adapters.modes import Database, Files, Service

MODES: dict[str, type[BaseModel]] = {"service": Service, "files": Files, "database": Database}
MODE_WORDS = {
    "service": "service mode 服务方式",
    "files": "files mode 文件方式",
    "database": "database mode 数据库对接",
}
FILL_IN = "填写 FILL IN"
ORDER_COLUMNS = (
    "CJD_PCH", "CJD_RDBH", "CJD_BBH", "CJD_ZT", "CJD_LY", "CJD_SY", "CJD_YJ", "CJD_GZ", "CJD_CS", "CJD_CSMC", "CJD_XZ",
    "CJD_WSH", "CJD_WSRQ", "CJD_TQBM", "CJD_ZXBM", "CJD_YXQ", "CJD_YXZ", "CJD_SFFK", "CJD_XDR_MC", "CJD_XDR_SHXYM",
    "CJD_BJ", "CJD_YS",
)  # fmt: skip
"""Columns of an order 惩戒单 as the node fills them in; a page lists those that its bureau's system takes."""

_EXAMPLES: dict[str, Any] = {
    "publisher.code": "100000", "publisher.name": UNNAMED_PUBLISHER, "publisher.organ": "11100000MB0000000P",
    "source.encoding": ["utf-8", "gb18030"], "source.rhythm_seconds": 3600.0, "source.time_zone": "Asia/Shanghai",
    "service.penalties": "penalties", "service.relief": "relief", "service.orders": "restrictions",
    "service.acknowledgements": "acknowledgements",
    "files.penalties": "XZCF_*.csv", "files.relief": "XF_*.csv", "files.orders": "CJ_{time}_{n}.csv",
    "files.acknowledgements": "HZ_*.csv",
    "database.penalties": "xzcf", "database.relief": "xyxf", "database.orders": "cjd",
    "database.acknowledgements": "cjd_hz",
    "columns.row": "ID", "columns.determination": "RDDM", "columns.place": "SSQH", "columns.published": "GSRQ",
    "columns.review": "FYZT", "columns.updated": "GXSJ", "columns.aliases": {}, "columns.ignored": [],
    "review.open": ["复议中", "诉讼中停止执行"], "review.closed": ["", "无"],
}  # fmt: skip
_SHOWN: dict[str, Any] = {
    "expected.cycle_hours": 24.0, "expected.penalties": [1, 500], "expected.relief": [0, 500],
    "performance.done": ["已履行"], "performance.undone": ["未履行"], "legacy.violations": {"LOCAL-01": "违法行为类型"},
}  # fmt: skip
_RELIEF = {
    "异议": "relief.disputed", "中止": "relief.suspended", "修复": "relief.repaired", "撤销": "relief.revoked",
    "到期": "relief.expired", "维持": "finding.upheld", "恢复": "finding.resumed",
}  # fmt: skip
_FEEDBACK = {"已执行": "applied", "不适用": "not_applicable", "拒绝": "refused", "已解除": "lifted"}


def new_page(name: str, mode: str, given: dict[str, str] | None = None) -> str:
    """The page of the source ``name`` in a mode; ``given`` holds what is known already by path (``publisher.code``)."""
    known = {**_EXAMPLES, "source.id": name, "source.mode": mode} | (given or {})
    settled = {"source.id", "source.mode", "source.time_zone", *(given or {})}
    lines = [
        f"# Facts page 来源说明 of the source {name}: {MODE_WORDS[mode]}.",
        f"# Lines marked {FILL_IN} are yours; what stands there is an example. Settings behind `# ` have that default.",
        "# The thirty columns of 双公示 (发改办财金〔2018〕424号) and their known other names need no mention.",
        f"# After each change: syncd adapter check {name}",
        "",
        "# false once everything here was taken from the bureau's real system, and not from an example.",
        "illustrative = true",
        "",
        f"# Columns of an order 惩戒单, in this order; leave out what the bureau's system does not take. {FILL_IN}",
        "push = [",
        *(f"  {_toml(column)}," for column in ORDER_COLUMNS),
        "]",
        "",
    ]
    for path, model in (("publisher", Publisher), ("source", Origin), (mode, MODES[mode]), ("columns", Columns)):
        lines += _section(path, model, known, settled)
    lines += _odd_values()
    lines += _section("review", Review, known, settled)
    for path, optional in (("expected", Expected), ("performance", Performance), ("legacy", Legacy)):
        lines += (_comment(line) for line in _section(path, optional, _SHOWN, set(_SHOWN)))
    lines += _words(
        "state", "columns.state → what the row is then", {"0": "in_force", "1": "relief.revoked"}, shown=False
    )
    lines += _words("relief", "修复状态 XF_ZT → kind of entry", _RELIEF)
    lines += _words("feedback", "回执状态 HZ_ZT → state", _FEEDBACK)
    return "\n".join(lines).rstrip() + "\n"


def _section(path: str, model: type[BaseModel], known: dict[str, Any], settled: set[str]) -> Iterator[str]:
    """A section with its sub-sections; a setting without an example is shown with its default, as a comment."""
    about = " ".join((model.__doc__ or "").split())
    yield f"# {about}"
    yield f"[{path}]"
    below: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        key, kind = field.alias or name, field.annotation
        at = f"{path}.{key}"
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            below.append((at, kind))
        elif at == "columns.odd":
            continue
        else:
            yield _setting(key, field, known.get(at), at in settled)
    yield ""
    for at, part in below:
        yield from _section(at, part, known, settled)


def _setting(key: str, field: FieldInfo, value: Any, settled: bool) -> str:
    meaning = [field.description] if field.description else []
    if choices := _choices(field):
        meaning.append(choices)
    if value is None:
        default = field.get_default(call_default_factory=True)
        return f"# {key} = {_toml('' if default is None else default)}  # {'; '.join(meaning)}"
    return f"{key} = {_toml(value)}  # {'; '.join(meaning if settled else [FILL_IN, *meaning])}"


def _choices(field: FieldInfo) -> str:
    """The values a setting may have, where they are few."""
    found = [one for one in get_args(field.annotation) if isinstance(one, str)]
    return "one of " + ", ".join(map(_toml, found)) if found else ""


def _odd_values() -> list[str]:
    shown = ["# Known odd values: column → value met here → what it stands for; empty for nothing stated.",
             "[columns.odd]", 'CF_YXQ = { "无处罚期限" = "" }', ""]  # fmt: skip
    return [_comment(line) for line in shown]


def _words(path: str, about: str, words: dict[str, str], shown: bool = True) -> list[str]:
    lines = [f"# {about}. {FILL_IN}", f"[{path}]", *(f"{_toml(word)} = {_toml(to)}" for word, to in words.items()), ""]
    return lines if shown else [_comment(line) for line in lines]


def _comment(line: str) -> str:
    return line if not line or line.startswith("#") else f"# {line}"


def _toml(value: Any) -> str:
    """A value as TOML writes it. A JSON text is a TOML basic string, and lists agree too."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(one)}" for key, one in value.items()) + " }" if value else "{}"
    return orjson.dumps(value).decode().replace(",", ", ") if isinstance(value, list) else orjson.dumps(value).decode()
