"""Commands about the agreement 协议 as a document: ``agreement check`` asks whether it may be signed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import agreement_compared as compared
from syncd.cli import agreement_versions as versions
from syncd.cli import words
from syncd.cli.options import CONFIG, AsJson, Config, On, day_of, family_of, settings_of
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console

    from syncd.agreement.model import Agreement

Json = dict[str, Any]
NEEDS_PERSON = 3
family = family_of("The agreement 协议 as a document.", "agreement status")


def add_to(app: typer.Typer) -> None:
    """Put this family into the command line."""
    for command in (versions.load, versions.sign, versions.verify, versions.status, compared.diff, compared.replay):
        family.command(command.__name__)(command)
    app.add_typer(family, name="agreement")


@family.command("check")
def check(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="The agreement's folder; the node's own if left out.")
    ] = None,
    on: On = "",
    measures: Annotated[bool, typer.Option("--measures", help="Also list each measure with its legal basis.")] = False,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say whether an agreement may be signed: sound, without overlap or gap, on law in force, and as its cases expect.

    \b
    Example:
      syncd agreement check agreements/jiakuntai-eco --on 2026-11-22
    """
    from syncd.agreement.objections import objections
    from syncd.agreement_files import read_agreement

    agreement, day = read_agreement(folder or _own_folder(config)), day_of(on)
    found = objections(agreement, day)
    answer = {
        "agreement": agreement.tag,
        "on": day.isoformat(),
        "criteria": sum(not one.outside for one in agreement.criteria.values()),
        "measures": len(agreement.measures),
        "bases": len(agreement.bases),
        "codes": sum(len(region.local_codes) for region in agreement.regions.values()),
        "conditions": sum(len(region.conditions) for region in agreement.regions.values()),
        "cases": sum(len(region.cases) for region in agreement.regions.values()),
        "objections": [{"about": one.about, "region": one.region, "sentence": one.sentence} for one in found],
        "standing": _standings(agreement, day) if measures else [],
    }
    give(answer, as_json, _draw)
    if found:
        raise typer.Exit(NEEDS_PERSON)


def _own_folder(config: Path) -> Path:
    settings = settings_of(config)
    return settings.path(settings.node.agreement)


def _standings(agreement: "Agreement", day: "date") -> list[Json]:
    from syncd.agreement.bases import bases_in_force, kind_of, standing_of

    rows = []
    for region in agreement.regions.values():
        for code in sorted({code for rule in region.rules.values() for code in rule.measures}):
            measure = agreement.measures[code]
            for kind in measure.applies_to:
                basis = next(iter(bases_in_force(agreement, code, region.code, day, kind)), None)
                rows.append(
                    {
                        "region": region.code,
                        "measure": code,
                        "name_zh": measure.name_zh,
                        "aspect": measure.aspect,
                        "category": measure.category,
                        "kind": kind_of(measure),
                        "applies_to": kind,
                        "responder": region.responders[code],
                        "standing": standing_of(agreement, code, region.code, day, kind),
                        "basis": basis.id if basis else None,
                        "article": f"{basis.instrument}{basis.article or ''}" if basis else None,
                        "condition_zh": basis.condition_zh if basis else None,
                        "valid_to": basis.valid_to.isoformat() if basis and basis.valid_to else None,
                    }
                )
    return rows


def _draw(to: "Console", answer: Json) -> None:
    say(to, f"Agreement 协议 {answer['agreement']}, on {answer['on']}", "bold")
    say(
        to,
        f"{answer['criteria']} criteria 标准, {answer['measures']} measures 措施, {answer['bases']} articles 依据, "
        f"{answer['codes']} local codes 认定代码, {answer['conditions']} of them with conditions 判定条件, "
        f"{answer['cases']} test cases 测试用例.",
    )
    heads = ["region 地区", "measure 措施", "for 适用", "kind 性质", "standing 依据状况", "basis 依据", "article 条文"]
    rows = [
        [one["region"], one["measure"], one["applies_to"], words.word(words.KIND, one["kind"]),
         words.word(words.STANDING_IN_LAW, one["standing"]), one["basis"], one["article"]]
        for one in answer["standing"]
    ]  # fmt: skip
    table(to, "Measures and their legal basis 措施与依据", heads, rows, "article")
    for one in answer["objections"]:
        say(to, f"- {one['sentence']}")
    if answer["objections"]:
        say(to, f"{len(answer['objections'])} things stand against it. It should not be signed as it is.", "bold")
    else:
        say(to, "Nothing stands against it 未见异议.", "bold")
