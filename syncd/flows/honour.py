"""Honours 守信荣誉 of one's own log: granted and withdrawn by a person, shared like any other entry.

An honour acts nowhere by itself. What it brings is asked of each region's rules when somebody asks (``inquiry``), so a
region answers nothing to it and delivers nothing home.
"""

import datetime as dt
from typing import Any

from sqlalchemy import Connection

from schemas.registry import InvalidBody, check_body
from schemas.text import NORMALISER, normalise_name, normalise_number
from syncd.errors import NeedsPerson, Refuse
from syncd.flows.bureau import Bureau
from syncd.flows.honour_rows import honour_key, honour_row, is_of
from syncd.flows.record import Saying, record, sign
from syncd.flows.relieve import relief_body
from syncd.flows.resync import Finish, operator_body
from syncd.ledger.entry import Ref
from syncd.store import honours
from syncd.store.honours import Honour, Withdrawal

Json = dict[str, Any]
GRANTED, WITHDRAWN = "honour.granted", "honour.withdrawn"
WITHDRAWAL_GROUND = "honour_withdrawn"


class Honouring:
    """Grants and withdraws; each writes its entry and the act of the person."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau

    def run(self, kind: str, args: Json, finish: Finish) -> Json:
        """One job, ``honour.grant`` or ``honour.withdraw``; raises ``NeedsPerson`` or ``Refuse``."""
        bureau = self._bureau
        with bureau.store.write() as conn:
            grant = kind == "honour.grant"
            result = self._grant(conn, args) if grant else self._withdraw(conn, args["entry"], args["from"])
            record(bureau, conn, [Saying("operator.acted", None, operator_body(kind, args["account"], args["ground"]))])
            finish(conn, result)
        sign(bureau)
        bureau.wake("share")
        return result

    def _grant(self, conn: Connection, args: Json) -> Json:
        bureau = self._bureau
        known = bureau.agreement.honours
        if args["honour"] not in known:
            names = ", ".join(f"{one.code} {one.name_zh}" for one in known.values())
            raise NeedsPerson(f"The agreement knows no such honour; it knows {names or 'none'}. Nothing was granted.")
        body = {
            "schema": "honour/1.0",
            "subject": {"uscc": args["uscc"], "name": normalise_name(args["name"]), "type": None},
            "key": {"organ": args["organ"], "number": normalise_number(args["number"]), "date": args["on"],
                    "normaliser": NORMALISER},
            "place": bureau.code,
            "honour": args["honour"],
            "granted_on": args["on"],
            "published_on": args["published"],
            "until": args["until"],
        }  # fmt: skip
        try:
            check_body(GRANTED, body)
        except InvalidBody as fault:
            raise Refuse(f"{fault.sentence} Nothing was granted.") from None
        if not args["on"] <= args["until"] or not args["on"] <= args["published"]:
            raise Refuse("An honour ends, and is published, no earlier than it is granted. Nothing was granted.")
        if not is_of(body, bureau.code):
            raise Refuse("The name is a person's number; persons are not honoured here. Nothing was granted.")
        if args["published"] > bureau.today().isoformat():
            raise Refuse("Only what is published is shared; this is not published yet. Nothing was granted.")
        if bureau.vault.barred([honour_key(args["uscc"], args["honour"], body["key"]["number"])]):
            raise NeedsPerson(
                "This honour was granted before, and its erasure was ordered. Nothing was granted; where it is granted "
                "anew, it has a document of its own, with another number."
            )
        (entry,) = record(bureau, conn, [Saying(GRANTED, None, body)])
        state = bureau.logs.state(conn, bureau.origin)
        row = honour_row(state.id, entry.index, entry.leaf_hash, entry.id, bureau.code, body)
        honours.add(conn, [row], [])
        return {"entry": entry.leaf_hash.hex(), "uscc": row.uscc, "honour": row.honour, "until": row.until}

    def _withdraw(self, conn: Connection, entry: str, day: str | None) -> Json:
        bureau = self._bureau
        known = honours.one(conn, bytes.fromhex(entry))
        state = bureau.logs.state(conn, bureau.origin)
        if known is None or known.log != state.id or known.withdrawn_on is not None:
            raise NeedsPerson("There is no such honour of this bureau in force; nothing was withdrawn.")
        day = day or bureau.today().isoformat()
        dt.date.fromisoformat(day)
        said = withdraw(bureau, conn, known, day)
        return {"entry": said.hex(), "uscc": known.uscc, "honour": known.honour, "until": day}


def withdraw(bureau: Bureau, conn: Connection, honour: Honour, day: str) -> bytes:
    """Say that an honour of one's own log holds no more from ``day`` on; returns the entry's leaf."""
    body = {**relief_body(WITHDRAWAL_GROUND, bureau), "effective_from": day}
    (said,) = record(bureau, conn, [Saying(WITHDRAWN, Ref(bureau.origin, honour.id, honour.leaf.hex()), body)])
    honours.add(conn, [], [Withdrawal(honour.leaf, honour.log, said.leaf_hash, day)])
    return said.leaf_hash
