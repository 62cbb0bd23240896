"""What ``config/demo`` says about the demonstration: bureaus, names, violations and the plan of the month.

The local codes 认定代码 are read from the agreement's own region files, so that the rows speak the list in
force. Everything is read once, at the start; a setting that is missing is a ``KeyError`` with its name.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).resolve().parents[2] / "config"


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ 机关: name and (synthetic) USCC."""

    name: str
    code: str


@dataclass(frozen=True, slots=True)
class LocalCode:
    """A bureau's own determination: ``criterion`` is empty for a plain record that is not severe."""

    code: str
    criterion: str
    subject_type: str


@dataclass(frozen=True, slots=True)
class Bureau:
    """A bureau 单位: region code, exchange mode, who decides and how its rows are numbered."""

    key: str
    code: str
    name: str
    mode: str
    unit: Organ
    row: str
    registered: tuple[str, ...]
    places: tuple[str, ...]
    decides: tuple[tuple[Organ, str], ...]
    local_codes: tuple[LocalCode, ...]

    def codes_for(self, criterion: str) -> tuple[LocalCode, ...]:
        """The bureau's codes for a criterion (empty: for a plain record)."""
        return tuple(code for code in self.local_codes if code.criterion == criterion)


@dataclass(frozen=True, slots=True)
class Violation:
    """What a decision says; ``fine`` is a range in whole 万元, empty where none is imposed."""

    act: str
    basis: str
    kinds: tuple[str, ...]
    fine: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """All of ``config/demo``; ``names``, ``texts`` and ``plan`` stay as the tables they are.

    ``marks`` are words that stand in every free text and nowhere else.
    """

    bureaus: dict[str, Bureau]
    violations: dict[str, Violation]
    names: dict[str, Any]
    texts: dict[str, str]
    marks: tuple[str, ...]
    plan: dict[str, Any]


def load_places(config: Path = CONFIG) -> Places:
    """Reads ``config/demo`` and, for the local codes, the regions of the agreement that its plan names."""
    tables = {name: _toml(config / "demo" / f"{name}.toml") for name in ("bureaus", "names", "violations")}
    plan = _toml(config / "demo" / "scenario.toml")
    regions = config / "agreements" / plan["agreement"] / "regions"
    organs = {key: Organ(**values) for key, values in tables["bureaus"]["organs"].items()}
    bureaus = (_bureau(values, organs, regions) for values in tables["bureaus"]["bureaus"])
    texts = tables["violations"]
    return Places(
        {bureau.code: bureau for bureau in bureaus},
        {values["criterion"]: _violation(values, texts["basis_note"]) for values in texts["violations"]},
        tables["names"],
        {key: text for key, text in texts.items() if isinstance(text, str)},
        tuple(texts["marks"]),
        plan,
    )


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _bureau(values: dict[str, Any], organs: dict[str, Organ], regions: Path) -> Bureau:
    listed = _toml(regions / f"{values['code']}.toml")["local_codes"]
    return Bureau(
        key=values["key"],
        code=values["code"],
        name=values["name"],
        mode=values["mode"],
        unit=organs[values["unit"]],
        row=values["row"],
        registered=tuple(values["registered"]),
        places=tuple(values["places"]),
        decides=tuple((organs[one["organ"]], one["number"]) for one in values["decides"]),
        local_codes=tuple(LocalCode(one["code"], one.get("criterion", ""), one["subject_type"]) for one in listed),
    )


def _violation(values: dict[str, Any], note: str) -> Violation:
    return Violation(
        act=values["act"],
        basis=values["basis"] + note,
        kinds=tuple(values["kinds"]),
        fine=tuple(values["fine"]),
    )
