"""The state of a row 当前状态, as tables of 2016 to 2018 carry it: 0 正常, 1 撤销, 2 异议, 3 其他（备注说明）.

Such a table has no relief rows: the penalty row itself says that it was revoked. Where the facts page names the
column (``columns.state``) and what its values mean (``[state]``), a relief row is made of what the penalty row says, so
that it takes the road of all relief. A value that stands for ``desk``, or that the page does not know, keeps the row
back for a person: its meaning is in a remark that is never read here.
"""

from collections.abc import Sequence

from adapters.base import RawRow, RowFault
from adapters.columns import COLUMNS
from adapters.facts import SourceFacts

_UNKNOWN = (
    "The state of the row is one that a person must look at (its remark stays in the source); "
    "nothing follows from the row until the source gives it another state, or the facts page names it."
)
_CARRIED = ("CF_WSH", "CF_CFJGDM", "CF_XDR_SHXYM")


class States:
    """What the state column of one source says."""

    def __init__(self, facts: SourceFacts) -> None:
        self._facts = facts
        others = {alias: column.code for column in COLUMNS for alias in (*column.aliases, column.zh)}
        self._codes = {name: name for name in _CARRIED} | others | facts.columns.aliases
        self._said = {kind: value for value, kind in facts.relief.items()}
        self._kept = {facts.columns.row, facts.columns.updated}

    def spoken(self, rows: list[RawRow]) -> list[RawRow]:
        """The rows, and behind them the relief that penalty rows speak of by their state."""
        return [*rows, *self._relieving(rows)] if self._facts.columns.state else rows

    def _relieving(self, rows: Sequence[RawRow]) -> list[RawRow]:
        made, column = [], self._facts.columns.state
        for row in rows:
            if row.kind != "penalty" or row.fault:
                continue
            value = row.fields.pop(column, "").strip()
            state = self._facts.state.get(value)
            if state is None or state == "desk":
                row.fault = RowFault(column, "unknown_value", _UNKNOWN)
            elif state != "in_force":
                made.append(
                    RawRow("relief", row.key, self._carried(row.fields) | {"XF_ZT": self._said[state]}, row.where)
                )
        return made

    def _carried(self, fields: dict[str, str]) -> dict[str, str]:
        """What names the finding, by the names the columns have here."""
        return {name: text for name, text in fields.items() if name in self._kept or self._codes.get(name) in _CARRIED}
