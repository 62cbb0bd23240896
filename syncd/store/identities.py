"""Names and codes of organisations as the register knows them, read for ``who``."""

from sqlalchemy import Connection

from syncd.agreement.identity import Named
from syncd.store.bulk import execute

_NAMES = "SELECT uscc, name, min(decided_on), max(decided_on) FROM findings"


def names(conn: Connection, uscc: str | None = None) -> list[Named]:
    """Each name of each organisation (or of one) with the first and last day of the decisions that bear it."""
    where, given = ("", ()) if uscc is None else (" WHERE uscc = ?", (uscc,))
    return [Named(*row) for row in execute(conn, f"{_NAMES}{where} GROUP BY uscc, name", given)]


def with_organisation_code(conn: Connection, code: str) -> list[str]:
    """The USCCs in the register that hold this organisation code at 9 to 17; more than one is a matter for a person."""
    sql = "SELECT DISTINCT uscc FROM findings WHERE substr(uscc, 9, 9) = ? ORDER BY uscc"
    return list(execute(conn, sql, (code,)).scalars())
