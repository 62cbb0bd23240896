"""The watch 值守: what a node looks at by itself, each at least hourly.

1. every member's checkpoint of every log is compared with what is held here (``crosscheck``);
2. each member is asked for a fresh line under the newest size of this node's log, and this node gives its own;
3. a rotation of keys whose new key every member knows is ended (``keys``);
4. a checkpoint that lacks members' lines for too long alarms.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from syncd.errors import Retry
from syncd.flows.alarms import match, quiet, sound
from syncd.flows.bureau import Bureau
from syncd.flows.crosscheck import CrossCheck
from syncd.flows.keys import retire
from syncd.flows.share import Link, Share
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.store import alarms, further_lines, sourcebook
from syncd.store.checkpoints import final_size, first_after

Json = dict[str, Any]
FRESH_SECONDS = 3330.0
"""How old the newest line of a member may be before a fresh one is asked for: below an hour, above what is answered
with the line already given.
"""
UNCHECKED_SECONDS = 7200.0


class Watch:
    """All three looks; ``step`` takes those that are due."""

    def __init__(self, bureau: Bureau, links: Mapping[str, Link], shares: Mapping[str, Share]) -> None:
        self._bureau = bureau
        self._crosscheck = CrossCheck(bureau, links)
        self._shares = shares

    def step(self) -> bool:
        """Look at what is due; a member that is away never keeps the others from being looked at."""
        bureau = self._bureau
        for code in sorted(bureau.exchanging & self._shares.keys()):
            if self._age(f"crosscheck:{code}") >= bureau.cross_check_seconds:
                self._check(code)
        self._freshen()
        retire(bureau)
        with bureau.store.read() as conn:
            waiting, standing = self._provisional(conn), alarms.standing_marks(conn, "provisional")
        if waiting or standing:
            with bureau.store.write() as conn:
                match(bureau, conn, "provisional", waiting)
        return False

    def _age(self, name: str) -> float:
        with self._bureau.store.read() as conn:
            at = sourcebook.read_one(conn, name).get("at")
        return (self._bureau.clock() - dt.datetime.fromisoformat(at)).total_seconds() if at else float("inf")

    def _check(self, code: str) -> None:
        bureau, name = self._bureau, f"crosscheck:{code}"
        try:
            count = self._crosscheck.check(code)
        except Retry as error:
            self._not_checked(code, str(error))
            return
        with bureau.store.write() as conn:
            sourcebook.post(conn, name, {"at": bureau.now_text(), "logs": count})
            quiet(bureau, conn, "unchecked", [code])

    def _not_checked(self, code: str, sentence: str) -> None:
        """Tried again at the next step; what lasts two hours alarms."""
        bureau, tried = self._bureau, f"crosscheck:{code}:since"
        bureau.notice("crosscheck.waits", {"peer": code, "because": sentence})
        with bureau.store.write() as conn:
            since = sourcebook.read_one(conn, tried).get("at") or bureau.now_text()
            last = sourcebook.read_one(conn, f"crosscheck:{code}").get("at")
            since = max(since, last) if last else since
            sourcebook.post(conn, tried, {"at": since})
            if (bureau.clock() - dt.datetime.fromisoformat(since)).total_seconds() > UNCHECKED_SECONDS:
                sound(bureau, conn, "unchecked", code, {"last_checked": last or "never"})

    def _freshen(self) -> None:
        bureau, origin = self._bureau, self._bureau.origin
        with bureau.store.read() as conn:
            newest = bureau.logs.newest(conn, origin)
            if newest is None:
                return
            fresh = further_lines.fresh_of(conn, origin)
            lines = {one.member: one.timestamp for one in bureau.logs.cosignatures(conn, origin, newest.size)}
        lines |= {code: one.timestamp for code, (size, one) in fresh.items() if size == newest.size}
        now = int(bureau.clock().timestamp())
        late = [code for code, seconds in lines.items() if now - seconds > FRESH_SECONDS]
        text = format_checkpoint(Checkpoint(origin, newest.size, newest.root))
        if bureau.code in late:
            bureau.sizes.record(origin, newest.size, newest.root)
            self._keep(newest.size, bureau.code, bureau.signing("receipt")[0].cosign(text, now), now)
        for code in late:
            if code in self._shares:
                for line, seconds in self._shares[code].fresh_line(newest):
                    self._keep(newest.size, code, line, seconds)

    def _keep(self, size: int, code: str, line: str, seconds: int) -> None:
        bureau = self._bureau
        with bureau.store.write() as conn:
            further_lines.keep_fresh(conn, bureau.origin, size, code, line, seconds, bureau.now_text())

    def _provisional(self, conn: Connection) -> dict[str, Json]:
        """The logs whose oldest checkpoint beyond the final one lacks lines for too long, with whose."""
        bureau, found = self._bureau, dict[str, Json]()
        for origin in bureau.origins:
            waiting = first_after(conn, origin, final_size(conn, origin, bureau.owing))
            if waiting is None:
                continue
            age = (bureau.clock() - dt.datetime.fromisoformat(waiting.at)).total_seconds()
            if age > bureau.provisional_seconds:
                signed = bureau.logs.countersigned_by_all(conn, origin)
                lacking = sorted(code for code in bureau.owing if signed.get(code, 0) < waiting.size)
                found[origin] = {"size": waiting.size, "since": waiting.at, "lacking": lacking}
        return found
