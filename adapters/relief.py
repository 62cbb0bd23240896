"""The relief row 信用修复: what the bureau says about its own finding afterwards, and how one row is read.

No public format was found; the columns are illustrative: ``XF_ZT`` status, ``XF_LX`` ground code, ``XF_WS`` document
number, ``XF_RQ`` date, and the decision's number, organ and organisation, by which the finding is found.

Relief favours the organisation, so only the status and what names the finding can keep a row back. What stands beside
them and cannot be read is left out, and without it the widest reading holds.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from adapters.base import Json, RowFault
from adapters.facts import SourceFacts
from adapters.penalty import bounded, plain, read_iso_day, read_number, read_organ, row_fault
from adapters.persons import ask_identity, ask_identity_on_end
from schemas.fault import Fault
from schemas.identifiers import canonical_uscc

COLUMNS: tuple[str, ...] = (
    "CF_WSH",
    "CF_CFJGDM",
    "CF_XDR_SHXYM",
    "XF_ZT",
    "XF_LX",
    "XF_WS",
    "XF_RQ",
)
UNSTATED = "unstated"
"""Ground code 理由代码 of a relief row that gives none we can read."""

ADVERSE = frozenset({"finding.upheld", "finding.resumed"})
"""These put a finding in force again: a fault in any column keeps them back."""

_GROUND = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@#-]{0,63}", re.ASCII)


class Relief(NamedTuple):
    """A relief row as read: kind of entry, what names the finding, and the body ``relief/1.0``."""

    kind: str
    organ: str
    number: str
    uscc: str
    body: Json
    left_out: tuple[RowFault, ...]


def read_relief(fields: Mapping[str, str], facts: SourceFacts) -> Relief:
    """Read one row; ``XF_RQ`` is the day from which it holds, and of a dispute 异议 also the day it was received.

    Raises ``RowFault`` where the finding or the status cannot be read, and for any fault in an adverse row.
    """
    kind = facts.relief.get(fields.get("XF_ZT", "").strip())
    if kind is None:
        sentence = "The status is not on the facts page; the source must correct it, or add it to the page."
        raise RowFault("XF_ZT", "unknown_value", sentence)
    organ, number, uscc = _decision(fields, facts)
    left_out: list[RowFault] = []

    def beside(field: str, read: Callable[[str], str | None]) -> str | None:
        try:
            return read(fields.get(field, ""))
        except Fault as fault:
            if kind in ADVERSE:
                raise row_fault(field, fault) from None
            left_out.append(row_fault(field, fault))
            return None

    day = beside("XF_RQ", read_iso_day)
    body: Json = {
        "schema": "relief/1.0",
        "ground": beside("XF_LX", _read_ground) or UNSTATED,
        "by": organ,
        "document": beside("XF_WS", _read_document),
        "received_on": day if kind == "relief.disputed" else None,
        "effective_from": day,
        "clears": [],
    }
    return Relief(kind, organ, number, uscc, body, tuple(left_out))


def relief_of_state(kind: str, fields: Mapping[str, str], facts: SourceFacts) -> Relief:
    """What a penalty row's own state 当前状态 says of its decision, as relief. Raises ``RowFault``."""
    organ, number, uscc = _decision(fields, facts)
    body: Json = {"schema": "relief/1.0", "ground": "row_state", "by": organ, "document": None, "received_on": None,
                  "effective_from": None, "clears": []}  # fmt: skip
    return Relief(kind, organ, number, uscc, body, ())


def _decision(fields: Mapping[str, str], facts: SourceFacts) -> tuple[str, str, str]:
    """Organ, number and organisation: what finds the finding."""
    at = ""
    try:
        organ = read_organ(fields.get(at := "CF_CFJGDM", ""), facts)
        number = read_number(fields.get(at := "CF_WSH", ""))
        ask_identity_on_end(number)
        uscc = canonical_uscc(fields.get(at := "CF_XDR_SHXYM", ""))
    except Fault as fault:
        raise row_fault(at, fault) from None
    return organ, number, uscc


def _read_ground(text: str) -> str:
    ground = text.strip()
    ask_identity(ground)
    if ground and not _GROUND.fullmatch(ground):
        raise Fault("invalid", "The ground is no code and counts as unstated; the source should correct it.")
    return ground


def _read_document(text: str) -> str | None:
    document = bounded(plain(text), 0, 128)
    ask_identity(document)
    return document or None
