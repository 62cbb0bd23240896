"""The generator: a believable month for each bureau, from ``config/demo`` and one fixed seed.

Nothing is random but what the seed says: the same day gives the same rows. Each bureau's month uses every
criterion of the agreement; some companies have findings in two or three places; the dirt is that of ``dirt``.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import cycle
from random import Random
from typing import Any

from syncd.demo.decisions import Clerk
from syncd.demo.dirt import DIRT
from syncd.demo.formats import Row
from syncd.demo.month import Month, Registry
from syncd.demo.places import LocalCode, Places, load_places
from syncd.demo.scenario import Company, ExpectedFinding, Load, Scenario, StoryLine, Twin


def generate(today: date, places: Places | None = None) -> Scenario:
    """The scenario for a day (Asia/Shanghai); reads ``config/demo`` unless it is given."""
    return _Generator(today, places or load_places()).scenario()


class _Generator:
    def __init__(self, today: date, places: Places) -> None:
        self._today, self._places, self._plan = today, places, places.plan
        random = Random(self._plan["seed"])
        self._registry = Registry(places, random)
        self._months = {
            code: Month(Clerk(bureau, places, today, random), self._registry) for code, bureau in places.bureaus.items()
        }
        self._random = random

    def scenario(self) -> Scenario:
        """Stories first, then shared companies, the twin, the dirt, and plain rows up to the number."""
        stories = {line.name: line for line in map(self._story, self._plan["story"])}
        shared = dict(self._shared(self._plan["shared"]))
        twin = self._twin(self._plan["twin"])
        for code, kinds in self._plan["dirt"].items():
            for kind in kinds:
                self._soil(self._months[code], kind)
        for month in self._months.values():
            while len(month.rows) < self._plan["rows"]:
                local = month.code()
                month.accept(month.own(local.subject_type), local)
        return Scenario(
            self._today,
            {code: self._load(month) for code, month in self._months.items()},
            stories,
            shared,
            twin,
            tuple(finding for month in self._months.values() for finding in month.findings),
            (*self._places.names["persons"], self._places.names["person_number"], *self._places.marks),
        )

    def _story(self, line: dict[str, Any]) -> StoryLine:
        first = self._places.bureaus[line["findings"][0]["bureau"]]
        company = self._registry.company(first, "POLLUTER")
        findings, live = [], None
        for one in line["findings"]:
            month = self._months[one["bureau"]]
            row, finding = month.clerk.decide(company, month.bureau.codes_for(one["criterion"])[0], days_ago=4)
            findings.append(finding)
            if line.get("live"):
                live = row
            else:
                month.add(row, finding)
        said = line["relief"]
        month, early = self._months[said["bureau"]], line.get("early", False)
        about = next(finding for finding in findings if finding.bureau == said["bureau"])
        on = self._today - timedelta(days=2 if early else 0)
        relief = _relief(about, said["state"], said["ground"], on)
        if early:
            month.relief.append(relief)
        return StoryLine(
            line["name"], company, tuple(findings), live, about, said["state"], relief, early, line["ends"]
        )

    def _shared(self, count: int) -> Iterator[tuple[Company, tuple[str, ...]]]:
        """Companies with findings in two places, every third in all; a service agency among each handful."""
        codes = list(self._months)
        kinds = cycle(["POLLUTER", "POLLUTER", "MONITORING_AGENCY", "POLLUTER", "AUTO_MONITOR_OPERATOR"])
        for number, kind in zip(range(count), kinds, strict=False):
            home = codes[number % len(codes)]
            active = codes if number % 3 == 2 else [home, codes[(number + 1) % len(codes)]]
            company = self._registry.company(self._places.bureaus[home], kind)
            for place in active:
                self._months[place].accept(company, self._months[place].code(kind))
            yield company, tuple(active)

    def _twin(self, plan: dict[str, str]) -> Twin:
        """A decision by an organ that both bureaus have; each holds a row, with its own key and code."""
        owner, other = self._months[plan["owner"]], self._months[plan["copy"]]
        organs = {organ.code for organ, _ in other.bureau.decides}
        company = self._registry.company(owner.bureau, "POLLUTER")
        code = owner.bureau.codes_for(plan["criterion"])[0]
        row, finding = owner.clerk.decide(company, code)
        while finding.organ not in organs:
            row, finding = owner.clerk.decide(company, code)
        owner.add(row, finding)
        copy = other.clerk.restyled(row)
        copy |= {
            "ID": other.clerk.next_row(finding.decided_on.year),
            "RDDM": other.bureau.codes_for(plan["criterion"])[0].code,
            "CF_SJLY": other.bureau.unit.name,
            "CF_SJLYDM": other.bureau.unit.code,
        }
        other.rows.append(copy)
        other.expected.linked += 1
        return Twin(finding, other.bureau.code, copy["ID"])

    def _soil(self, month: Month, kind: str) -> None:
        dirt = DIRT[kind]
        code = month.code() if dirt.criterion is None else month.bureau.codes_for(dirt.criterion)[0]
        if kind == "rare_character":
            company = self._registry.company(month.bureau, code.subject_type, rare=True)
        else:
            company = month.own(code.subject_type)
        if kind == "unknown_code":
            code = LocalCode(self._plan["unknown_code"], code.criterion, code.subject_type)
        row, finding = month.clerk.decide(company, code)
        if dirt.outcome == "repeated":
            month.add(row, finding)
            row = dict(row)
        dirt.soil(row, month.clerk)
        if dirt.outcome == "accepted":
            month.add(row, replace(finding, criterion="") if dirt.reason == "unmapped" else finding)
        else:
            month.rows.append(row)
        month.expect(dirt)

    def _load(self, month: Month) -> Load:
        month.expected.rows = len(month.rows)
        self._random.shuffle(month.rows)
        return Load(month.bureau.code, tuple(month.rows), tuple(month.relief), month.expected)


def _relief(finding: ExpectedFinding, state: str, ground: str, on: date) -> Row:
    """A relief row that names its decision by number, organ and organisation, as sources do."""
    return {
        "ID": f"XF-{finding.row}",
        "CF_WSH": finding.number,
        "CF_CFJGDM": finding.organ,
        "CF_XDR_SHXYM": finding.company.uscc,
        "XF_ZT": state,
        "XF_LX": ground,
        "XF_WS": f"{finding.number}之一",
        "XF_RQ": f"{on:%Y-%m-%d}",
        "GXSJ": "",
    }
