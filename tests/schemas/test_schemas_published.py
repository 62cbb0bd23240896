"""The published JSON Schema files are equal to the models, self-contained, and speak Chinese."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.publish import FOLDER, publish, published_files
from schemas.registry import BODY_BY_KIND, SCHEMAS

pytestmark = pytest.mark.fast


def documents() -> dict[str, Any]:
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}


def parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from parts(inner)


def test_the_files_are_the_models() -> None:
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert on_disk == published_files(), "a model changed: run python -m schemas.publish and read the difference"


def test_publishing_writes_all_and_removes_what_is_no_more(tmp_path: Path) -> None:
    (tmp_path / "forgotten-1.0.json").write_text("{}", encoding="utf-8")
    publish(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == published_files().keys()


def test_every_file_says_what_it_is() -> None:
    for name, document in documents().items():
        assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert document["$id"] == "https://syncd.example/schemas/" + name.removesuffix(".json").replace("-", "/")
        assert document["properties"]["schema"]["const"] + ".json" == name.replace("-", "/", 1)


def test_objects_are_closed_and_titled_and_fields_described_in_chinese() -> None:
    chinese = re.compile("[\u4e00-\u9fff]")
    for name, document in documents().items():
        for part in parts(document):
            if "properties" not in part or "type" not in part:
                continue
            assert part["additionalProperties"] is False, name
            assert chinese.search(part["title"]), name
            for field, schema in part["properties"].items():
                described = schema.get("description", "") or schema.get("$ref", "")
                assert chinese.search(described) or "$ref" in schema, f"{name}: {field}"


def test_every_reference_stays_inside_its_file() -> None:
    for document in documents().values():
        for part in parts(document):
            if isinstance(reference := part.get("$ref"), str):
                assert reference.removeprefix("#/$defs/") in document["$defs"]


def test_patterns_are_anchored_and_read_alike_by_ecmascript_and_python() -> None:
    for document in documents().values():
        for part in parts(document):
            pattern = part.get("pattern")
            if isinstance(pattern, str):
                re.compile(pattern)
                assert pattern.startswith("^") and pattern.endswith("$")
                assert "\\x" not in pattern and "\\p" not in pattern and "\\u{" not in pattern


def test_every_body_of_an_entry_is_published() -> None:
    assert set(BODY_BY_KIND.values()) | {SCHEMAS["organisation/1.0"]} == set(SCHEMAS.values())
    assert documents().keys() == published_files().keys()
