"""Which tables of the store the check covers, and why it leaves the others: a test holds this list to the metadata.

What the node's own clock wrote into a row, and what is somebody's word, has nothing beside it to be compared with.
"""

from collections.abc import Mapping
from typing import Final

CHECKED: Final[Mapping[str, str]] = {
    "logs": "log", "entries": "log", "tiles": "tiles", "checkpoints": "log, lines", "cosignatures": "lines",
    "disclosures": "vault, erasures", "erasures": "erasures", "erased_leaves": "erasures", "cursors": "cursors",
    "findings": "register", "relief_events": "register", "responses": "register", "honours": "register",
    "amendments": "register", "deliveries": "outbox", "member_keys": "keys", "seals": "keys", "adoptions": "versions",
    "agreement_versions": "versions", "fresh_lines": "lines", "witness_lines": "lines", "witnessed": "witnessed",
    "evidence": "evidence",
}  # fmt: skip
"""Tables that are checked, and under which part their faults are named."""

NOT_CHECKED: Final[Mapping[str, str]] = {
    "alarms": "what is wrong now: each cause is looked at again by itself",
    "board": "what the screens show of the last step; written anew with the next",
    "desk": "decisions of persons, which stand in no log",
    "grounds": "which records a person has confirmed a proposal by",
    "held_entries": "which entries wait for a version or a disclosure; each is looked at again by itself",
    "jobs": "what commands have asked for",
    "order_receipts": "numbers that the bureau's own system has given",
    "performance": "what the source says of performing a decision; read again with its row",
    "provenance": "which row and file an entry came from; the source is the only other place where that stands",
    "quality": "counts by month of what the source gave when it was first read",
    "relief_waiting": "relief rows of the source whose finding has not come yet",
    "reviews": "who asked what, by office and account number",
    "source_rows": "which rows of the source were read; a full reading compares them again",
}
"""Tables that are not, each with the reason."""

NOT_COMPARED: Final[Mapping[str, Mapping[str, str]]] = {
    "adoptions": {},
    "agreement_versions": {"stored_at": "the node's clock"},
    "checkpoints": {"at": "the node's clock", "stop": "where batches end, by the node's clock and settings"},
    "cosignatures": {"at": "the node's clock"},
    "evidence": {"at": "the node's clock", "id": "the order of arrival"},
    "fresh_lines": {"at": "the node's clock"},
    "member_keys": {},
    "seals": {"at": "the node's clock"},
    "witness_lines": {"at": "the node's clock"},
    "witnessed": {"at": "the node's clock", "timestamp": "the node's clock in the line, which only the asker keeps"},
}
"""Columns of the tables of lines, keys, versions and evidence with nothing to compare them with."""
