"""The documents are true: rooms, floors, imports, paths, links, commands, entry kinds, words and example bytes."""

import ast
import re
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import typer
from house_docs import DOCS, PAGES, README, ROOT, blocks, name_of, rows, spans, text_of

from schemas.registry import BODY_BY_KIND, SCHEMAS, check_body
from syncd.cli import words
from syncd.cli.main import app
from syncd.flows import answer, understand
from syncd.ledger.disclosure import open_disclosure
from syncd.ledger.entry import KINDS, PUBLIC_KINDS, Entry, parse_entry
from syncd.ledger.tree import leaf_hash

pytestmark = pytest.mark.fast

ARCHITECTURE = text_of(DOCS / "architecture.md")
LIFE = text_of(DOCS / "life-of-a-finding.md")
GLOSSARY = text_of(DOCS / "glossary.md")
ADRS = sorted((DOCS / "adr").glob("*.md"))
NEVER = {
    "–": (),
    "anything of ours": ("syncd", "adapters", "schemas"),
    "anything else of ours": ("syncd", "adapters"),
    "a mode's adapter": ("adapters.service", "adapters.files", "adapters.database"),
    "keys": ("syncd.keyring",),
    "vault": ("syncd.store.vault",),
    **{name: (f"syncd.{name}",) for name in ("store", "flows", "web", "cli", "daemon", "stages")},
    **{name: (name,) for name in ("syncd", "adapters", "os", "time", "logging")},
}
"""What the last column of the table of rooms may say, and what a room that says so must not import."""
LEAF_END = b'"v":1}'
A_PATH = re.compile(r"(?:syncd|adapters|schemas|config|tests|docs|benchmarks|\.ci)(?:/[\w.<>-]+)*/?", re.ASCII)
REQUIRED = {
    "finding": "认定", "criterion": "标准", "measure": "惩戒措施", "rule": "规则", "legal basis": "法律依据",
    "collect": "归集", "share": "共享", "recognise": "互认", "restrict": "受限", "agreement": "协议", "member": "成员",
    "quarantine": "隔离", "desk": "工作台", "register": "登记", "entry": "条目", "disclosure": "披露件",
    "checkpoint": "检查点", "countersignature": "会签", "receipt": "回执", "order": "惩戒单", "feedback": "反馈",
    "candidate": "候选", "demonstration": "演示", "place": "属地", "USCC": "统一社会信用代码",
    "determination": "认定代码",
    "natural person": "自然人", "sole proprietor": "个体工商户", "cursor": "游标", "vault": "密钥库", "erasure": "删除",
}  # fmt: skip


def rooms() -> dict[str, tuple[int, list[str]]]:
    """Each room of the table with its floor and what it never imports."""
    found = [row for row in rows(ARCHITECTURE) if row[0].isdigit()]
    assert len({row[1] for row in found}) == len(found), "a room stands twice"
    return {row[1].strip("`"): (int(row[0]), row[3].split(", ")) for row in found}


def tree() -> set[str]:
    """Every module and package at the top of the three packages, and the folders of data."""
    found = set()
    for top in ("syncd", "adapters", "schemas", "config"):
        for path in (ROOT / top).iterdir():
            if path.is_dir() and path.name != "__pycache__":
                found.add(f"{top}/{path.name}/")
            elif path.suffix == ".py" and path.name != "__init__.py":
                found.add(f"{top}/{path.name}")
    return found


def floors() -> dict[str, int]:
    """The floor of each room as import-linter holds it, counted from the lowest."""
    linter = tomllib.loads(text_of(ROOT / "pyproject.toml"))["tool"]["importlinter"]
    layers = next(one["layers"] for one in linter["contracts"] if one["type"] == "layers")
    found = dict[str, int]()
    for floor, layer in enumerate(reversed(layers), 1):
        for module in layer.split("|"):
            top, _, rest = module.strip().partition(".")
            found |= {room: floor for room in tree() if room.startswith(f"{top}/") and room_matches(room, rest)}
    return found


def room_matches(room: str, name: str) -> bool:
    """Whether a room is this module of its package; all rooms are, where no module is named."""
    return not name or room.split("/")[1].removesuffix(".py") == name


