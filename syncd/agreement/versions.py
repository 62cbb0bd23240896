"""Several versions of one agreement 协议版本 side by side: which is in force on a day, and for whom.

1. Version 1 is in force from configuration; a later one from its date, once adopted in the log of every member that it
   names (LEDGER §1). An adoption after that date puts it off to the day of the last adoption.
2. Of several in force the highest holds. A member that it no longer names has left; what its findings led to ends on
   that day.
3. An entry is read by the version that its leaf names, from the day on which that version is in force here; until then
   it is held. A finding keeps the version of the entry by which it stands, whatever comes later.

Pure: the caller brings the versions, what was adopted, and the day (Asia/Shanghai).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from syncd.agreement.model import Agreement

FIRST = 1


@dataclass(frozen=True, slots=True)
class Adoption:
    """One ``agreement.adopted`` 通过: the member in whose log it stands, what it names, and where and when.

    ``day`` is the entry's own day; ``members`` are those that it names, with the keys it gives them.
    """

    code: str
    id: str
    version: int
    digest: str
    day: date
    index: int
    members: Sequence[Mapping[str, object]] = ()

    def of(self, agreement: Agreement) -> bool:
        """Whether it adopts this very text, for these members."""
        named = sorted(str(one.get("code")) for one in self.members)
        same = (self.id, self.version, self.digest) == (agreement.id, agreement.version, agreement.digest)
        return same and named == sorted(agreement.members)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The versions that are held, lowest first, and since when each is in force (by number; absent = not yet)."""

    held: tuple[Agreement, ...]
    since: Mapping[int, date] = field(default_factory=dict)

    def of(self, version: int) -> Agreement | None:
        """The text of a version, if it is held."""
        return next((one for one in self.held if one.version == version), None)

    def by(self, version: int) -> Agreement:
        """The text by which a finding of this version is judged; the oldest held where it is not at hand."""
        return self.of(version) or self.held[0]

    def on(self, day: date) -> Agreement | None:
        """The version in force on a day; None before any is."""
        return next((one for one in reversed(self.held) if self._since(one.version) <= day), None)

    def acting(self, day: date, code: str) -> Agreement:
        """By what a member's node acts on a day: what is in force, or the newest text that names it at all."""
        current = self.on(day)
        if current is not None and code in current.members:
            return current
        begun = [one for one in self.held if code in one.members and self._since(one.version) <= day]
        later = [one for one in self.held if code in one.members]
        return begun[-1] if begun else later[0] if later else self.held[0]

    def tags(self, day: date) -> frozenset[str]:
        """The tags of entries that can be read on a day: their version is held, and in force here by then."""
        return frozenset(one.tag for one in self.held if self._since(one.version) <= day)

    def named(self, code: str, day: date) -> bool:
        """Whether a member is named by the version in force on a day; before any is, by the oldest held."""
        return code in (self.on(day) or self.held[0]).members

    def gone_on(self, code: str) -> date | None:
        """The day from which a member is no longer named, after it was; None if it still is, or never was."""
        was, left = False, None
        for day, one in sorted(
            ((self._since(one.version), one) for one in self.held), key=lambda pair: pair[1].version
        ):
            if day == date.max:
                continue
            named = code in one.members
            left = day if was and not named else None if named else left
            was = was or named
        return left

    def coming(self, day: date) -> list[Agreement]:
        """Later versions that are held and not in force on a day, lowest first."""
        current = self.on(day)
        return [one for one in self.held if current is None or one.version > current.version]

    def exchanging(self, day: date) -> frozenset[str]:
        """With whom entries are exchanged on a day: those named by what is in force, or by what is still to come."""
        current = self.on(day)
        return frozenset(code for one in (*self.coming(day), *([current] if current else ())) for code in one.members)

    def _since(self, version: int) -> date:
        return self.since.get(version, date.max)


NONE_HELD = Timeline(())
"""Before anything is known."""


def timeline(held: Iterable[Agreement], adopted: Iterable[Adoption]) -> Timeline:
    """Put versions of one agreement in order, and say since when each is in force by what was adopted."""
    ordered = tuple(sorted({one.version: one for one in held}.values(), key=lambda one: one.version))
    known = list(adopted)
    since: dict[int, date] = {}
    for one in ordered:
        if one.version == FIRST:
            since[FIRST] = date.min
            continue
        days = adopters(one, known)
        if days.keys() >= set(one.members):
            since[one.version] = max(one.effective_from, *days.values())
    return Timeline(ordered, since)


def adopters(agreement: Agreement, adopted: Iterable[Adoption]) -> dict[str, date]:
    """Who has adopted this text, and on which day first."""
    days: dict[str, date] = {}
    for one in adopted:
        if one.of(agreement):
            days[one.code] = min(one.day, days.get(one.code, one.day))
    return days


@lru_cache(1_024)
def version_of(tag: str) -> int:
    """The number in a leaf's tag ``<id>@<version>#<hex16>``; 0 where there is none."""
    number = tag.partition("@")[2].partition("#")[0]
    return int(number) if number.isascii() and number.isdigit() else 0
