"""The facts page of a source 来源说明: what a bureau's system is like, as data in ``config/sources/<bureau>.toml``.

An engineer reads her system's manual and writes this page; no code decides what a column means. Unknown settings are
refused, so that a slip of the pen is found at start-up and not in the register.
"""

import tomllib
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from pydantic import AfterValidator, Field, ValidationError, model_validator

from adapters.base import AckState, SourceError
from adapters.modes import Database, Files, Part, Service
from schemas.fault import Fault
from schemas.identifiers import canonical_uscc

ReliefKind = Literal[
    "relief.disputed",
    "relief.suspended",
    "relief.repaired",
    "relief.revoked",
    "relief.expired",
    "finding.upheld",
    "finding.resumed",
]

RowState = ReliefKind | Literal["in_force", "desk"]
"""State of a legacy row: in force, relieved, or of a kind that a person must look at."""


def _organ(code: str) -> str:
    try:
        return canonical_uscc(code)
    except Fault as fault:
        raise ValueError(fault.sentence) from None


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("a time zone of the IANA database, for example Asia/Shanghai") from None


UNNAMED_PUBLISHER = "（填写：发布单位）"
"""Stands on a page that nobody has filled in yet; a node does not start with it."""


class Publisher(Part):
    """Who publishes the rows 发布单位, and the organ that decides where a row does not say."""

    code: str = Field(pattern="^[1-9][0-9]{5}$", description="GB/T 2260 区划代码; also the bureau's own place")
    name: str = Field(min_length=1, max_length=100, description="its name, as it stands in its decisions")
    organ: Annotated[str, AfterValidator(_organ)] = Field(description="处罚机关代码, where CF_CFJGDM is empty")


class Origin(Part):
    """The system itself: which of the three modes, how often it changes, and how it writes time and text."""

    id: str = Field(pattern="^[a-z0-9][a-z0-9-]{0,31}$", description="stands in each finding's source.id")
    mode: Literal["service", "files", "database"] = Field(description="how its system is reached 交换方式")
    rhythm_seconds: float = Field(gt=0, description="how often something new may be there")
    time_zone: Annotated[str, AfterValidator(_zone)] = Field(
        default="Asia/Shanghai", description="of its stamps and days, by its IANA name"
    )
    encoding: list[Literal["utf-8", "gb18030", "gbk"]] = Field(min_length=1, description="tried in this order")


class Columns(Part):
    """The columns beside the thirty of 双公示, and other names under which the thirty occur here."""

    row: str = Field(description="row key 主键")
    determination: str = Field(description="the bureau's own determination 认定代码; empty means: not determined")
    place: str = Field(description="explicit place 属地, six digits; never derived from an organ's name")
    published: str = Field(description="published on 公示日期")
    review: str = Field(description="open to review 复议、诉讼")
    updated: str = Field(description="updated at 更新时间")
    served: str = Field(default="", description="day of service 送达日期; empty: none")
    perform_by: str = Field(default="", description="last day for performing the decision 履行期限届满日; empty: none")
    performed: str = Field(default="", description="whether it was performed 履行情况; see [performance]")
    related: str = Field(default="", description="number of the decision against the client 关联文号; empty: none")
    review_until: str = Field(default="", description="last day of the period for review 复议诉讼期满日; empty: none")
    aliases: dict[str, str] = Field(default={}, description="this source's name of a column → the standard's")
    ignored: list[str] = Field(default=[], description="known to be of no use here: neither read nor hashed")
    state: str = Field(default="", description="state of the row itself 当前状态, as in legacy tables; see [state]")
    odd: dict[str, dict[str, str]] = Field(
        default={}, description="known odd values: column → value met here → what it stands for, empty for nothing"
    )

    @property
    def own(self) -> list[str]:
        """The names of all columns that this source has beside the thirty."""
        return [name for name in self.model_dump(exclude={"aliases", "ignored", "odd"}).values() if name]


class Review(Part):
    """Finality: values of the review column that keep a row waiting, and those that let it pass; others are faults."""

    open: list[str] = Field(min_length=1, description="the row waits")
    closed: list[str] = Field(min_length=1, description="the decision is final; the empty text counts as a value")


class Performance(Part):
    """Performance 履行: values of the performed column, and values of the review column that say nothing was sought."""

    done: list[str] = Field(min_length=1, description="was performed")
    undone: list[str] = Field(min_length=1, description="was not performed")
    uncontested: list[str] = Field(default=["", "无"], description="neither 复议 nor 诉讼 was ever sought")


class Expected(Part):
    """What a cycle brings 每周期应报: fewer or none 漏报, or far more, is noticed. Least and most rows of each kind."""

    cycle_hours: float = Field(
        gt=0, le=24 * 366, description="hours of working days in a cycle; 24.0 a day, 120.0 a week"
    )
    penalties: tuple[int, int] = Field(
        default=(0, 1_000_000), description="least and most new or changed penalty rows in a cycle"
    )
    relief: tuple[int, int] = Field(
        default=(0, 1_000_000), description="least and most new or changed relief rows in a cycle"
    )


class Legacy(Part):
    """What fills the gaps of rows with the columns of 2016 to 2018, where a source still has them.

    Such rows lack CF_CFJGDM (``publisher.organ`` stands in), CF_XDR_LB (the code says it), CF_YXQ (none stated) and
    CF_WFXW, for which ``violations`` gives the text by local code.
    """

    violations: dict[str, str] = Field(default={}, description="local code → 违法行为类型, where CF_WFXW is empty")


class SourceFacts(Part):
    """One source. ``illustrative`` says that the bureau's real format was not found and this one is made up."""

    illustrative: bool
    publisher: Publisher
    source: Origin
    service: Service | None = None
    files: Files | None = None
    database: Database | None = None
    columns: Columns
    review: Review
    state: dict[str, RowState] = Field(default={}, description="value of the state column → what the row is then")
    performance: Performance | None = None
    expected: Expected | None = None
    legacy: Legacy = Legacy()
    relief: dict[str, ReliefKind] = Field(description="status value of a relief row → kind of entry")
    feedback: dict[str, AckState] = Field(description="status value of an acknowledgement 回执 → state")
    push: list[str] = Field(min_length=1, description="columns of an order 惩戒单, in this order")

    @model_validator(mode="after")
    def _fits(self) -> "SourceFacts":
        sections = {"service": self.service, "files": self.files, "database": self.database}
        if [name for name, section in sections.items() if section] != [self.source.mode]:
            raise ValueError(f"with source.mode {self.source.mode} the page has just the section [{self.source.mode}]")
        if bool(self.columns.state) != bool(self.state):
            raise ValueError("columns.state and the section [state] go together")
        if bool(self.columns.performed) != (self.performance is not None):
            raise ValueError("columns.performed and the section [performance] go together")
        return self

    @property
    def unnamed(self) -> bool:
        """Whether the page still names no publisher, as ``new`` writes it."""
        return self.publisher.name == UNNAMED_PUBLISHER

    @property
    def place(self) -> str:
        """The bureau's own region, GB/T 2260."""
        return self.publisher.code


def parse_facts(data: bytes) -> SourceFacts:
    """Read a facts page. Raises ``SourceError`` that names the setting at fault, never its value."""
    try:
        return SourceFacts.model_validate_json(orjson.dumps(tomllib.loads(data.decode("utf-8"))))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError) as error:
        raise SourceError(f"The facts page is not valid TOML in UTF-8: {error}.", transient=False) from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'page'}: {e['msg']}" for e in error.errors())
        raise SourceError(f"The facts page of the source cannot be used: {faults}.", transient=False) from None
