"""``docs/sources.md`` names every setting of the three modes with its default, and nothing else."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from adapters.modes import Answering, Asking, Database, Files, Part, Sending, Service

pytestmark = pytest.mark.fast

DOCUMENT = (Path(__file__).parents[2] / "docs" / "sources.md").read_text("utf-8")
SECTIONS: dict[str, type[Part]] = {
    "service": Service,
    "service.ask": Asking,
    "service.answer": Answering,
    "service.send": Sending,
    "files": Files,
    "database": Database,
}


def written(value: object) -> str:
    """A default as the document writes it."""
    if value is None or value == "":
        return "none" if value is None else "empty"
    if isinstance(value, BaseModel | dict):
        return "section"
    if isinstance(value, list):
        return "list"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_each_section_has_a_heading() -> None:
    assert re.findall(r"^## \[([\w.]+)\]$", DOCUMENT, re.MULTILINE) == list(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_each_setting_stands_with_its_default(name: str) -> None:
    text = DOCUMENT.split(f"## [{name}]\n")[1].split("\n## ")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| (`[^`]+`|\w+) \|", text, re.MULTILINE))
    fields = SECTIONS[name].model_fields.items()
    wanted = {f.alias or n: "required" if f.is_required() else written(f.default) for n, f in fields}
    assert listed.items() >= wanted.items()
    assert name == "service" or listed == wanted
