"""The month of one bureau while it is being written, and the register that invents its companies."""

from itertools import cycle
from random import Random

from schemas.identifiers import make_uscc
from syncd.demo.decisions import Clerk
from syncd.demo.dirt import DIRT, Dirt
from syncd.demo.formats import Row
from syncd.demo.places import Bureau, LocalCode, Places
from syncd.demo.scenario import Company, Expected, ExpectedFinding

SPECIAL = {dirt.criterion for dirt in DIRT.values() if dirt.criterion is not None}
"""Criteria that only dirt asks for: the catch-all, and the plain record that has none."""
POOL = {"POLLUTER": 18, "MONITORING_AGENCY": 3, "AUTO_MONITOR_OPERATOR": 3}
"""Companies of each bureau's own, by subject type."""
TRADES = {"POLLUTER": "polluter", "MONITORING_AGENCY": "monitoring", "AUTO_MONITOR_OPERATOR": "operator"}


class Registry:
    """Invents companies 登记: no name and no code twice."""

    def __init__(self, places: Places, random: Random) -> None:
        self._names, self._random = places.names, random
        self._taken: set[str] = set()

    def company(self, bureau: Bureau, subject_type: str, rare: bool = False) -> Company:
        """A company registered at or near a bureau's place; ``rare`` has a character outside GBK."""
        trades = self._names[f"{TRADES[subject_type]}_trades"]
        pick = self._random.choice
        while True:
            fancy = self._names["rare"] if rare else pick(self._names["fancy"])
            parts = {"p": pick(bureau.places), "f": fancy, "m": self._names["mark"], "t": pick(trades)}
            name = pick(self._names["patterns"]).format(**parts)
            uscc = make_uscc(pick(bureau.registered), f"MA{self._random.randrange(10**6):06d}")
            if not {name, uscc} & self._taken:
                self._taken |= {name, uscc}
                return Company(name, uscc, subject_type)


class Month:
    """One bureau's rows while they grow, with what must become of them."""

    def __init__(self, clerk: Clerk, registry: Registry) -> None:
        self.clerk, self.bureau = clerk, clerk.bureau
        self.rows: list[Row] = []
        self.relief: list[Row] = []
        self.findings: list[ExpectedFinding] = []
        self.expected = Expected()
        severe = [c for c in self.bureau.local_codes if c.criterion not in SPECIAL]
        self._codes = cycle(severe)
        self._pool = {
            kind: cycle([registry.company(self.bureau, kind) for _ in range(count)]) for kind, count in POOL.items()
        }

    def code(self, subject_type: str | None = None) -> LocalCode:
        """The next of the bureau's codes in turn, so that every criterion has its share."""
        return next(c for c in self._codes if subject_type in (None, c.subject_type))

    def own(self, subject_type: str) -> Company:
        """The next company of the bureau's own."""
        return next(self._pool[subject_type])

    def accept(self, company: Company, code: LocalCode) -> ExpectedFinding:
        """A clean row that becomes a finding."""
        row, finding = self.clerk.decide(company, code)
        self.add(row, finding)
        return finding

    def expect(self, dirt: Dirt) -> None:
        """Counts what must become of a soiled row, by its reason."""
        expected = self.expected
        by_reason = {
            "accepted": expected.held,
            "quarantined": expected.quarantined,
            "refused": expected.refused,
        }.get(dirt.outcome)
        if by_reason is not None and dirt.reason:
            by_reason[dirt.reason] = by_reason.get(dirt.reason, 0) + 1
        expected.waiting += dirt.outcome == "waiting"
        expected.duplicates += dirt.outcome == "repeated"

    def add(self, row: Row, finding: ExpectedFinding) -> None:
        """A row that becomes a finding."""
        self.rows.append(row)
        self.findings.append(finding)
        self.expected.accepted += 1
