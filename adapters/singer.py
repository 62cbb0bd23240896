"""Singer out: a source's normalised records as messages of the Singer protocol (SCHEMA, RECORD, STATE; one a line).

Two streams, ``findings`` and ``relief``, flat but for the kinds of penalty, with the source row's name as key. What a
reader gets has passed the whole border: no person, no free text. Rows that wait or are in quarantine are not records;
a row that was changed comes again under its key. The state holds the cursor, which means the same as everywhere here.
https://github.com/singer-io/getting-started/blob/master/docs/SPEC.md
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from adapters.base import Json, SourceError
from adapters.records import Collected, FindingRecord, ReliefRecord
from adapters.source import Source

FINDINGS, RELIEF = "findings", "relief"
_TEXT: Json = {"type": "string"}
_MAYBE: Json = {"type": ["string", "null"]}
_DAY: Json = {"type": "string", "format": "date"}
_NO_DAY: Json = {"type": ["string", "null"], "format": "date"}
_COLUMNS: dict[str, dict[str, Json]] = {
    FINDINGS: {
        "row": _TEXT, "source": _TEXT, "updated": _TEXT, "uscc": _TEXT, "name": _TEXT, "organ": _TEXT, "number": _TEXT,
        "decided_on": _DAY, "published_on": _DAY, "place": _TEXT, "local_code": _TEXT, "violation": _TEXT,
        "legal_basis": _TEXT, "kinds": {"type": "array", "items": _TEXT}, "fine": _MAYBE, "confiscated": _MAYBE,
        "measures_end": _NO_DAY, "publicity_ends": _NO_DAY,
    },
    RELIEF: {
        "row": _TEXT, "source": _TEXT, "updated": _TEXT, "kind": _TEXT, "uscc": _TEXT, "organ": _TEXT, "number": _TEXT,
        "ground": _TEXT, "document": _MAYBE, "effective_from": _NO_DAY, "received_on": _NO_DAY,
    },
}  # fmt: skip


def schemas() -> list[Json]:
    """What comes before all records: the streams and their columns."""
    return [
        {"type": "SCHEMA", "stream": stream, "schema": _schema(stream), "key_properties": ["row"],
         "bookmark_properties": ["updated"]}
        for stream in _COLUMNS
    ]  # fmt: skip


def catalog() -> Json:
    """What ``--discover`` answers."""
    streams = [
        {"tap_stream_id": stream, "stream": stream, "schema": _schema(stream), "key_properties": ["row"],
         "metadata": [{"breadcrumb": [], "metadata": {"selected": True, "table-key-properties": ["row"]}}]}
        for stream in _COLUMNS
    ]  # fmt: skip
    return {"streams": streams}


def messages(source: Source, state: Json, today: dt.date | None = None) -> Iterator[Json]:
    """All messages behind a state, page by page; after each page the state behind it. Raises ``SourceError``.

    A reader that stops between two states reads that page again, which changes nothing under its keys. ``first`` of the
    state is the first day on which a row that waits may be taken. Its source need not change it then, so from that day
    on all is read once more. ``today`` is a day in the source's time zone.
    """
    name, cursor, first = source.facts.source.id, _cursor(source, state), str(state.get("first") or "")
    day = today or dt.datetime.now(ZoneInfo(source.facts.source.time_zone)).date()
    if first and first <= day.isoformat():
        cursor, first = None, ""
    yield from schemas()
    while True:
        page = source.collect(cursor, day)
        yield from _records(page, name)
        cursor = page.cursor
        first = min([one.taken_on for one in page.waiting if one.taken_on] + ([first] if first else []), default="")
        yield {"type": "STATE", "value": {"source": name, "cursor": cursor, "first": first}}
        if not page.more:
            return


def line_of(message: Json) -> bytes:
    """A message as it is written."""
    return orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE)


def read_state(data: bytes) -> Json:
    """A state file: what the last STATE message held, or an empty object. Raises ``SourceError``."""
    try:
        state = orjson.loads(data or b"{}")
    except orjson.JSONDecodeError:
        state = None
    if not isinstance(state, dict):
        raise SourceError("The state file holds no JSON object; nothing was read.", transient=False)
    return state


def _cursor(source: Source, state: Json) -> Json | None:
    cursor = state.get("cursor")
    if state and (state.get("source") != source.facts.source.id or not isinstance(cursor, dict)):
        raise SourceError("The state is of another source or of another tap; nothing was read.", transient=False)
    return cursor


def _schema(stream: str) -> Json:
    return {"type": "object", "additionalProperties": False, "properties": _COLUMNS[stream]}


def _records(page: Collected, source: str) -> Iterator[Json]:
    for one in page.records:
        finding = isinstance(one, FindingRecord)
        record = _finding(one) if isinstance(one, FindingRecord) else _relief(one)
        said = {"row": one.row, "source": source, "updated": one.updated, **record}
        yield {"type": "RECORD", "stream": FINDINGS if finding else RELIEF, "record": said}


def _finding(one: FindingRecord) -> dict[str, Any]:
    body = one.body
    return {
        "uscc": body["subject"]["uscc"], "name": body["subject"]["name"], "organ": body["key"]["organ"],
        "number": body["key"]["number"], "decided_on": body["decided_on"], "published_on": body["published_on"],
        "place": body["place"], "local_code": body["local_code"], "violation": body["violation"],
        "legal_basis": body["legal_basis"], "kinds": body["kinds"], "fine": body["amount"]["fine"],
        "confiscated": body["amount"]["confiscated"], "measures_end": body["ends"]["measures"],
        "publicity_ends": body["ends"]["publicity"],
    }  # fmt: skip


def _relief(one: ReliefRecord) -> dict[str, Any]:
    body = one.body
    return {
        "kind": one.kind, "uscc": one.uscc, "organ": one.organ, "number": one.number, "ground": body["ground"],
        "document": body["document"], "effective_from": body["effective_from"], "received_on": body["received_on"],
    }  # fmt: skip
