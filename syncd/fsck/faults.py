"""What a check finds: each fault names its record, and says whether what is wrong can be derived again."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

KEPT: Final = 1_000
"""Faults that are listed; all are counted."""
Told = Callable[[str, int], None]
"""Told of progress: what is being looked at, and how many records more are done."""


class Fault(NamedTuple):
    """``part``: where it was found, as ``syncd/fsck/tables.py`` names it. ``record`` names the record.

    ``derivable``: it follows from what is there otherwise, so that ``--repair`` may write it again.
    """

    part: str
    record: str
    code: str
    derivable: bool = False
    detail: str = ""


@dataclass(slots=True)
class Report:
    """All that was found, and how much of it was mended."""

    faults: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)
    mended: int = 0
    derivable: int = 0

    def add(self, fault: Fault) -> None:
        """Note a fault; the first ones are listed, all are counted by part and code."""
        self.counts[f"{fault.part}.{fault.code}"] += 1
        self.derivable += fault.derivable
        if len(self.faults) < KEPT:
            self.faults.append(fault)

    @property
    def total(self) -> int:
        """How many faults there are."""
        return sum(self.counts.values())

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, or nothing is left that is wrong."""
        return self.total == self.mended
