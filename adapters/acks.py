"""The acknowledgement 回执 of an order: six columns, the same in every mode.

``HZ_RDBH`` finding, ``HZ_CS`` measure, ``HZ_BBH`` counter, ``HZ_BM`` department, ``HZ_ZT`` status, ``HZ_RQ`` day.
Illustrative: no public format was found.
"""

import re
from collections.abc import Iterable, Mapping

from adapters.base import Ack, AckFault, AckState, RowFault
from adapters.facts import SourceFacts
from adapters.penalty import bounded, read_iso_day, row_fault
from schemas.fault import Fault
from schemas.text import normalise_name

COLUMNS: tuple[str, ...] = ("HZ_RDBH", "HZ_CS", "HZ_BBH", "HZ_BM", "HZ_ZT", "HZ_RQ")

_LEAF = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MEASURE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_COUNTER = re.compile(r"[0-9]{1,15}", re.ASCII)


def read_acks(lines: Iterable[tuple[str, Mapping[str, str]]], facts: SourceFacts) -> tuple[list[Ack], list[AckFault]]:
    """Read (where it stood, columns by name); what cannot be read is named and never stops the others."""
    acks: list[Ack] = []
    faults: list[AckFault] = []
    for where, fields in lines:
        try:
            acks.append(_read(fields, facts))
        except RowFault as fault:
            faults.append(AckFault(where, fault.field, fault.reason))
    return acks, faults


def _read(fields: Mapping[str, str], facts: SourceFacts) -> Ack:
    get = fields.get
    at = ""
    try:
        return Ack(
            _shaped(_LEAF, get(at := "HZ_RDBH", "")),
            _shaped(_MEASURE, get(at := "HZ_CS", "")),
            int(_shaped(_COUNTER, get(at := "HZ_BBH", ""))),
            bounded(normalise_name(get(at := "HZ_BM", "")), 1, 100),
            _read_state(get(at := "HZ_ZT", ""), facts),
            read_iso_day(get(at := "HZ_RQ", "")),
        )
    except Fault as fault:
        raise row_fault(at, fault) from None


def _shaped(shape: re.Pattern[str], text: str) -> str:
    value = text.strip()
    if not shape.fullmatch(value):
        raise Fault("invalid", "The finding, measure or counter is not written as one; the department must correct it.")
    return value


def _read_state(text: str, facts: SourceFacts) -> AckState:
    state = facts.feedback.get(text.strip())
    if state is None:
        sentence = "The status is not on the facts page; the source must correct it, or add it to the page."
        raise Fault("unknown_value", sentence)
    return state
