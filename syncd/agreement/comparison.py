"""Two versions of the agreement side by side 版本比较: which rows differ, and what that would do to which companies.

Pure: texts, findings and a day in, sentences and rows out, so that it can be asked before anybody signs. A row is named
by the table it stands in; a change is said in Chinese and English. Every table is compared, and a file of which the
bytes alone differ is named too: what is signed is the digest, so nothing that changes it may go unsaid.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Literal

from syncd.agreement.kinds import Json
from syncd.agreement.local import Region
from syncd.agreement.mapping import Judgement, judge
from syncd.agreement.model import Agreement
from syncd.agreement.outcome import criterion_of, map_local_code

Kind = Literal["added", "removed", "changed"]
Effect = Literal["newly_restricted", "released", "changed"]
KINDS: Mapping[Kind, tuple[str, str]] = {
    "added": ("新增", "added"),
    "removed": ("删除", "removed"),
    "changed": ("修改", "changed"),
}
TABLES = {
    "members": ("成员", "member"),
    "effective_from": ("生效日期", "effective from"),
    "criteria": ("标准", "criterion"),
    "measures": ("措施", "measure"),
    "bases": ("法律依据", "legal basis"),
    "doubts": ("存疑", "doubt"),
    "head": ("协议文首", "head of the agreement"),
    "subject_types": ("主体类别", "subject type"),
    "aspects": ("方面", "aspect"),
    "categories": ("类别", "category"),
    "sources": ("出处", "source"),
    "purposes": ("信用审查用途", "purpose of a credit review"),
    "scales": ("信用等级", "rating scale"),
    "honours": ("守信荣誉", "honour"),
    "incentives": ("激励措施", "incentive"),
    "region": ("地区文首", "head of the region"),
    "rewards": ("激励规则", "reward"),
    "cases": ("测试用例", "test case"),
    "text": ("文件注释或排列", "comments or order in the file"),
    "regimes": ("公示期", "publicity"),
    "classes": ("处罚等级", "class of penalty"),
    "local_codes": ("本地认定代码", "local code"),
    "conditions": ("判定条件", "condition"),
    "rules": ("互认规则", "rule"),
    "responders": ("执行部门", "department"),
}
_TOP = ("subject_types", "aspects", "categories", "criteria", "measures", "bases", "regimes", "purposes", "scales",
        "honours", "incentives", "sources")  # fmt: skip
_OF_REGION = ("local_codes", "rules", "rewards", "responders")
_HEAD = ("title_zh", "title_en", "field_zh", "note")
_REGION_HEAD = ("name_zh", "name_en", "department", "illustrative")


@dataclass(frozen=True, slots=True)
class Change:
    """One row that differs: ``was`` and ``now`` hold the fields that do, each as text; ``region`` where it has one."""

    kind: Kind
    table: str
    region: str | None
    id: str
    was: Mapping[str, str]
    now: Mapping[str, str]

    @property
    def zh(self) -> str:
        """The change in Chinese."""
        where = f"{self.region} " if self.region else ""
        return f"{where}{TABLES[self.table][0]}{self.id}：{KINDS[self.kind][0]}{self._fields('，')}"

    @property
    def en(self) -> str:
        """The change in English."""
        where = f" of {self.region}" if self.region else ""
        return f"{TABLES[self.table][1]} {self.id}{where}: {KINDS[self.kind][1]}{self._fields(', ')}"

    def _fields(self, between: str) -> str:
        if self.kind != "changed":
            return ""
        return " " + between.join(f"{name} {self.was[name]} → {self.now[name]}" for name in self.was)


@dataclass(frozen=True, slots=True)
class Affected:
    """What one finding would lead to in one region under the other version."""

    region: str
    effect: Effect
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    until_was: str | None
    until_now: str | None
    reason: str | None


def changes(one: Agreement, two: Agreement) -> list[Change]:
    """Every row that is in one version and not, or otherwise, in the other, file by file; the number is left aside."""
    found = list(_members(one, two))
    if one.effective_from != two.effective_from:
        was, now = one.effective_from.isoformat(), two.effective_from.isoformat()
        found.append(Change("changed", "effective_from", None, "", {"day": was}, {"day": now}))
    found += _heads("head", None, _HEAD, one, two)
    for table in _TOP:
        found += _rows(table, None, getattr(one, table), getattr(two, table))
    found += _rows("doubts", None, _doubts(one), _doubts(two))
    found += _rows("classes", None, _classes(one), _classes(two))
    for code in sorted(one.regions.keys() | two.regions.keys()):
        found += _region(code, one.regions.get(code), two.regions.get(code))
    return found + list(_texts(one, two))


def _members(one: Agreement, two: Agreement) -> Iterator[Change]:
    for code in sorted(set(one.members) ^ set(two.members)):
        yield Change("added" if code in two.members else "removed", "members", None, code, {}, {})


def _heads(table: str, region: str | None, names: Iterable[str], one: Any, two: Any) -> Iterator[Change]:
    differ = [name for name in names if getattr(one, name) != getattr(two, name)]
    if differ:
        was, now = ({name: _text(getattr(some, name)) for name in differ} for some in (one, two))
        yield Change("changed", table, region, "", was, now)


def _texts(one: Agreement, two: Agreement) -> Iterator[Change]:
    """Files that say the same in other bytes: a note for readers, an order, a blank."""
    for path in sorted(one.files.keys() & two.files.keys()):
        before, after = one.files[path], two.files[path]
        if before != after and _read(before) == _read(after):
            yield Change("changed", "text", None, path, {}, {})


def _read(data: bytes) -> Json:
    return tomllib.loads(data.decode("utf-8"))


def _doubts(agreement: Agreement) -> dict[str, Any]:
    return _numbered((f"{one.measure} {one.standing} {' '.join(one.regions or ())}".strip(), one)
                     for one in agreement.doubts)  # fmt: skip


def _classes(agreement: Agreement) -> dict[str, Any]:
    return _numbered((one.severity, one) for one in agreement.classes)


def _numbered(rows: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Rows that have no code of their own, by what they are about; a second one about the same bears its number."""
    found: dict[str, Any] = {}
    for key, row in rows:
        same = sum(known == key or known.startswith(f"{key} #") for known in found)
        found[f"{key} #{same + 1}" if same else key] = row
    return found


