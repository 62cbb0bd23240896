"""What a facts page says of its exchange mode (GB/T 39443-2020, 5.5 to 5.7): paths, file names or tables, as data.

``[service]``, ``[files]`` or ``[database]`` stands on the page, by its ``source.mode``; every setting but the names of
the four streams has a default. So a bureau in one of the three modes needs no code of its own.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from adapters.base import PAGE_LIMIT, PAGE_ROWS


class Part(BaseModel):
    """One part of a facts page: unknown settings are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _path(path: str) -> str:
    if path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")) or "?" in path:
        raise ValueError("a path behind the address, without a slash at its start or end, `..` or a query")
    return path


def _pattern(pattern: str) -> str:
    if "/" in pattern or pattern.startswith("."):
        raise ValueError("a file name, or a pattern with *, of one folder")
    return pattern


def _orders(name: str) -> str:
    if "{n}" not in name or "{time}" not in name or not name.endswith((".csv", ".xlsx")):
        raise ValueError("a name with {time} and {n} that ends in .csv or .xlsx")
    return _pattern(name)


Path = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_path)]
Pattern = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_pattern)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_\u4e00-\u9fff][\w\u4e00-\u9fff$]*$", max_length=128)]
"""The length stands apart: repeated so often within the pattern, its letters of all scripts took 13 MB of memory."""
STAMP = r"^\d{4}(\d{4}|[-/.]\d\d[-/.]\d\d)([ T]?\d\d:?\d\d(:?\d\d)?)?$"
"""A day, to the minute or second, as a sample of how a source writes times."""
Dotted = Annotated[str, Field(pattern=r"^(\w+(\.\w+)*)?$", max_length=100)]


class Asking(Part):
    """Names of the parameters of a question; an empty one is not sent."""

    limit: str = Field(default="limit", description="rows in a page")
    mark: str = Field(default="after", description="where to go on: the mark, or the cursor of a listing")
    page: str = Field(default="page", description="number of the page, from 1")
    since: str = Field(default="", description="rows changed at this time or later, written as `stamp`")
    fixed: dict[str, str] = Field(default={}, description="parameters that are always sent")


class Answering(Part):
    """Where things stand in an answer, as names joined by dots; an empty one is not there."""

    items: Dotted = Field(default="items", description="the list of rows; empty: the answer itself is the list")
    count: Dotted = Field(default="count", description="number of rows in this page: a page cut short is noticed")
    more: Dotted = Field(default="more", description="true or false: whether another page is ready")
    mark: Dotted = Field(default="after", description="where to go on")
    batch: Dotted = Field(default="batch", description="the idempotency key said back, in the answer to a delivery")
    received: Dotted = Field(default="received", description="number of orders taken, in the answer to a delivery")
    receipt: Dotted = Field(default="", description="acknowledgement number 受理号 of a delivery; it is kept")


class Sending(Part):
    """Names in the body of a delivery; the idempotency key also stands in the header `Idempotency-Key`."""

    batch: str = Field(default="batch", description="the idempotency key, made of the content; empty: header alone")
    rows: str = Field(default="rows", description="the list of orders; empty: the body itself is the list")


