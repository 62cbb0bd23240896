"""Bytes of the agreement's folder in, one checked ``Agreement`` out.

Nothing is guessed: an unknown file, field, code or kind is refused with a sentence that names file and
field, since a misread agreement would restrict somebody. Files under ``members/`` are local and no part
of the digest.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, TypeVar

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from syncd.agreement.checks import faults_of
from syncd.agreement.honours import Honour, Incentive, Reward
from syncd.agreement.kinds import STRICT, Code, Json, RegionCode, Words
from syncd.agreement.law import Doubt, LegalBasis, PenaltyClass, Regime
from syncd.agreement.local import Condition, LocalCode, Region, Rule, TestCase
from syncd.agreement.model import Agreement, Citation, Criterion, Label, Measure, Purpose, Scale, SubjectKind
from syncd.errors import NeedsPerson

T = TypeVar("T")
MEMBERS = "members/"
_REGIONS = "regions/"
_TABLES = ("bases", "criteria", "doubts", "measures", "publicity", "sources")
_FILES = frozenset({"agreement.toml", *(f"{table}.toml" for table in _TABLES)})
_MAY_LACK = frozenset({"honours.toml", "incentives.toml", "purposes.toml", "scales.toml"})
"""Tables that an agreement may do without."""


class AgreementError(NeedsPerson):
    """The agreement, or a member's file, cannot be used as it stands; nothing of it is in force here."""


