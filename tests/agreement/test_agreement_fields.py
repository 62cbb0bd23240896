"""Fields are data 领域: a second one is added in ``config/`` only, and no code knows the name of any."""

import ast
from datetime import date
from pathlib import Path

import pytest

from syncd.agreement.load import AgreementError, load_agreement
from syncd.agreement.mapping import judge
from syncd.agreement.model import Agreement
from syncd.agreement.objections import objections

pytestmark = pytest.mark.fast

ROOT = Path(__file__).parents[2]
SAFETY = ROOT / "config" / "agreements" / "kunshan-safety"
Files = dict[str, bytes]
RULE = """[[rules]]
id = "KS-AQ-D"
criterion = "AQ-D"
mode = "review"
months = 6
measures = ["SY-01"]

"""
WORDS = (
    "安全生产",
    "黄牌",
    "红牌",
    "应急管理",
    "排污",
    "生态环境",
    "环境监测",
    "environmental",
    "work-safety",
    "yellow card",
)


def safety_files() -> Files:
    return {path.relative_to(SAFETY).as_posix(): path.read_bytes() for path in SAFETY.rglob("*.toml")}


@pytest.fixture(scope="module")
def safety() -> Agreement:
    return load_agreement(safety_files())


def constants(path: Path) -> list[str]:
    """Every text in a module's code; docstrings and what stands alone are for readers."""
    tree = ast.parse(path.read_text("utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in alone)
    return [node.value for node in texts if isinstance(node.value, str)]


def test_no_code_names_a_field(agreement: Agreement, safety: Agreement) -> None:
    """Neither its words nor its codes; the demonstration alone is of one field, and an example may name a bureau."""
    names = ("subject_types", "criteria", "measures", "scales")
    tables = [getattr(one, name) for one in (agreement, safety) for name in names]
    codes = {code for table in tables for code in table}
    assert {"POLLUTER", "PRODUCER", "EP-04", "SY-09", "AQ-ZJ"} <= codes
    examples = {"syncd/cli/adapter.py", "adapters/trial.py"}
    for path in (path for room in ("syncd", "adapters", "schemas") for path in sorted((ROOT / room).rglob("*.py"))):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith("syncd/demo/") or name in examples:
            continue
        for text in constants(path):
            assert text not in codes, f"{name} names {text}"
            assert not any(word in text.lower() for word in WORDS), f"{name} says {text}"


def test_the_card_has_eight_measures_on_organisations_and_none_on_persons(safety: Agreement) -> None:
    assert len(safety.measures) == 8 and "SY-04" not in safety.measures
    assert not any(one.persons for one in safety.measures.values())
    assert all(one.status == "confirmed" and one.provenance.startswith("seed") for one in safety.measures.values())
    assert safety.members == ("320583",) and safety.id != "jiakuntai-eco"
    assert objections(safety, date(2026, 11, 22)) == []


def test_a_grade_maps_to_nothing_unless_a_row_says_so(safety: Agreement) -> None:
    scale = safety.scales["AQ-ZJ"]
    graded = {one.grade: one for one in safety.regions["320583"].local_codes.values() if one.scale == scale.code}
    assert tuple(graded) == scale.grades == ("A", "B", "C", "D")
    assert not any(one.criterion or one.severe for one in graded.values())
    files = safety_files()
    said = files["regions/320583.toml"].decode()
    for old, new in (
        ('code = "AQ-ZJ-D"\n', 'code = "AQ-ZJ-D"\ncriterion = "AQ-D"\n'),
        ('D级"\nsevere = false', 'D级"\nsevere = true'),
        ("[[rules]]\n", RULE + "[[rules]]\n"),
    ):
        assert old in said
        said = said.replace(old, new, 1)
    criterion = (
        '\n[[criteria]]\ncode = "AQ-D"\nname_zh = "信用等级D级"\nname_en = "grade D"\n'
        'applies_to = ["SAFETY_INTERMEDIARY"]\nstatus = "candidate"\nprovenance = "inference: a test"\n'
    )
    said = said.replace('expect = { outcome = "not_severe", answer = "hold", reason = "not_severe" }',
                        'expect = { outcome = "determined", answer = "hold", reason = "review" }')  # fmt: skip
    ruled = load_agreement({**files, "regions/320583.toml": said.encode(),
                            "criteria.toml": files["criteria.toml"] + criterion.encode()})  # fmt: skip
    assert [one for one in objections(ruled, date(2026, 11, 22)) if one.about == "case"] == []
    body = {"subject": {"type": None}, "place": "320583", "local_code": "AQ-ZJ-D", "criterion": "AQ-D", "kinds": [],
            "decided_on": "2026-11-02", "ends": {"publicity": None, "measures": None}}  # fmt: skip
    judged = judge(ruled, "320583", body, date(2026, 11, 22), allow_candidates=True)
    assert (judged.outcome, judged.reason) == ("hold", "review"), "a row says so, and a person looks first"


@pytest.mark.parametrize(("path", "old", "new", "said"), [
    ("regions/320583.toml", 'scale = "AQ-ZJ"\ngrade = "D"', 'scale = "AQ-ZJ"\ngrade = "E"', "E is no grade of AQ-ZJ"),
    ("regions/320583.toml", 'grade = "D"\n', "", "scale and grade go together"),
    ("regions/320583.toml", 'grade = "D"', 'grade = "C"', "AQ-ZJ-C stands for it already"),
    ("regions/320583.toml", 'scale = "AQ-ZJ"\ngrade = "D"', 'scale = "X"\ngrade = "D"', "scale: X is unknown"),
    ("criteria.toml", '["PRODUCER"]', '["POLLUTER"]', "criterion AQ-YELLOW, field applies_to: POLLUTER is unknown"),
    ("agreement.toml", "生产经营单位", "个体工商户", "persons are no subjects"),
])  # fmt: skip
def test_types_and_grades_are_never_made_up(path: str, old: str, new: str, said: str) -> None:
    files = safety_files()
    text = files[path].decode()
    assert old in text
    with pytest.raises(AgreementError, match=said):
        load_agreement({**files, path: text.replace(old, new, 1).encode()})
