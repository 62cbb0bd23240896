"""Bringing the tables to the form this version needs, by Alembic, from the first table on.

No ini file: the scripts lie in the package, and they run on the connection that is given, within its
transaction. A crash on the way leaves the old form whole, on both databases.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from syncd.errors import Stop

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(conn: Connection) -> None:
    """Run what is missing. Raises Stop if a newer version of the program made the tables."""
    present, known = current(conn), revisions()
    if present == known[-1]:
        return
    if present is not None and present not in known:
        raise Stop(
            f"The store was made by a newer version of this program (its tables are at {present}). "
            "Nothing was changed. Install that version again, or restore the backup made before it."
        )
    # Alembic takes half a second to import, and most starts need nothing of it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    command.upgrade(config, "head")


def revisions() -> list[str]:
    """The revisions this version knows, oldest first: each file's name begins with its own."""
    return sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def current(conn: Connection) -> str | None:
    """The revision the tables are at, or None for an empty database."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    revision: str | None = conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return revision