def _region(code: str, one: Region | None, two: Region | None) -> Iterator[Change]:
    if one is not None and two is not None:
        yield from _heads("region", code, _REGION_HEAD, one, two)
    for table in _OF_REGION:
        yield from _rows(table, code, getattr(one, table, {}), getattr(two, table, {}))
    yield from _rows("conditions", code, _conditions(one), _conditions(two))
    yield from _rows("cases", code, _cases(one), _cases(two))


def _cases(region: Region | None) -> dict[str, Any]:
    return _numbered((one.title, one) for one in region.cases) if region is not None else {}


def _conditions(region: Region | None) -> dict[str, Any]:
    return {one.id: one for listed in region.conditions.values() for one in listed} if region is not None else {}


def _rows(table: str, region: str | None, one: Mapping[str, Any], two: Mapping[str, Any]) -> Iterator[Change]:
    for key in sorted(one.keys() | two.keys()):
        before, after = one.get(key), two.get(key)
        if before == after:
            continue
        was, now = _differing(before, after)
        kind: Kind = "added" if before is None else "removed" if after is None else "changed"
        yield Change(kind, table, region, key, was, now)


def _differing(before: Any, after: Any) -> tuple[dict[str, str], dict[str, str]]:
    if before is None or after is None:
        return {}, {}
    if isinstance(before, str):
        return {"text": before}, {"text": after}
    names = [one.name for one in fields(before) if getattr(before, one.name) != getattr(after, one.name)]
    return {name: _text(getattr(before, name)) for name in names}, {name: _text(getattr(after, name)) for name in names}


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "-"
    return "-" if value in (None, "") else str(value)


def affected(
    one: Agreement, two: Agreement, body: Json, day: date, *, regions: Iterable[str], demonstration: bool,
    released: bool = False, anew: bool = True,
) -> Iterator[Affected]:  # fmt: skip
    """In which of these regions a finding would lead to something else under ``two`` than under ``one``, on ``day``.

    ``released``: a person let it follow in the region asked about. ``anew``: its bureau's list of ``two`` says what it
    is; otherwise it stays what it is. A region that a version does not name restricts nobody.
    """
    then = under(two, body, demonstration) if anew else body
    for region in regions:
        was = _judged(one, region, body, day, demonstration, released)
        now = _judged(two, region, then, day, demonstration, released)
        found = _compared(region, was, now)
        if found is not None:
            yield found


def under(agreement: Agreement, body: Json, demonstration: bool) -> Json:
    """A finding as its own bureau's list in this version makes it; what a person determined stays."""
    local = map_local_code(agreement, body["place"], body["local_code"])
    if body.get("grounds") is not None or local is None:
        return body
    criterion = criterion_of(agreement, body, allow_candidates=demonstration)
    return {**body, "criterion": criterion, "subject": {**body["subject"], "type": local.subject_type}}


def _judged(
    agreement: Agreement, region: str, body: Json, day: date, demonstration: bool, released: bool
) -> Judgement | None:
    if region not in agreement.members or body["place"] not in agreement.members:
        return None
    return judge(agreement, region, body, day, allow_candidates=demonstration, released=released)


def _compared(region: str, was: Judgement | None, now: Judgement | None) -> Affected | None:
    before = {one.id: one for one in was.measures} if was is not None else {}
    after = {one.id: one for one in now.measures} if now is not None else {}
    if before == after:
        return None
    effect: Effect = "changed" if before and after else "newly_restricted" if after else "released"
    gained, lost = tuple(sorted(after.keys() - before.keys())), tuple(sorted(before.keys() - after.keys()))
    ends = [max((one.to.isoformat() for one in some.values()), default=None) for some in (before, after)]
    return Affected(region, effect, gained, lost, ends[0], ends[1], now.reason if now is not None else "left")
