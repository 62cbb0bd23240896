"""Write the schemas as JSON Schema 2020-12 for systems that are not ours: ``python -m schemas.publish``.

The models are the truth and ``published/`` is made from them; a test holds the two equal, so that a change
of a model shows as a change of a published file. JSON Schema cannot say everything: check characters, real
days and their order are the models' own.
"""

import json
from pathlib import Path

from pydantic.json_schema import GenerateJsonSchema

from schemas.registry import SCHEMAS

FOLDER = Path(__file__).parent / "published"
_BASE = "https://syncd.example/schemas/"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Published(GenerateJsonSchema):
    """Without titles made up from Python's field names: ours are Chinese or none."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def published_files() -> dict[str, str]:
    """File name → its text, e.g. ``finding-1.0.json``; indented by two, in the order of the models."""
    return {name.replace("/", "-") + ".json": _document(name) for name in SCHEMAS}


def _document(name: str) -> str:
    schema = SCHEMAS[name].model_json_schema(by_alias=True, schema_generator=_Published)
    document = {"$schema": _DIALECT, "$id": _BASE + name, **schema}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def publish(folder: Path = FOLDER) -> None:
    """Write every file and remove those of schemas that are no more."""
    files = published_files()
    folder.mkdir(exist_ok=True)
    for stale in {path.name for path in folder.glob("*.json")} - files.keys():
        (folder / stale).unlink()
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    publish()
