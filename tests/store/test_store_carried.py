"""What stood in a table before a migration stands in it afterwards, on either database."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from syncd.store import outbox, schema
from syncd.store.engine import Store
from syncd.store.outbox import Delivery


def to(conn: Connection, revision: str) -> None:
    """The tables as a version of that revision had them."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    command.upgrade(config, revision)


def test_what_was_queued_again_is_delivered_in_its_turn(store_url: str) -> None:
    store = Store.open(store_url)
    queued = Delivery(b"1" * 32, 1, True, "[]", "{}", "pending", "2028-11-03", "t", None, "{}")
    done = queued._replace(finding=b"2" * 32, state="delivered")
    with store.write() as conn:
        to(conn, "0015")
        outbox.put(conn, [queued, done])
    store.upgrade()
    with store.read() as conn:
        held = conn.execute(text("SELECT state, next_change FROM deliveries ORDER BY finding")).all()
    store.close()
    assert [tuple(row) for row in held] == [("pending", None), ("delivered", "2028-11-03")]


def test_where_entries_came_from_goes_over_to_ones_own_log(store_url: str) -> None:
    store = Store.open(store_url)
    with store.write() as conn:
        to(conn, "0012")
        names = [row[0] for row in conn.execute(text("SELECT * FROM logs LIMIT 0")).cursor.description]
        for number, own in ((1, False), (2, True)):
            row = {"id": number, "origin": f"a/{number}/1", "own": own}
            values = {name: row.get(name, "" if name.endswith("_at") else 0) for name in names}
            marks = ", ".join(f":{name}" for name in names)
            conn.execute(text(f"INSERT INTO logs VALUES ({marks})"), values)
        for idx in (1, 5):
            came = {
                "idx": idx,
                "source": "kunshan",
                "row": f"r{idx}",
                "place": "f.csv:2",
                "digest": "d",
                "read_at": "t",
            }
            conn.execute(text("INSERT INTO provenance VALUES (:idx, :source, :row, :place, :digest, :read_at)"), came)
    store.upgrade()
    with store.read() as conn:
        held = conn.execute(text('SELECT log, idx, "row" FROM provenance ORDER BY idx')).all()
    store.close()
    assert [tuple(row) for row in held] == [(2, 1, "r1"), (2, 5, "r5")]
