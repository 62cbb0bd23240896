"""Why 说明: every restriction, non-restriction and wait of an organisation, from stored facts alone.

What the finding means and why stands in ``agreement.explanation``, by the text of the version that judged it; here come
the entries and receipts, what each region answered, who released it, relief, open questions on the desk, and how it
stands on the day asked about. Read only. What was said after that day is shown and marked so.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.agreement.explanation import explanation
from syncd.agreement.reasons import said_of
from syncd.flows.books import Books
from syncd.flows.bureau import day_of_text
from syncd.flows.judged import RELEASED_FOR, judged_by
from syncd.store import checkpoints, desk, origins
from syncd.store.reading import times_of
from syncd.store.register import Finding, ReliefRow, Response

Json = dict[str, Any]
ANSWERS = {
    "restriction.imposed": ("实施受限", "restricts"),
    "restriction.lifted": ("解除受限", "lifts"),
    "restriction.declined": ("不予受限", "declines"),
    "finding.held": ("暂缓", "holds"),
}
RELIEF = {
    "relief.repaired": ("信用修复", "repaired"),
    "relief.revoked": ("撤销", "revoked"),
    "relief.expired": ("到期", "expired"),
    "relief.suspended": ("中止", "suspended"),
    "relief.disputed": ("异议标记", "marked as disputed"),
    "finding.upheld": ("维持", "upheld"),
    "finding.resumed": ("恢复", "resumed"),
    "finding.amended": ("变更，待重新互认", "amended, to be recognised anew"),
}
RELEASES = {
    "review": ("复核", "review"),
    "twin": ("一案两发", "one decision in two logs"),
    "mapping_differs": ("对应不一致", "a mapping that differs"),
    "first": ("双人复核之第一人", "review, the first of two"),
}
_OPEN = "open"


class Explain:
    """The steps of one node's findings, on one connection and for one day."""

    def __init__(self, books: Books, conn: Connection, names: Mapping[int, str], day: dt.date) -> None:
        self._books, self._conn, self._names, self._day = books, conn, names, day

    def steps(
        self, row: Finding, answered: Mapping[str, Response], relief: Sequence[ReliefRow], standing: Json,
        now: Mapping[str, Response],
    ) -> list[Json]:  # fmt: skip
        """The numbered steps of one finding; ``standing``: how it stands on the day, as ``check`` says it.

        ``answered``: what each region had answered by that day; ``now``: what stands, shown beside it if it is newer.
        """
        own = answered.get(self._books.code)
        steps = self._judged(row, own)
        steps += [self._amended(change) for change in origins.amendments_of(self._conn, [row.leaf]).get(row.leaf, [])]
        steps += [self._answer(region, response) for region, response in sorted(answered.items())]
        newer = {region: said for region, said in now.items()
                 if region not in answered or said.idx != answered[region].idx}  # fmt: skip
        steps += [self._answer(region, response) for region, response in sorted(newer.items())]
        steps += [self._relief(event) for event in relief]
        steps += [self._waits(item) for item in desk.of_marks(self._conn, [row.leaf.hex()]) if item.state == _OPEN]
        steps.append(_conclusion(standing, self._day, own is not None))
        return [{"n": n, **step} for n, step in enumerate(steps, 1)]

    def _judged(self, row: Finding, own: Response | None) -> list[Json]:
        """What the version that judged it says: on the day of this region's answer, or today where there is none."""
        agreement = self._books.timeline.by(judged_by(row, own))
        last, _ = own.last_imposed() if own is not None else (None, None)
        imposed = orjson.loads(last) if last else None
        body = own.parsed() if own is not None else {}
        demonstration = bool((imposed or body).get("demonstration", self._books.allow_candidates))
        day = dt.date.fromisoformat(own.since) if own and own.since else day_of_text(own.at) if own else self._day
        released = (own.released_by or "") if own is not None else ""
        steps = explanation(
            agreement, self._books.code, row.parsed(), day, imposed, demonstration=demonstration,
            released=any(part.partition(":")[0] in ("review", "mapping_differs") for part in released.split("/")),
        )  # fmt: skip
        steps[0] |= {"entry": self._entry(row.log, row.idx), "came_from": self._came_from(row.log, row.idx)}
        at = next((n for n, step in enumerate(steps) if step["step"] == "rule"), len(steps) - 1)
        return [*steps[: at + 1], *_released(released), *steps[at + 1 :]]

    def _amended(self, change: Json) -> Json:
        fields, on = ", ".join(change["fields"]), self._recorded_on(change["log"], change["idx"])
        later = on > self._day
        after = ("（此日之后）", " (after the day asked about)") if later else ("", "")
        return {"step": "amended", "fields": change["fields"], "on": on.isoformat(), "later": later,
                "zh": f"{on.isoformat()}认定变更：{fields}{after[0]}",
                "en": f"amended on {on.isoformat()}: {fields}{after[1]}",
                "came_from": self._came_from(change["log"], change["idx"]),
                "entry": self._entry(change["log"], change["idx"])}  # fmt: skip

    def _recorded_on(self, log: int, index: int) -> dt.date:
        """The day on which an entry that was understood was recorded, Asia/Shanghai."""
        return day_of_text(times_of(self._conn, [(log, index)])[log, index] or "")

    def _answer(self, region: str, response: Response) -> Json:
        body, on = response.parsed(), day_of_text(response.at)
        reason, (zh, en) = body.get("reason"), ANSWERS[response.kind]
        why = said_of(reason) if reason else None
        later = on > self._day
        after = ("（此日之后）", " (after the day asked about)") if later else ("", "")
        return {"step": "answer", "region": region, "answer": response.kind, "at": response.at, "reason": reason,
                "later": later, "entry": self._entry(response.log, response.idx),
                "zh": f"{region}于{on.isoformat()}{zh}" + (f"：{why.zh}" if why else "") + after[0],
                "en": f"{region} {en} it on {on.isoformat()}" + (f": {why.en}" if why else "") + after[1]}  # fmt: skip

    def _relief(self, event: ReliefRow) -> Json:
        zh, en = RELIEF.get(event.kind, (event.kind, event.kind))
        since, later = event.effective_from or event.at_day, event.at_day > self._day.isoformat()
        return {"step": "relief", "kind": event.kind, "from": event.effective_from, "later": later,
                "came_from": self._came_from(event.log, event.idx), "entry": self._entry(event.log, event.idx),
                "zh": f"{zh}，自{since}" + ("（此日之后）" if later else ""),
                "en": f"{en}, from {since}" + (" (after the day asked about)" if later else "")}  # fmt: skip

    def _waits(self, item: Any) -> Json:
        why = said_of(item.reason)
        said = f"工作台第{item.id}项待办：{why.zh}", f"item {item.id} waits on the desk: {why.en}"
        return {"step": "waits", "item": item.id, "kind": item.kind, "reason": item.reason,
                "zh": said[0], "en": said[1]}  # fmt: skip

    def _came_from(self, log: int, index: int) -> Json | None:
        """The row of this bureau's own source behind an entry: key, file and line or table, when read, keyed hash."""
        found = origins.provenance_of(self._conn, log, [index]).get(index)
        return {name: found[name] for name in ("source", "row", "place", "read_at", "digest")} if found else None

    def _entry(self, log: int, index: int) -> Json:
        """Where an entry stands and who has countersigned a size that covers it: its receipts 回执."""
        signed = checkpoints.countersigned_by_all(self._conn, self._names[log])
        receipts = {code: size for code, size in sorted(signed.items()) if size > index}
        return {"log": self._names[log], "index": index, "receipts": receipts}