class Service(Part):
    """Service mode 服务方式: paths behind the address, how pages follow each other, how the node shows who it is."""

    penalties: Path = Field(description="path of the penalties 行政处罚")
    relief: Path = Field(description="path of relief 信用修复")
    orders: Path = Field(description="path to which orders 惩戒单 are posted")
    acknowledgements: Path = Field(description="path of acknowledgements 回执")
    login: Literal["token", "oauth2"] = Field(default="token", description="a token, or client credentials (OAuth 2.0)")
    token_path: Path | None = Field(
        default=None, description="where client credentials are given a token; or `source.token_url` in `syncd.toml`"
    )
    credentials: Literal["basic", "body"] = Field(
        default="basic", description="client id and secret by HTTP Basic, or as fields of the form"
    )
    scope: str = Field(default="", description="scope asked for with client credentials")
    paging: Literal["mark", "cursor", "page", "since"] = Field(
        default="mark",
        description="`mark`, valid for ever; `cursor` through one listing; `page` numbers; `since`, sorted by time",
    )
    paging_acknowledgements: Literal["mark", "cursor", "page"] = Field(
        default="mark", description="the same for acknowledgements; the first mark is 0"
    )
    page_rows: int = Field(default=PAGE_ROWS, ge=1, le=PAGE_LIMIT // 2, description="rows asked for at once")
    stamp: str = Field(
        default="2026-11-22 09:00:00", pattern=STAMP, description="how a time is written in the parameter `since`"
    )
    late_seconds: float = Field(default=600.0, ge=0, le=86_400, description="how long after its stamp a row may appear")
    ask: Asking = Asking()
    answer: Answering = Answering()
    send: Sending = Sending()

    @model_validator(mode="after")
    def _fits(self) -> "Service":
        if self.paging == "since" and not self.ask.since:
            raise ValueError("paging by since needs the parameter's name in ask.since")
        if self.paging == "mark" and self.ask.since:
            raise ValueError("ask.since goes with paging by cursor, page or since; a mark already says where to go on")
        if "mark" in (self.paging, self.paging_acknowledgements) and not (self.ask.mark and self.answer.mark):
            raise ValueError("paging by mark needs ask.mark and answer.mark")
        if "cursor" in (self.paging, self.paging_acknowledgements) and not (self.ask.mark and self.answer.mark):
            raise ValueError("paging by cursor needs ask.mark and answer.mark")
        if "page" in (self.paging, self.paging_acknowledgements) and not self.ask.page:
            raise ValueError("paging by page numbers needs ask.page")
        return self


class Files(Part):
    """Files mode 文件方式: file names, and how one knows that a file is whole."""

    penalties: Pattern = Field(description="files of penalties 行政处罚 in in/")
    relief: Pattern = Field(description="files of relief 信用修复 in in/")
    orders: Annotated[str, AfterValidator(_orders)] = Field(description="name of a file of orders 惩戒单 in out/")
    acknowledgements: Pattern = Field(description="files of acknowledgements 回执 in ack/")
    whole: Literal["renamed", "settled", "ok", "manifest"] = Field(
        default="renamed",
        description="renamed when whole; size and time settled; a .ok file beside it; or a manifest with its SHA-256",
    )
    settle_seconds: float = Field(default=30.0, ge=0, le=3600, description="how long a settled file stays unchanged")
    delimiter: Literal["", ",", ";", "\t", "|"] = Field(
        default="", description="what parts the cells of CSV; empty: the one sign that splits out the row key"
    )
    sheet: str = Field(default="", max_length=31, description="worksheet to read; empty: every visible one with a head")
    notes: list[str] = Field(
        default=["表格说明", "填表说明", "填写说明", "说明", "注：", "注:", "备注：", "合计"],
        description="how rows that are no records begin 表格说明; only such with two filled cells at most",
    )
    below: int = Field(default=0, ge=0, le=20, description="rows of instructions right below the head of a table")
    serials: bool = Field(default=False, description="CSV has serial numbers of a spreadsheet in its columns of days")
    done: Literal["stay", "moved"] = Field(
        default="stay", description="files stay once read, or are moved to done/ with a record of their SHA-256"
    )
    manifest: bool = Field(default=False, description="orders are written with a manifest of rows and SHA-256")


class Database(Part):
    """Database mode 数据库对接: tables of the front database 前置库."""

    penalties: Name = Field(description="table of penalties 行政处罚")
    relief: Name = Field(description="table of relief 信用修复")
    orders: Name = Field(description="table of orders 惩戒单")
    acknowledgements: Name = Field(description="table of acknowledgements 回执")
    schema_name: Name | None = Field(default=None, alias="schema", description="schema of the tables")
    number: Name = Field(default="seq", description="running number of the acknowledgements' table")
    stamp: str = Field(
        default="2026-11-22 09:00:00",
        pattern=STAMP,
        description="how stamps are written where their column is text; others are read, but with every pull",
    )
    late_seconds: float = Field(
        default=600.0, ge=0, le=86_400, description="how long after its stamp a row may be committed"
    )
