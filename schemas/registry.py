"""Which body belongs to which kind of entry, and the one check that every body passes on both sides.

Holding is not understanding: a body that fails here stays on the ledger, goes to the desk with the field and
the reason, and later entries go on. A newer version waits for an upgrade and is tried again by itself.
"""

import re
from typing import Any

from pydantic import BaseModel, ValidationError

from schemas.acts import Erasure, OperatorAct
from schemas.fault import Fault
from schemas.feedback import Feedback, Notice
from schemas.finding import Finding
from schemas.honour import Honour
from schemas.organisation import Organisation
from schemas.relief import Relief
from schemas.restriction import Held, Lifting, Restriction

Json = dict[str, Any]

SCHEMAS: dict[str, type[BaseModel]] = {
    "organisation/1.0": Organisation,
    "finding/1.0": Finding,
    "relief/1.0": Relief,
    "held/1.0": Held,
    "restriction/1.0": Restriction,
    "lifting/1.0": Lifting,
    "notice/1.0": Notice,
    "feedback/1.0": Feedback,
    "operator/1.0": OperatorAct,
    "erasure/1.0": Erasure,
    "honour/1.0": Honour,
}
"""Every published schema by its name and version."""

_NAME_BY_KIND = {
    "finding.issued": "finding/1.0",
    "finding.amended": "finding/1.0",
    "relief.disputed": "relief/1.0",
    "relief.suspended": "relief/1.0",
    "relief.repaired": "relief/1.0",
    "relief.revoked": "relief/1.0",
    "relief.expired": "relief/1.0",
    "finding.upheld": "relief/1.0",
    "finding.resumed": "relief/1.0",
    "objection.received": "relief/1.0",
    "finding.held": "held/1.0",
    "restriction.imposed": "restriction/1.0",
    "restriction.lifted": "lifting/1.0",
    "restriction.declined": "lifting/1.0",
    "notice.served": "notice/1.0",
    "feedback.reported": "feedback/1.0",
    "honour.granted": "honour/1.0",
    "honour.withdrawn": "relief/1.0",
    "erasure.ordered": "erasure/1.0",
    "erasure.done": "erasure/1.0",
    "operator.acted": "operator/1.0",
}
BODY_BY_KIND: dict[str, type[BaseModel]] = {kind: SCHEMAS[name] for kind, name in _NAME_BY_KIND.items()}
"""The body of each kind of entry that has a disclosure; public kinds say all in the leaf and have none."""

_CHECK_BY_KIND = {
    kind: (name, SCHEMAS[name].__pydantic_validator__.validate_python) for kind, name in _NAME_BY_KIND.items()
}
_VERSIONED = re.compile(r"([a-z]{1,32})/(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})", re.ASCII)
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)


class InvalidBody(Fault):
    """The body is not what its kind of entry asks for.

    ``field`` is the dotted path of the first field at fault, ``reason`` a code; the value is never repeated.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason, f"The field {field} cannot be taken ({reason}).")
        self.field = field


class NewerSchema(InvalidBody):
    """The body's schema is newer than this node's; it is held, and tried again after an upgrade."""

    def __init__(self) -> None:
        super().__init__("schema", "newer_schema")


def check_body(kind: str, body: Json) -> None:
    """Check an opened body against the schema of its entry's kind.

    Raises ``NewerSchema`` for a later version of the same family, else ``InvalidBody``; also for a kind that
    has no body here. Takes about ten microseconds: it stands on every record's road.
    """
    known = _CHECK_BY_KIND.get(kind)
    if known is None:
        raise InvalidBody("kind", "no_body_for_kind")
    name, validate = known
    if not isinstance(body, dict):
        raise InvalidBody("body", "dict_type")
    if body.get("schema") != name:
        raise _schema_fault(name, body)
    try:
        validate(body)
    except ValidationError as error:
        raise _first_fault(error) from None


def schema_version_of(body: Json) -> tuple[str, tuple[int, int]]:
    """Family and version of a body, e.g. ``("finding", (1, 0))``; raises ``InvalidBody`` if it says none."""
    stated = body.get("schema")
    found = _VERSIONED.fullmatch(stated) if isinstance(stated, str) else None
    if not found:
        raise InvalidBody("schema", "no_version")
    return found[1], (int(found[2]), int(found[3]))


def _schema_fault(name: str, body: Json) -> InvalidBody:
    family, version = schema_version_of(body)
    our_family, our_version = schema_version_of({"schema": name})
    if family != our_family:
        return InvalidBody("schema", "other_family")
    return NewerSchema() if version > our_version else InvalidBody("schema", "unknown_version")


def _first_fault(error: ValidationError) -> InvalidBody:
    """The first fault by path and code; pydantic's own text would repeat the value."""
    first = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(_step(step) for step in first["loc"])
    cause = first.get("ctx", {}).get("error")
    return InvalidBody(path or "body", cause.reason if isinstance(cause, Fault) else first["type"])


def _step(step: int | str) -> str:
    """A step of the path; a name that is no field name came from outside and could say anything."""
    return str(step) if isinstance(step, int) or _FIELD_NAME.fullmatch(step) else "?"