def imports(room: str) -> Iterator[tuple[str, str]]:
    """Every import of a room: where it stands, and what is imported."""
    place = ROOT / room
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        for node in ast.walk(ast.parse(text_of(path))):
            if isinstance(node, ast.Import):
                yield from ((name_of(path), alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from ((name_of(path), f"{node.module}.{alias.name}") for alias in node.names)


def test_the_table_of_rooms_is_the_tree() -> None:
    assert rooms().keys() == tree()


def test_the_floors_are_those_that_the_linter_holds() -> None:
    said = {room: floor for room, (floor, _) in rooms().items() if floor}
    assert said.pop("syncd/__main__.py") == max(said.values())
    assert said == {room: floor for room, floor in floors().items() if room in said} and len(said) == len(floors())


@pytest.mark.parametrize("room", rooms())
def test_a_room_never_imports_what_the_table_says(room: str) -> None:
    own = room.removesuffix(".py").rstrip("/").replace("/", ".")
    forbidden = [module for word in rooms()[room][1] for module in NEVER[word] if module != own]
    for path, imported in imports(room):
        for module in forbidden:
            assert not f"{imported}.".startswith(f"{module}."), f"{path} imports {imported}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_path_that_is_named_exists(page: Path) -> None:
    for span in spans(text_of(page)):
        if A_PATH.fullmatch(span):
            assert list(ROOT.glob(re.sub(r"<\w+>", "*", span))), f"{name_of(page)} names {span}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if "://" not in target:
            assert (page.parent / target.partition("#")[0]).is_file(), f"{name_of(page)} links {target}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [README]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        links = re.findall(r"\]\(([^)\s#]+\.md)", text_of(page))
        waiting += [path for link in links if (path := (page.parent / link).resolve()) not in reached]
    assert reached == set(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_is_named_exists(page: Path) -> None:
    commands = getattr(typer.main.get_command(app), "commands", {})
    for span in spans(text_of(page)):
        words_of = span.removeprefix(".venv/bin/").split()
        if len(words_of) > 1 and words_of[0] == "syncd":
            assert words_of[1] in commands, f"{name_of(page)} names {span}"
            family = getattr(commands[words_of[1]], "commands", None)
            assert not family or len(words_of) == 2 or words_of[2] in family, f"{name_of(page)} names {span}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_nothing_names_a_place_on_a_machine_or_a_line(page: Path) -> None:
    text = text_of(page)
    for place in (str(ROOT), tempfile.gettempdir() + "/", "/home/", "/root/"):
        assert place not in text
    assert not re.search(r"\.py:[0-9]+|\blines? [0-9]+", text)


def test_each_kind_of_entry_has_its_row() -> None:
    kinds = {row[0].strip("`"): row for row in rows(text_of(DOCS / "entry-kinds.md"))}
    assert kinds.keys() == KINDS
    schema = {model: name for name, model in SCHEMAS.items()}
    for kind, row in kinds.items():
        assert row[2] == ("public" if kind in PUBLIC_KINDS else schema[BODY_BY_KIND[kind]]), kind
        for path in re.findall(r"`([^`]+)`", row[3]):
            assert path.startswith("syncd/flows/")


def glossary() -> dict[str, str]:
    """Each word of the glossary, the words of one row apart, with the row's Chinese."""
    found = [row for row in rows(GLOSSARY) if len(row) == 3]
    return {word.strip("` "): row[1] for row in found for word in row[0].split(",")}


@pytest.mark.parametrize("word", REQUIRED)
def test_the_glossary_has_the_required_words(word: str) -> None:
    assert REQUIRED[word] in glossary()[word]


def test_the_glossary_has_every_chinese_word_that_the_commands_print() -> None:
    tables = [table for name, table in vars(words).items() if name.isupper() and isinstance(table, dict)]
    for printed in (text for table in tables for text in table.values() if isinstance(text, str)):
        assert printed.split()[0] in GLOSSARY, printed


def test_the_glossary_has_every_kind_of_item_on_the_desk() -> None:
    flows = "".join(text_of(path) for path in (ROOT / "syncd" / "flows").glob("*.py"))
    kinds = set(re.findall(r'"kind": "([a-z_]+)"', flows)) | answer.DESK_REASONS | {understand.UNREADABLE}
    for kind in kinds:
        assert f"`{kind}`" in GLOSSARY, kind


def test_the_example_bytes_are_right() -> None:
    """Each leaf is canonical, each disclosure opens the leaf shown with it, and the hashes are those that are named."""
    lines = [line.encode() for block in blocks(LIFE, "json") for line in block.splitlines()]
    leaves = [parse_entry(line) for line in lines if line.endswith(LEAF_END)]
    raw = [line for line in lines if not line.endswith(LEAF_END)]
    assert [leaf.kind for leaf in leaves] == ["finding.issued", "restriction.imposed", "relief.repaired"]
    opened = [kind_opened_by(leaves, one) for one in raw]
    assert opened == ["finding.issued", "restriction.imposed", "relief.repaired", "restriction.lifted"]
    first = next(line for line in lines if b'"kind":"finding.issued"' in line)
    assert leaf_hash(first).hex() in LIFE and f"{len(first)} bytes" in LIFE
    assert {leaf.ref.leaf for leaf in leaves if leaf.ref} == {leaf_hash(first).hex()}
    relief = next(line for line in lines if b'"kind":"relief.repaired"' in line)
    assert orjson.loads(raw[-1])["body"]["because"] == leaf_hash(relief).hex()


def kind_opened_by(leaves: list[Entry], raw: bytes) -> str:
    """The kind whose leaf a disclosure opens; the lifting's leaf is not shown, so only its body is checked."""
    body = orjson.loads(raw)["body"]
    kind = {"finding": "finding.issued", "restriction": "restriction.imposed", "relief": "relief.repaired"}.get(
        body["schema"].partition("/")[0], "restriction.lifted"
    )
    for leaf in leaves:
        if leaf.kind == kind:
            body = open_disclosure(leaf.id, str(leaf.body), raw)
    check_body(kind, body)
    return kind


def test_the_changelog_keeps_its_form() -> None:
    """Keep a Changelog: releases, and under each the kinds of change."""
    text = text_of(ROOT / "CHANGELOG.md")
    heads = re.findall(r"^(#+) (.+)$", text, re.MULTILINE)[1:]
    assert heads[0] == ("##", "[Unreleased]")
    for depth, head in heads:
        form = r"\[(Unreleased|\d+\.\d+\.\d+)\]( - \d{4}-\d{2}-\d{2})?"
        kinds = r"Added|Changed|Deprecated|Removed|Fixed|Security"
        assert re.fullmatch({"##": form, "###": kinds}[depth], head), head


@pytest.mark.parametrize("page", ADRS, ids=name_of)
def test_a_decision_says_why_what_and_what_follows(page: Path) -> None:
    text, number = text_of(page), int(page.name[:4])
    assert text.startswith(f"# {number} · ") and number == ADRS.index(page) + 1
    assert re.findall(r"^## (\w+)", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert f"(adr/{page.name})" in ARCHITECTURE
