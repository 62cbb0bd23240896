"""A scenario: the rows of a believable month in each bureau, the story's companies, and what must come of it.

Made by ``generator``; the demonstration checks what the three registers and the three bureau systems hold
against it. Rows are as their source writes them; numbers, codes and names here are in the standard's form.
"""

from dataclasses import dataclass, field
from datetime import date

from syncd.demo.formats import Row


@dataclass(frozen=True, slots=True)
class Company:
    """An invented organisation: registered name (full-width brackets), USCC, subject type."""

    name: str
    uscc: str
    subject_type: str


@dataclass(frozen=True, slots=True)
class ExpectedFinding:
    """A row that must become a finding in its bureau's log."""

    bureau: str
    row: str
    company: Company
    organ: str
    number: str
    local_code: str
    criterion: str
    decided_on: date


@dataclass(slots=True)
class Expected:
    """What must become of one bureau's first rows.

    ``rows`` penalty rows in all; of them ``accepted`` become findings, ``refused`` leave only a count,
    ``quarantined`` stand on the desk by reason, ``waiting`` are open to review, ``duplicates`` repeat another
    row, ``linked`` belong to another bureau by their explicit place. ``held`` counts, by reason, accepted
    findings that are shared but restrict nobody until a person has looked.
    """

    rows: int = 0
    accepted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    waiting: int = 0
    duplicates: int = 0
    linked: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """What stands in one bureau's own system when the demonstration begins."""

    bureau: str
    penalties: tuple[Row, ...]
    relief: tuple[Row, ...]
    expected: Expected


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One company of the story: its findings, the row that comes live (or None), and the relief that follows.

    ``relief`` is about the finding ``relieved`` and comes live too, unless ``early`` says that it stands among
    the first rows. ``ends`` is the standing in all places when all is said: ``restricted`` or ``clear``.
    """

    name: str
    company: Company
    findings: tuple[ExpectedFinding, ...]
    live: Row | None
    relieved: ExpectedFinding
    relief_state: str
    relief: Row
    early: bool
    ends: str

    @property
    def relief_bureau(self) -> str:
        """Where the relief row is written: only the bureau that made the finding can relieve it."""
        return self.relieved.bureau


@dataclass(frozen=True, slots=True)
class Twin:
    """One decision in two sources: the owner's row is the finding, the copy is linked at the other's desk."""

    finding: ExpectedFinding
    copy_bureau: str
    copy_row: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything the demonstration needs to know; days in Asia/Shanghai."""

    today: date
    loads: dict[str, Load]
    stories: dict[str, StoryLine]
    shared: dict[Company, tuple[str, ...]]
    twin: Twin
    findings: tuple[ExpectedFinding, ...]
    must_not_appear: tuple[str, ...]
