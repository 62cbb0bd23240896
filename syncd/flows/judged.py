"""By which version a finding is judged 适用版本: the one that its entry names, whatever is in force now.

A person may have released it for a later version (``syncd agreement replay``); that stands with the region's answer as
``version-<n>:<account>``, so it can be read from the ledger alone. A member that the version in force no longer names
has left: findings of its, and this region's own answers once it is the one that left, end on that day.
"""

from collections.abc import Mapping

from syncd.agreement.versions import Timeline
from syncd.flows.answer import LIFTED, Case, Rules
from syncd.flows.bureau import Bureau
from syncd.store.register import Finding, Response

RELEASED_FOR = "version-"
"""How a release for a later version begins."""
LIFTED_BY = "version_"
"""How the reason of a lifting begins that a later version has brought."""


class Judging:
    """The rules for each case of one batch, one set for each version."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau
        self.day = bureau.today()
        self._rules: dict[int, Rules | None] = {}
        self.gone = gone_by(bureau.timeline, bureau.members, bureau.code, bureau.today().isoformat())

    def rules(self, case: Case) -> Rules | None:
        """By what this region answers a case; None where the version does not name this region: nothing is owed."""
        number = released_version(case.released_by) or case.version
        if number not in self._rules:
            bureau, agreement = self._bureau, self._bureau.timeline.by(number)
            named = bureau.code in agreement.members
            self._rules[number] = (
                Rules(agreement, bureau.code, self.day, bureau.allow_candidates, number) if named else None
            )
        found = self._rules[number]
        if found is None and case.before is not None:
            return Rules(self._bureau.agreement, self._bureau.code, self.day, self._bureau.allow_candidates, number)
        return found


def gone_by(known: Timeline, members: Mapping[str, object], region: str, day: str) -> frozenset[str]:
    """The members whose findings restrict nobody in a region any more on a day: all of them where the region left."""
    left = {code for code in members if (on := known.gone_on(code)) is not None and on.isoformat() <= day}
    return frozenset(members if region in left else left)


def released_version(text: str | None) -> int | None:
    """The later version for which a person released this region's answer; None where nobody did."""
    for part in (text or "").split("/"):
        if part.startswith(RELEASED_FOR):
            return int(part.removeprefix(RELEASED_FOR).partition(":")[0])
    return None


def judged_by(finding: Finding, before: Response | None) -> int:
    """The version by which a finding is judged in a region."""
    return released_version(before.released_by if before is not None else None) or finding.version


def released_of(kind: str, body: Mapping[str, object], earlier: str | None) -> str | None:
    """What a person had released by an answer of this region, read back from its entry alone."""
    if kind != LIFTED:
        return earlier
    reason = str(body.get("reason"))
    if not reason.startswith(LIFTED_BY):
        return earlier
    return f"{RELEASED_FOR}{reason.removeprefix(LIFTED_BY)}:0"
