"""Who is who 主体识别 at one node: what the register knows of a code or a name, and what persons have decided.

A decision lies on the desk 工作台 as an item of its own kind (``who``: a name or a registration number belongs to a
code; ``branch``: an organisation is another's branch). It is remembered as long as it stands, and can be opened again.
It changes what ``who`` shows and nothing else: findings, restrictions and reviews know codes alone.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from syncd.agreement.identity import (
    Candidate,
    Kind,
    beginnings,
    candidates,
    is_branch,
    parents,
    read_query,
    read_question,
)
from syncd.errors import NeedsPerson, Refuse
from syncd.flows.books import Books
from syncd.flows.bureau import Bureau
from syncd.flows.record import Saying, record, sign
from syncd.flows.resync import Finish, operator_body
from syncd.store import desk, identities

Json = dict[str, Any]
WHO, BRANCH = "who", "branch"
CHOSEN = "released"


def who(books: Books, text: str) -> Json:
    """What is known of a code, a number or a name; ``organisation`` stands only where a code or a person decided."""
    kind, asked = read_query(text)
    with books.store.read() as conn:
        return _answer(conn, kind, asked)


def _answer(conn: Connection, kind: Kind, asked: str) -> Json:
    decision = _decided(conn, WHO, f"{kind}:{asked}")
    found: Sequence[Candidate] = ()
    code: str | None = None
    if kind == "uscc":
        code = asked
    elif kind == "organisation_code":
        holding = identities.with_organisation_code(conn, asked)
        code = holding[0] if len(holding) == 1 else None
        found = [Candidate(uscc, "", 100.0, "") for uscc in holding] if code is None else ()
    else:
        code = decision["chosen"] if decision else None
        if kind == "name":
            found = candidates(asked, identities.alike(conn, asked))
    return {
        "asked": kind,
        "decided_by": None if code is None else ("person" if kind in ("name", "registration") else "code"),
        "organisation": _organisation(conn, code) if code is not None else None,
        "decision": decision,
        "candidates": [one._asdict() for one in found],
    }


def _organisation(conn: Connection, code: str) -> Json:
    """One organisation by its code: the names it bore, with the days of the decisions that say so; branch, parent."""
    known = sorted(identities.names(conn, code), key=lambda row: row.last)
    links = [_facts(row) for row in desk.of_kind(conn, BRANCH) if row.state == CHOSEN]
    linked = [_facts(row) for row in desk.of_kind(conn, WHO) if row.state == CHOSEN]
    name = known[-1].name if known else None
    branch = bool(name and is_branch(name))
    parent = next((one["chosen"] for one in links if one["asked"] == code), None)
    return {
        "uscc": code,
        "organisation_code": code[8:17],
        "name": name,
        "former_names": [{"name": row.name, "first": row.first, "last": row.last} for row in known[:-1]],
        "linked_by_a_person": [
            {"kind": one["kind"], "text": one["asked"], "item": one["item"]} for one in linked if one["chosen"] == code
        ],
        "parent": parent,
        "branches": sorted(one["asked"] for one in links if one["chosen"] == code),
        "says_branch": branch,
        "may_be_branch_of": [one._asdict() for one in parents(name, identities.named(conn, beginnings(name)))]
        if branch and name and parent is None
        else [],
    }


def _facts(row: Row[Any]) -> Json:
    return {**orjson.loads(row.facts), "item": row.id}


def _decided(conn: Connection, kind: str, mark: str) -> Json | None:
    """What a person decided about a text, and when; None while nobody has, or where it was opened again."""
    row = next((one for one in desk.of_marks(conn, [mark]) if one.kind == kind and one.state == CHOSEN), None)
    if row is None:
        return None
    facts = orjson.loads(row.facts)
    return {"item": row.id, "chosen": facts["chosen"], "account": row.closed_by, "at": row.closed_at}


class Identify:
    """Puts a question of identity on the desk, takes a person's choice, and opens it again."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau

    def run(self, kind: str, args: Json, finish: Finish) -> Json:
        """One job: ``who.ask``, ``desk.choose`` or ``desk.reopen``; raises ``NeedsPerson`` or ``Refuse``."""
        bureau = self._bureau
        with bureau.store.write() as conn:
            if kind == "who.ask":
                result = self._ask(conn, args["text"])
            else:
                result = self._decide(conn, kind == "desk.choose", args)
                act = f"{kind}.{result['kind']}"
                record(
                    bureau, conn, [Saying("operator.acted", None, operator_body(act, args["account"], args["ground"]))]
                )
            finish(conn, result)
        sign(bureau)
        bureau.wake("share")
        return result

    def _ask(self, conn: Connection, text: str) -> Json:
        kind, asked = read_question(text)
        answer = _answer(conn, kind, asked)
        organisation = answer["organisation"]
        if kind in ("uscc", "organisation_code"):
            if organisation is None or not organisation["says_branch"]:
                raise NeedsPerson(
                    "A code says by itself who it is, so there is nothing to ask. Only a branch 分支机构, by its name, "
                    "can be linked to its parent. Nothing was put on the desk."
                )
            item, code = BRANCH, organisation["uscc"]
            facts = {"kind": kind, "asked": code, "candidates": organisation["may_be_branch_of"]}
        else:
            item, code = WHO, asked
            facts = {"kind": kind, "asked": asked, "candidates": answer["candidates"]}
        mark = f"{'uscc' if item == BRANCH else kind}:{code}"
        desk.put(conn, [{"kind": item, "mark": mark, "reason": item, "facts": facts}], self._bureau.now_text())
        row = next(one for one in desk.of_marks(conn, [mark]) if one.kind == item)
        return {"item": row.id, "kind": item, "state": row.state, "candidates": facts["candidates"]}

    def _decide(self, conn: Connection, choose: bool, args: Json) -> Json:
        row = desk.one(conn, args["item"])
        wanted = "open" if choose else CHOSEN
        if row is None or row.kind not in (WHO, BRANCH) or row.state != wanted:
            state = "open" if choose else "decided"
            raise NeedsPerson(
                f"There is no {state} question of identity {args['item']} on the desk; nothing was changed."
            )
        facts = orjson.loads(row.facts)
        now, account = self._bureau.now_text(), str(args["account"])
        if choose:
            facts["chosen"] = _choice(args["uscc"], row.kind, facts)
            desk.decide(conn, row.id, CHOSEN, account, args["ground"], now)
        else:
            before = {"chosen": facts.pop("chosen"), "account": row.closed_by, "at": row.closed_at}
            facts["before"] = [*facts.get("before", []), before]
            desk.open_again(conn, row.id)
        desk.state_facts(conn, row.id, facts)
        state = CHOSEN if choose else "open"
        return {"item": row.id, "kind": row.kind, "state": state, "chosen": facts.get("chosen")}


def _choice(text: str, kind: str, facts: Json) -> str:
    """The code a person chose; a branch's parent is another organisation."""
    known, code = read_query(text)
    if known != "uscc":
        raise Refuse("A choice is a unified social credit code 统一社会信用代码. Nothing was changed.")
    if kind == BRANCH and code == facts["asked"]:
        raise Refuse("An organisation is no branch of itself. Nothing was changed.")
    return code