@dataclass(frozen=True, slots=True)
class _Head:
    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    version: Annotated[int, Field(ge=1)]
    title_zh: Words
    title_en: Words
    effective_from: date
    members: Annotated[tuple[RegionCode, ...], Field(min_length=1)]
    field_zh: Words
    subject_types: Annotated[tuple[SubjectKind, ...], Field(min_length=1)]
    aspects: tuple[Label, ...]
    categories: tuple[Label, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class _RegionFile:
    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: RegionCode
    name_zh: Words
    name_en: Words
    department: Words
    illustrative: bool
    local_codes: tuple[LocalCode, ...]
    rules: tuple[Rule, ...]
    responders: dict[Code, Words]
    conditions: tuple[Condition, ...] = ()
    cases: tuple[TestCase, ...] = ()
    rewards: tuple[Reward, ...] = ()


@dataclass(frozen=True, slots=True)
class _Publicity:
    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    regimes: tuple[Regime, ...]
    classes: tuple[PenaltyClass, ...]


def digest_of(files: Mapping[str, bytes]) -> str:
    """SHA-256 (hex) of the JCS list of ``[path, hex SHA-256]`` sorted by path, without ``members/``.

    Paths are relative to the agreement's folder, with ``/``. Members compare this digest: one changed
    byte in any file is another agreement.
    """
    listing = sorted((path, sha256(data).hexdigest()) for path, data in files.items() if not path.startswith(MEMBERS))
    return sha256(orjson.dumps(listing)).hexdigest()


def load_agreement(files: Mapping[str, bytes]) -> Agreement:
    """Read one version of the agreement from the bytes of its folder, by relative path.

    Raises ``AgreementError`` naming file and field; nothing is loaded in part.
    """
    shared = {path: data for path, data in files.items() if not path.startswith(MEMBERS)}
    _check_paths(shared)
    head = _one(_Head, "agreement.toml", _toml("agreement.toml", shared["agreement.toml"]))
    publicity = _one(_Publicity, "publicity.toml", _toml("publicity.toml", shared["publicity.toml"]))
    agreement = Agreement(
        id=head.id,
        version=head.version,
        digest=digest_of(shared),
        title_zh=head.title_zh,
        title_en=head.title_en,
        effective_from=head.effective_from,
        members=head.members,
        field_zh=head.field_zh,
        subject_types=_by_key("agreement.toml", "subject_types", head.subject_types),
        aspects=_by_key("agreement.toml", "aspects", head.aspects),
        categories=_by_key("agreement.toml", "categories", head.categories),
        sources=_rows(shared, "sources", Citation),
        criteria=_rows(shared, "criteria", Criterion),
        measures=_rows(shared, "measures", Measure),
        bases=_rows(shared, "bases", LegalBasis, "id"),
        regions=_regions(shared),
        doubts=_listed(shared, "doubts", Doubt),
        regimes=_by_key("publicity.toml", "regimes", publicity.regimes, "id"),
        classes=publicity.classes,
        purposes=_rows(shared, "purposes", Purpose),
        scales=_rows(shared, "scales", Scale),
        honours=_rows(shared, "honours", Honour),
        incentives=_rows(shared, "incentives", Incentive),
        note=head.note,
        files=MappingProxyType(shared),
    )
    faults = tuple(faults_of(agreement))
    if faults:
        raise _unusable("; ".join(faults))
    return agreement


def _check_paths(files: Mapping[str, bytes]) -> None:
    missing = sorted(_FILES - files.keys())
    if missing:
        raise _unusable(f"the folder lacks {', '.join(missing)}")
    for path in sorted(files.keys() - _FILES - _MAY_LACK):
        if not (path.startswith(_REGIONS) and path.endswith(".toml")):
            raise _unusable(f"{path} is no file of an agreement; move it elsewhere")


def _regions(files: Mapping[str, bytes]) -> Mapping[str, Region]:
    paths = sorted(path for path in files if path.startswith(_REGIONS))
    found = {path: _region(path, files[path]) for path in paths}
    for path, region in found.items():
        if path != f"{_REGIONS}{region.code}.toml":
            raise _unusable(f"{path}, field code: differs from the file's name")
    return MappingProxyType({region.code: region for region in found.values()})


def _region(path: str, data: bytes) -> Region:
    content = _toml(path, data)
    rules = content.get("rules")
    if isinstance(rules, list):  # a rule knows its region; the file says it once, at its head
        content["rules"] = [{**_without_region(path, rule), "region": content.get("code")} for rule in rules]
    read = _one(_RegionFile, path, content)
    return Region(
        code=read.code,
        name_zh=read.name_zh,
        name_en=read.name_en,
        department=read.department,
        illustrative=read.illustrative,
        local_codes=_by_key(path, "local_codes", read.local_codes),
        rules=_by_key(path, "rules", read.rules, "criterion"),
        responders=MappingProxyType(read.responders),
        conditions=_by_code(path, read.conditions),
        cases=read.cases,
        rewards=_by_key(path, "rewards", read.rewards, "honour"),
    )


def _by_code(path: str, conditions: tuple[Condition, ...]) -> Mapping[str, tuple[Condition, ...]]:
    _by_key(path, "conditions", conditions, "id")  # an id stands once
    codes = dict.fromkeys(one.code for one in conditions)
    return MappingProxyType({code: tuple(one for one in conditions if one.code == code) for code in codes})


def _without_region(path: str, rule: Any) -> Json:
    if not isinstance(rule, dict) or "region" in rule:
        raise _unusable(f"{path}, field rules: a rule is a table without the field region")
    return rule


def _rows(files: Mapping[str, bytes], table: str, model: type[T], key: str = "code") -> Mapping[str, T]:
    return _by_key(f"{table}.toml", table, _listed(files, table, model), key)


def _listed(files: Mapping[str, bytes], table: str, model: type[T]) -> tuple[T, ...]:
    path = f"{table}.toml"
    if path in _MAY_LACK and path not in files:
        return ()
    content = _toml(path, files[path])
    if content.keys() != {table}:
        raise _unusable(f"{path} holds other things than tables [[{table}]]")
    return _checked(TypeAdapter(tuple[model, ...]), path, content[table], table)  # type: ignore[valid-type]


def _one(model: type[T], path: str, content: Json) -> T:
    return _checked(TypeAdapter(model), path, content, "")


def _checked(adapter: TypeAdapter[T], path: str, content: Any, table: str) -> T:
    try:
        # By way of JSON: strict there takes arrays for tuples and days as text, and nothing else.
        return adapter.validate_json(orjson.dumps(content))
    except ValidationError as error:
        faults = "; ".join(f"field {_place(table, fault['loc'])}: {fault['msg']}" for fault in error.errors())
        raise _unusable(f"{path}, {faults}") from None


def _place(table: str, parts: Iterable[int | str]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return (table + text).removeprefix(".")


def _by_key(path: str, table: str, rows: Iterable[T], key: str = "code") -> Mapping[str, T]:
    found: dict[str, T] = {}
    for row in rows:
        name = getattr(row, key)
        if name in found:
            raise _unusable(f"{path}, field {table}.{key}: {name} stands twice")
        found[name] = row
    return MappingProxyType(found)


def _toml(path: str, data: bytes) -> Json:
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _unusable(f"{path} is not valid TOML in UTF-8 ({error})") from None


def _unusable(what: str) -> AgreementError:
    return AgreementError(f"The agreement cannot be used: {what}. Nothing was loaded; correct the file.")
