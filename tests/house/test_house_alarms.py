"""Every kind of alarm has its row in the document, its Chinese word, and its sentence; and no other has."""

import pytest
from house_docs import DOCS, rows, text_of

from syncd.cli import words
from syncd.flows.alarms import KINDS

pytestmark = pytest.mark.fast


def test_each_kind_of_alarm_has_its_row_and_its_word() -> None:
    listed = {row[0].strip("`"): row for row in rows(text_of(DOCS / "alarms.md"))}
    assert listed.keys() == KINDS.keys() == words.ALARM.keys()
    for kind, row in listed.items():
        assert words.ALARM[kind] == f"{row[1]} {kind}" and all(row)
        assert KINDS[kind].isascii() and KINDS[kind].endswith(".")
