"""The hole an adapter fills: three short methods between a bureau's own system and this node.

``pull`` brings rows of findings and relief as they stand in the source, ``push`` writes orders 惩戒单 into it, and
``acknowledgements`` reads back what its departments did 回执. An adapter never judges a row: the border verdict, the
limits and the narrowing of errors stand in ``source``, where no adapter can forget them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]

PAGE_ROWS = 500
"""Rows the modes ask for at once: a page stays in the processor's cache, and makes one signed batch."""

PAGE_LIMIT = 2_000
"""No page of a source may hold more rows; it bounds memory and the length of one transaction."""

FILE = "file"
"""Field of a fault that lies in a file and in no column; such a row is named by where it stood."""

RowKind = Literal["penalty", "relief"]
AckState = Literal["applied", "not_applicable", "refused", "lifted"]


class SourceError(Exception):
    """The only error that leaves an adapter: a sentence for the operator, without any value of a row.

    ``transient``: trying again later may help by itself (busy, down, a page cut off). Otherwise a person must act
    (a refused token, a missing table). Either way the cursor stays where it was and nothing is lost.
    """

    def __init__(self, sentence: str, transient: bool) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.transient = transient


class RowFault(Exception):
    """One row cannot be taken: the column, a reason code, a sentence for the source's clerk, and never the value."""

    def __init__(self, field: str, reason: str, sentence: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
        self.sentence = sentence


@dataclass(slots=True)
class RawRow:
    """A row as it stands in the source: every column by the source's own name, as text.

    ``key`` is the source's row key 主键; ``where`` says where it stood (file and line, table or path), without a value.
    ``fault`` is set where the adapter could not even read the row as columns (cut off, wrong number of cells).
    """

    kind: RowKind
    key: str
    fields: dict[str, str]
    where: str
    fault: RowFault | None = None


@dataclass(slots=True)
class Page:
    """One page of rows; ``cursor`` continues behind it and ``more`` says that another page is ready now.

    ``begun`` names files whose reading began with this page: what was wrong with them before is over, or said again.
    """

    rows: list[RawRow]
    cursor: Json
    more: bool
    begun: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ack:
    """What a department reports of one measure 回执: ``finding`` is the leaf (64 lower-case hex digits).

    ``counter`` is the version 版本号 it answers; ``on`` a day in Asia/Shanghai, ``2026-11-22``.
    """

    finding: str
    measure: str
    counter: int
    department: str
    state: AckState
    on: str


@dataclass(frozen=True, slots=True)
class AckFault:
    """An acknowledgement that cannot be read: where it stood, the column and a reason code."""

    where: str
    field: str
    reason: str


@dataclass(slots=True)
class AckPage:
    """One page of acknowledgements; those that cannot be read are in ``faults`` and stop no other."""

    rows: list[Ack]
    cursor: Json
    more: bool
    faults: list[AckFault] = field(default_factory=list)


class Adapter(ABC):
    """One bureau's system. A cursor is an opaque JSON object of at most 4 KiB; ``None`` means from the beginning.

    Every method raises only ``SourceError`` and is safe to repeat. ``pull`` is called by one thread at a time;
    ``push`` and ``acknowledgements`` may run beside it in another. A cursor may hold the key of the last row read.
    """

    again: Json | None = None
    """The cursor at which to begin when all was read before and is to be compared; None where it is the same."""

    @abstractmethod
    def pull(self, cursor: Json | None) -> Page:
        """Rows behind the cursor, oldest change first, at most ``PAGE_LIMIT``; a changed row comes again."""

    @abstractmethod
    def push(self, rows: Sequence[Json]) -> str:
        """Write orders 惩戒单; the same rows again change nothing. To return means that the source has them.

        What is returned is the receiver's acknowledgement number 受理号, empty where it gives none.
        """

    @abstractmethod
    def acknowledgements(self, cursor: Json | None) -> AckPage:
        """Acknowledgements behind the cursor, at most ``PAGE_LIMIT``; each may come more than once."""

    def close(self) -> None:  # noqa: B027 - most adapters hold nothing open
        """Let go of connections and open files."""


@contextmanager
def narrowed(doing: str) -> Iterator[None]:
    """Let only ``SourceError`` out. Any other error is named by its class alone: its text could quote a row."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:
        failed = f"The adapter failed while {doing} ({type(error).__name__}); nothing was kept of this step."
        then = "It is tried again at the next tick; if it stays, the adapter's author must look."
        raise SourceError(f"{failed} {then}", transient=True) from None
