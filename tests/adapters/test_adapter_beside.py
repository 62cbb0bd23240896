"""Columns of performance and of the related decision: read where the facts page names them, never shared."""

from pathlib import Path

import pytest

from adapters.base import RowFault
from adapters.beside import read_beside
from adapters.facts import parse_facts
from adapters.records import Beside
from adapters.source import SourceError

pytestmark = pytest.mark.fast

PAGE = (Path(__file__).parents[2] / "config" / "sources" / "taicang.toml").read_text("utf-8")
COLUMNS = 'served = "SDRQ"\nperform_by = "LXQX"\nperformed = "LXQK"\nrelated = "GLWH"\nreview = "FYZT"\n'
SECTION = '\n[performance]\ndone = ["已履行"]\nundone = ["未履行"]\n'
FACTS = parse_facts((PAGE.replace('review = "FYZT"\n', COLUMNS) + SECTION).encode())


def test_a_source_without_these_columns_says_nothing() -> None:
    assert read_beside({"SDRQ": "2026-05-20"}, parse_facts(PAGE.encode())) is None


def test_what_the_columns_say() -> None:
    fields = {"SDRQ": "2026/05/20", "LXQX": "20260604", "LXQK": "未履行", "GLWH": "环罚(2026)7号", "FYZT": "无"}
    assert read_beside(fields, FACTS) == Beside("2026-05-20", "2026-06-04", False, False, "环罚〔2026〕7号")
    over = {"LXQK": "已履行", "FYZT": "已审结", "GLWH": "无"}
    assert read_beside(over, FACTS) == Beside(performed=True, contested=True)
    assert read_beside({}, FACTS) == Beside(contested=False)


@pytest.mark.parametrize(("column", "value"), [("SDRQ", "五月"), ("LXQX", "1900-01-01"), ("LXQK", "部分履行")])
def test_what_cannot_be_read_is_a_fault_of_its_column(column: str, value: str) -> None:
    with pytest.raises(RowFault) as caught:
        read_beside({column: value}, FACTS)
    assert caught.value.field == column
    assert caught.value.sentence


def test_the_column_and_its_section_go_together() -> None:
    with pytest.raises(SourceError, match="performed and the section"):
        parse_facts(PAGE.replace('review = "FYZT"\n', COLUMNS).encode())
