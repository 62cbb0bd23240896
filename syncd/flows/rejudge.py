"""Judging anew under a later version 重新判断: explicit, as proposals on the desk that a person releases one by one.

Findings keep the version they were judged by. Where a later one, in force here, would lead to something else in this
region, an item says what; releasing it answers the finding by that version from then on, refusing leaves it as it is.
Where the later version's rule asks for two people 双人复核, two release the item: what one person released under the
earlier one is not two people's word under this one. Nobody waits for a second person to lift.
"""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, Row

from syncd.agreement.comparison import under
from syncd.errors import NeedsPerson
from syncd.failpoint import failpoint
from syncd.flows.bureau import Bureau
from syncd.flows.judged import RELEASED_FOR
from syncd.flows.preview import preview
from syncd.flows.record import Saying, record, sign
from syncd.flows.reissue import change
from syncd.flows.respond import respond
from syncd.flows.resync import Finish, operator_body
from syncd.store import desk, register, releases

Json = dict[str, Any]
KIND = "rejudge"
FIRST = "first"
SECOND_NEEDED = "released by one of two; another account must release it too"
_FACTS = ("finding", "uscc", "issuer", "criterion", "criterion_now", "effect", "gained", "lost", "until_was",
          "until_now", "judged_by")  # fmt: skip


class Rejudge:
    """Puts proposals on the desk, and carries out those that are released."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau

    def propose(self, number: int, account: int, ground: str, finish: Finish = lambda conn, result: None) -> Json:
        """Propose whatever a version in force would change here. Raises ``NeedsPerson`` where it is not in force."""
        bureau, day = self._bureau, self._bureau.today()
        agreement, since = bureau.timeline.of(number), bureau.timeline.since.get(number)
        if agreement is None or since is None or since > day:
            raise NeedsPerson(
                f"Version {number} is not in force here, so nothing can be judged by it. `syncd agreement diff` shows "
                "what it would do."
            )
        if bureau.code not in agreement.members:
            raise NeedsPerson(f"Version {number} does not name {bureau.code}; nothing follows from it here.")
        with bureau.store.read() as conn:
            found = list(preview(bureau, conn, None, agreement, day, [bureau.code]))
        counts = dict(Counter(one["effect"] for one in found))
        with bureau.store.write() as conn:
            desk.put(conn, [_item(number, one) for one in found], bureau.now_text())
            body = operator_body("agreement.replay", account, ground, to=agreement.tag)
            record(bureau, conn, [Saying("operator.acted", None, body)])
            result: Json = {"agreement": agreement.tag, "proposed": len(found), "effects": counts}
            finish(conn, result)
        failpoint("rejudge.after_commit")
        sign(bureau)
        bureau.wake("share")
        return result

    def release(self, conn: Connection, row: Row[Any], facts: Json, account: int) -> str:
        """Answer one finding by the version that the item proposes.

        Where this bureau's own list makes another criterion of its own finding, it is amended, for all members.
        """
        bureau, leaf, number = self._bureau, bytes.fromhex(row.mark), facts["version"]
        finding = register.findings_by_leaf(conn, [leaf])[leaf]
        if facts["criterion_now"] != finding.criterion:
            body = under(bureau.timeline.by(number), finding.parsed(), bureau.allow_candidates)
            change(bureau, conn, finding, body)
            return f"amended by this bureau: it meets {body['criterion'] or 'no criterion'} by version {number}"
        if facts["effect"] != "released" and self._persons(number, finding.criterion) > 1:
            first = facts.get(FIRST)
            if first is None:
                desk.state_facts(conn, row.id, facts | {FIRST: account})
                return SECOND_NEEDED
            ask_another(first, account)
            for kind in ("review", "mapping_differs"):
                releases.unrelease(conn, leaf, bureau.code, kind)
            releases.release(conn, leaf, bureau.code, FIRST, first)
            releases.release(conn, leaf, bureau.code, "review", account)
        released = f"{RELEASED_FOR}{number}:{account}"
        releases.release_for(conn, leaf, bureau.code, RELEASED_FOR, released)
        releases.judge_from_today(conn, leaf, bureau.code)
        respond(bureau, conn, [leaf], released={leaf: released})
        return f"judged by version {number} of the agreement from now on"

    def _persons(self, number: int, criterion: str | None) -> int:
        """How many people this region's rule asks for by that version."""
        region = self._bureau.timeline.by(number).regions.get(self._bureau.code)
        rule = region.rules.get(criterion or "") if region is not None else None
        return rule.persons if rule is not None else 1


def ask_another(first: int | str | None, account: int) -> None:
    """Raises ``NeedsPerson`` where the second of two people is the first."""
    if first is not None and str(first) == str(account):
        raise NeedsPerson("The rule asks for two people, and this account was the first; another one must release.")


def _item(number: int, one: Json) -> Json:
    facts = {name: one[name] for name in _FACTS} | {"version": number}
    return {"kind": KIND, "mark": one["finding"], "reason": f"version_{number}", "facts": facts, "anew": True}
