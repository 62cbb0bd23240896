"""``docs/settings.md`` names every setting with its default, and nothing else."""

import re
from typing import Any, get_args

import pytest
from cli_nodes import ROOT
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from syncd.settings import Settings

pytestmark = pytest.mark.fast

DOCUMENT = (ROOT / "docs" / "settings.md").read_text("utf-8")


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section a field of the settings holds, if it holds one."""
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


SECTIONS = {name: section for name, field in Settings.model_fields.items() if (section := section_of(field.annotation))}


def written(field: FieldInfo) -> str:
    """A default as the document writes it."""
    if field.is_required():
        return "required"
    if field.default is None:
        return "none"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def test_each_section_has_a_heading() -> None:
    assert re.findall(r"^## \[(\w+)\]$", DOCUMENT, re.MULTILINE) == list(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_each_setting_stands_with_its_default(name: str) -> None:
    text = DOCUMENT.split(f"## [{name}]")[1].split("\n## ")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", text, re.MULTILINE))
    assert listed == {field: written(info) for field, info in SECTIONS[name].model_fields.items()}
