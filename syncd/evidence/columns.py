"""The columns of a row beside its leaf 列与叶: what they say twice must be what the leaf says."""

from collections.abc import Sequence
from typing import Any

from syncd.evidence.stored import COLUMNS
from syncd.ledger.entry import Entry
from syncd.store.rows import understood


def differs(held: Sequence[tuple[Any, ...]], at: int, entry: Entry) -> str:
    """Which column of row ``at`` does not say what its leaf says."""
    said, stands = understood(entry.id, entry.kind, entry.at, entry.ref), held[at][2:]
    if said == stands:
        return ""
    wrong = [name for name, one, other in zip(COLUMNS, said, stands, strict=True) if one != other]
    return f"column {' '.join(wrong)} differs from the leaf"
