"""Cursors (游标): where each stage goes on, moved in the same transaction as the stage's work."""

from sqlalchemy import Connection

from syncd.store.statement import execute


def get_cursor(conn: Connection, name: str) -> str | None:
    """The cursor's value, or None if it was never set."""
    found = execute(conn, "SELECT value FROM cursors WHERE name = ?", (name,))
    value: str | None = found.scalar_one_or_none()
    return value


def set_cursor(conn: Connection, name: str, value: str) -> None:
    """Move the cursor to ``value``, forwards or backwards."""
    execute(
        conn,
        "INSERT INTO cursors (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