def _released(text: str) -> list[Json]:
    """Who released what at this region's desk, by account number: names stay in the office."""
    steps = []
    for part in filter(None, text.split("/")):
        kind, _, account = part.partition(":")
        if kind.startswith(RELEASED_FOR):
            number = kind.removeprefix(RELEASED_FOR)
            zh, en = f"改按协议第{number}版", f"for version {number} of the agreement"
        else:
            zh, en = RELEASES.get(kind, (kind, kind))
        steps.append({"step": "released", "kind": kind, "account": account,
                      "zh": f"本地区经办账号{account}放行：{zh}",
                      "en": f"released at this region's desk by account {account}: {en}"})  # fmt: skip
    return steps


def _conclusion(standing: Json, day: dt.date, answered: bool) -> Json:
    acting, reason = [one["id"] for one in standing["measures"]], standing["reason"]
    ended = standing["ended"] if (standing["ended_on"] or "") <= day.isoformat() else None
    if acting:
        zh, en = f"{day}有效措施：{'、'.join(acting)}", f"in force on {day}: {' '.join(acting)}"
    elif ended or reason:
        why = said_of(ended or reason)
        zh, en = f"{day}无有效措施：{why.zh}", f"nothing is in force on {day}: {why.en}"
    elif answered:
        zh, en = f"{day}无有效措施：不在措施期限内", f"nothing is in force on {day}: outside the measures' days"
    else:
        zh, en = "本地区尚未互认，待处理", "this region has not answered it yet; it waits"
    return {"step": "conclusion", "on": day.isoformat(), "measures": acting, "zh": zh, "en": en}
