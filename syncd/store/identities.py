"""Names and codes of organisations as the register knows them, read for ``who``.

A name may stand in a million rows, and a question about one takes few of them into memory: the store counts how many
pairs of neighbouring characters of the name asked about each name shares, along an index that holds all it needs, and
gives the nearest. Whether these are alike, and how much, is judged by the caller.
"""

from collections.abc import Collection, Iterator

from sqlalchemy import Connection

from syncd.agreement.identity import Named, neighbours
from syncd.store.statement import among, chunks, execute, marks

NEAREST = 2_000
"""How many names at most are read for one question."""
_MOST_PAIRS = 12
_NAMES = "SELECT uscc, name, min(decided_on), max(decided_on) FROM findings"


def names(conn: Connection, uscc: str) -> list[Named]:
    """Each name of an organisation with the first and last day of the decisions that bear it."""
    return [Named(*row) for row in execute(conn, f"{_NAMES} WHERE uscc = ? GROUP BY uscc, name", (uscc,))]


def alike(conn: Connection, name: str) -> list[Named]:
    """The names that share the most pairs of characters with a normalised ``name``, each organisation's own."""
    pairs = neighbours(name)[:_MOST_PAIRS]
    if not pairs:
        return []
    within = "strpos(name, ?)" if conn.dialect.name == "postgresql" else "instr(name, ?)"
    shared = " + ".join([f"CASE WHEN {within} > 0 THEN 1 ELSE 0 END"] * len(pairs))
    sql = f"SELECT uscc, name FROM findings ORDER BY {shared} DESC, length(name), uscc LIMIT ?"
    nearest = {tuple(row) for row in execute(conn, sql, (*pairs, NEAREST))}
    found: list[Named] = []
    for some in chunks({uscc for uscc, _ in nearest}):
        condition, given = among(conn, "uscc", some)
        rows = execute(conn, f"{_NAMES} WHERE {condition} GROUP BY uscc, name", given)
        found += [Named(*row) for row in rows if (row[0], row[1]) in nearest]
    return found


def named(conn: Connection, wanted: Collection[str]) -> Iterator[Named]:
    """Every organisation that bears one of these normalised names (500 at most)."""
    if wanted:
        sql = f"{_NAMES} WHERE name IN ({marks(wanted)}) GROUP BY uscc, name"
        yield from (Named(*row) for row in execute(conn, sql, tuple(wanted)))


def with_organisation_code(conn: Connection, code: str) -> list[str]:
    """The USCCs in the register that hold this organisation code at 9 to 17; more than one is a matter for a person."""
    sql = "SELECT DISTINCT uscc FROM findings WHERE substr(uscc, 9, 9) = ? ORDER BY uscc"
    return list(execute(conn, sql, (code,)).scalars())
