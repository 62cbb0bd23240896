"""A service whose pages are numbers, cursors or times: the ways in which other bureaus' interfaces page."""

from collections.abc import Callable
from dataclasses import dataclass, field

from adapter_rows import Row
from adapter_service import Service

from adapters.base import Json


@dataclass
class Listings(Service):
    """Rows in the order of time and key; ``between`` runs before an answer, as people change rows while we page."""

    way: str = "page"
    between: list[Callable[[], object]] = field(default_factory=list)
    listings: dict[str, list[Row]] = field(default_factory=dict)

    def answer(self, path: str, query: dict[str, str]) -> Json:
        """One page, by what the question names."""
        if path == "/acknowledgements":
            return super().answer(path, query)
        if path == "/penalties" and self.between:
            self.between.pop(0)()
        held = {"/penalties": self.penalties, "/relief": self.relief}[path]
        rows = sorted(held.values(), key=lambda row: (row["GXSJ"], row["ID"]))
        rows = [row for row in rows if row["GXSJ"] >= query.get("changed_since", "")]
        limit = int(query["size"])
        if self.way == "since":
            return {"data": {"list": rows[:limit]}}
        if self.way == "page":
            start = (int(query["page"]) - 1) * limit
            return {"data": {"list": rows[start : start + limit]}}
        return self._listed(query.get("cursor"), rows, limit)

    def _listed(self, cursor: str | None, rows: list[Row], limit: int) -> Json:
        """A listing that stands still: its rows are those of its first page's moment. It is forgotten if removed."""
        name, _, at = (cursor or f"{len(self.listings)}@0").partition("@")
        rows = self.listings.setdefault(name, rows) if cursor is None else self.listings[name]
        end = int(at) + limit
        following = {"next": f"{name}@{end}"} if end < len(rows) else {}
        return {"data": {"list": rows[int(at) : end], **following}}
