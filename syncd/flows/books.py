"""The books 账册: what may be asked of a node by somebody who can change nothing in it.

A running bureau has all of this and more; a command that only asks has no more than this: no key, no lock, no vault.
"""

from collections.abc import Mapping
from typing import Protocol

from syncd.agreement.model import Agreement
from syncd.agreement.versions import Timeline
from syncd.store.engine import Store


class Known(Protocol):
    """A member, as far as its log's name."""

    @property
    def origin(self) -> str:
        """``<agreement id>/<code>/<epoch>``."""


class Books(Protocol):
    """Whose node it is, under which agreement, and its store to read."""

    @property
    def code(self) -> str:
        """The bureau's region code, GB/T 2260."""

    @property
    def agreement(self) -> Agreement:
        """The agreement in force here."""

    @property
    def members(self) -> Mapping[str, Known]:
        """All members, this one included."""

    @property
    def timeline(self) -> Timeline:
        """All versions that are held, and since when each is in force."""

    @property
    def store(self) -> Store:
        """The store; only ``read()`` is used."""

    @property
    def allow_candidates(self) -> bool:
        """Whether this is a demonstration 演示."""
