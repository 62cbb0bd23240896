"""What the demonstration claims, checked: against the three stores and read back from the three bureau systems.

Each check returns a sentence for what does not hold; no sentence means that all of it does.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from syncd.demo.scenario import Scenario
from syncd.demo.site import Site
from syncd.flows.inquiry import Inquiry
from syncd.reading import open_books
from syncd.store import desk, sourcebook

Json = dict[str, Any]
Registers = dict[str, dict[str, Json]]


def read_registers(sites: Mapping[str, Site], day: dt.date) -> Registers:
    """Each node's register by organisation, read from its store."""
    registers: Registers = {}
    for code, site in sites.items():
        with open_books(site.settings) as books:
            registers[code] = {one["uscc"]: one for one in Inquiry(books).register(None, day)}
    return registers


def faults(sites: Mapping[str, Site], scenario: Scenario, day: dt.date) -> list[str]:
    """Everything that does not hold."""
    registers = read_registers(sites, day)
    found = [*_findings(scenario, registers), *_ends(sites, scenario, registers), *_systems(sites, registers)]
    for code, site in sites.items():
        found += _border(code, site, scenario)
        found += _nothing_of_a_person(code, site, scenario)
    return found


def _findings(scenario: Scenario, registers: Registers) -> Iterator[str]:
    """Every expected finding is in every register, and nothing else is."""
    live = [finding for line in scenario.stories.values() if line.live is not None for finding in line.findings]
    expected = {(finding.company.uscc, finding.number) for finding in [*scenario.findings, *live]}
    for code, register in registers.items():
        held = {(uscc, finding["number"]) for uscc, one in register.items() for finding in one["findings"]}
        if held != expected:
            differ = len(held ^ expected)
            yield f"{code} holds {len(held)} findings where {len(expected)} are expected ({differ} differ)"


def _ends(sites: Mapping[str, Site], scenario: Scenario, registers: Registers) -> Iterator[str]:
    """Each company of the story stands as told, in every register and in every bureau system."""
    for line in scenario.stories.values():
        for code, site in sites.items():
            held = registers[code].get(line.company.uscc)
            standing = held["standing"] if held else "unknown"
            if standing != line.ends:
                yield f"{line.name}: {line.company.name} is {standing} in the register of {code}, not {line.ends}"
            applied = bool(site.home.held(line.company.uscc))
            if applied != (line.ends == "restricted"):
                yield f"{line.name}: the system of {code} {'still restricts' if applied else 'does not restrict'} it"


def _systems(sites: Mapping[str, Site], registers: Registers) -> Iterator[str]:
    """What a bureau system applies is exactly what its node's register has in force."""
    for code, site in sites.items():
        applied = {(order["CJD_RDBH"], order["CJD_CS"]) for order in site.home.held(None)}
        in_force = {
            (finding["finding"], measure["id"])
            for one in registers[code].values()
            for finding in one["findings"]
            for measure in finding["measures"]
        }
        if applied != in_force:
            yield f"the system of {code} applies {len(applied)} measures, its register has {len(in_force)} in force"


def _border(code: str, site: Site, scenario: Scenario) -> Iterator[str]:
    """Counts at the border: refused, quarantined by reason, linked, waiting for a person."""
    expected = scenario.loads[code].expected
    with open_books(site.settings) as books, books.store.read() as conn:
        board = sourcebook.read_board(conn)
        items = desk.listing(conn)
    source = next((facts for name, facts in board.items() if name.startswith("source:")), {})
    if source.get("refused", {}) != expected.refused:
        yield f"{code} refused {source.get('refused')} at its border, {expected.refused} were expected"
    quarantined: dict[str, int] = {}
    for item in items:
        if item.kind == "quarantine":
            quarantined[item.reason] = quarantined.get(item.reason, 0) + 1
    if quarantined != expected.quarantined:
        yield f"{code} quarantined {quarantined}, {expected.quarantined} were expected"
    linked = sum(1 for item in items if item.kind == "linked")
    if linked != expected.linked:
        yield f"{code} linked {linked} rows, {expected.linked} were expected"


def _nothing_of_a_person(code: str, site: Site, scenario: Scenario) -> Iterator[str]:
    """No name or number of a person, and no free text, in any file of the node or line of its log."""
    for path in _files_of(site.folder):
        data = path.read_bytes()
        for word in scenario.must_not_appear:
            if word.encode() in data or word.encode("gb18030") in data:
                yield f"{path.name} of {code} holds something of a person or a free text"
                break


def _files_of(folder: Path) -> list[Path]:
    """Everything of the node itself: the stand-in's own folder is the source and may hold it."""
    own = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in own if "system" not in path.relative_to(folder).parts]
