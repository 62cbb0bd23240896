"""What comes out of the border verdict: records to share, and what waits, is in quarantine or only counted.

Nothing here holds a value of a column that is not to be shared: a row is named by its key and a keyed hash.
"""

from collections import Counter
from dataclasses import dataclass, field

from adapters.base import Json, RowFault, RowKind


@dataclass(frozen=True, slots=True)
class Beside:
    """What a penalty row says beside the finding and only its own bureau needs; None and empty where it says nothing.

    ``served_on`` 送达日期, ``perform_by`` 履行期限, ``performed`` 履行情况, ``contested`` 曾申请复议或起诉.
    ``related`` 关联文号: number of the decision against the client, in normal form. Days as ``2026-11-22``.
    """

    served_on: str | None = None
    perform_by: str | None = None
    performed: bool | None = None
    contested: bool | None = None
    related: str | None = None


@dataclass(slots=True)
class FindingRecord:
    """A penalty row that may be shared: ``body`` is ``finding/1.0`` with ``criterion`` and ``subject.type`` None.

    ``digest`` is HMAC-SHA256 (hex) of the raw row; another digest means that the row was changed. ``updated`` is the
    source's own stamp 更新时间 as ``YYYY-MM-DD HH:MM:SS.ffffff`` in the source's time zone: of two versions the later
    one holds. It is empty where the source has none or it cannot be read as a time, and then says nothing about order.
    ``where`` says where the row stood: file and line, table or path. ``beside`` is None where the source has no columns
    for it.
    """

    row: str
    digest: str
    updated: str
    body: Json
    where: str = ""
    beside: Beside | None = None


@dataclass(slots=True)
class ReliefRecord:
    """A relief row 信用修复: ``kind`` is the ledger's entry kind; organ, number and ``uscc`` find the finding.

    ``row`` begins with ``relief/``: a penalty and a relief row of one source may have the same key.
    ``left_out`` names what could not be read beside it: relief is never kept back for a bad date or ground.
    """

    row: str
    digest: str
    updated: str
    kind: str
    organ: str
    number: str
    uscc: str
    body: Json
    left_out: tuple[RowFault, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that cannot be accepted 隔离: source key, column, reason code, sentence, and a keyed hash of the row.

    ``where`` says where it stood (file and line, table, path). A fault of a file has that as key, ``file`` as field.
    """

    row: str
    digest: str
    field: str
    reason: str
    sentence: str
    where: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A penalty that is not final 未生效 or not public yet; ``reason`` is the source's value or a code of ``finality``.

    It comes again when the source changes it, or may be taken from the day ``taken_on`` (``2026-11-22``) on.
    """

    row: str
    digest: str
    updated: str
    reason: str
    taken_on: str = ""


@dataclass(slots=True)
class Collected:
    """One page after the border verdict; ``cursor`` continues behind it.

    Every row is somewhere: rows = records + quarantined + waiting + duplicates + the sum of refused (``balanced``).
    ``refused`` counts by ``natural_person`` and ``sole_proprietor`` and keeps nothing else of them. ``personal``
    counts filled personal columns by name; ``unknown_columns`` names columns no list knows, whose values were dropped;
    names that may themselves be content of a row stand there together as ``unnamed column``. ``columns`` has by kind of
    row the columns that were met, ``renamed`` the source's own names of some of them. ``states`` holds what rows
    with a state of their own 当前状态 say of their finding. ``begun`` names files that were read from their beginning.
    """

    cursor: Json
    more: bool
    rows: int = 0
    records: list[FindingRecord | ReliefRecord] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    personal: Counter[str] = field(default_factory=Counter)
    unknown_columns: set[str] = field(default_factory=set)
    columns: dict[RowKind, set[str]] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    duplicates: int = 0
    states: dict[str, str] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Whether every row that came in is accounted for."""
        kept = len(self.records) + len(self.quarantined) + len(self.waiting)
        return self.rows == kept + self.duplicates + self.refused.total()
