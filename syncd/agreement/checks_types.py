"""What an agreement says of types of organisations 主体类别 and rating scales 信用等级: listed, never made up."""

from collections.abc import Iterable, Iterator

from syncd.agreement.local import LocalCode, Region
from syncd.agreement.model import Agreement

_PERSONS = ("自然人", "个人", "个体工商户", "法定代表人", "负责人")


def type_faults(agreement: Agreement) -> Iterator[str]:
    """All types that no row of ``agreement.toml`` lists, and grades that are not of their scale."""
    for kind in agreement.subject_types.values():
        if any(word in kind.name_zh for word in _PERSONS):
            yield f"agreement.toml, subject type {kind.code}, field name_zh: persons are no subjects of an agreement"
    for where, types in _named(agreement):
        yield from (f"{where}: {one} is unknown" for one in types if one not in agreement.subject_types)
    for region in agreement.regions.values():
        yield from _grade_faults(agreement, region)


def _named(agreement: Agreement) -> Iterator[tuple[str, Iterable[str]]]:
    for criterion in agreement.criteria.values():
        yield f"criteria.toml, criterion {criterion.code}, field applies_to", criterion.applies_to
    for measure in agreement.measures.values():
        yield f"measures.toml, measure {measure.code}, field applies_to", measure.applies_to
    for basis in agreement.bases.values():
        yield f"bases.toml, basis {basis.id}, field subject_types", basis.subject_types
    for doubt in agreement.doubts:
        yield f"doubts.toml, {doubt.standing} {doubt.measure}, field subject_types", doubt.subject_types or ()
    for scale in agreement.scales.values():
        yield f"scales.toml, scale {scale.code}, field applies_to", scale.applies_to
    for region in agreement.regions.values():
        for local in region.local_codes.values():
            yield f"regions/{region.code}.toml, local code {local.code}, field subject_type", (local.subject_type,)


def _grade_faults(agreement: Agreement, region: Region) -> Iterator[str]:
    taken: dict[tuple[str, str | None], str] = {}
    for local in region.local_codes.values():
        where = f"regions/{region.code}.toml, local code {local.code}, field"
        yield from (f"{where} {fault}" for fault in _one_grade(agreement, local))
        if local.scale is None:
            continue
        other = taken.setdefault((local.scale, local.grade), local.code)
        if other != local.code:
            yield f"{where} grade: {other} stands for it already"


def _one_grade(agreement: Agreement, local: LocalCode) -> Iterator[str]:
    scale = agreement.scales.get(local.scale or "")
    if (local.scale is None) != (local.grade is None):
        yield "grade: scale and grade go together"
    elif local.scale is not None and scale is None:
        yield f"scale: {local.scale} is unknown"
    elif scale is not None and local.grade not in scale.grades:
        yield f"grade: {local.grade} is no grade of {scale.code}"
    elif scale is not None and local.subject_type not in scale.applies_to:
        yield f"subject_type: {scale.code} does not grade it"
