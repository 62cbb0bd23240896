"""The agreement that ships with the project, as bytes and as loaded facts."""

from pathlib import Path

import pytest

from syncd.agreement.load import load_agreement
from syncd.agreement.model import Agreement

FOLDER = Path(__file__).parents[2] / "config" / "agreements" / "jiakuntai-eco"


@pytest.fixture(scope="session")
def agreement_files() -> dict[str, bytes]:
    """Every file of the folder by its relative path, ``members/`` included."""
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def agreement(agreement_files: dict[str, bytes]) -> Agreement:
    """The shipped agreement: candidates marked, nothing confirmed that was not read."""
    return load_agreement(agreement_files)


@pytest.fixture(scope="session")
def confirmed(agreement_files: dict[str, bytes]) -> Agreement:
    """The same as if the parties had confirmed every row: only the law is left to decide."""
    files = dict(agreement_files)
    for path in ("criteria.toml", "measures.toml"):
        files[path] = files[path].replace(b'status = "candidate"', b'status = "confirmed"')
    files["criteria.toml"] = files["criteria.toml"].replace(
        b'status = "confirmed"\noutside = true', b'status = "candidate"\noutside = true'
    )
    return load_agreement(files)
