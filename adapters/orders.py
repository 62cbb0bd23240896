"""The table of orders 惩戒单 in a front database: present state only, one row for each finding and measure.

The rule of delivery: a lower counter 版本号 is ignored, and at equal counters *lifted* 已解除 wins. So
orders may come twice and in any order, and a delivery that was interrupted is simply sent again.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Integer, Table, Update, bindparam, insert, select, update

from adapters.base import Json

FINDING, MEASURE, COUNTER, STATE = "CJD_RDBH", "CJD_CS", "CJD_BBH", "CJD_ZT"

_ASKED_AT_ONCE = 500
Key = tuple[str, str]
Version = tuple[int, int]


def upsert(conn: Connection, table: Table, rows: Sequence[Json]) -> None:
    """Bring the table to these rows: one question for 500 findings, then one insert and one update for all.

    Portable SQL; between question and answer nobody else writes this table (the result table is ours alone).
    """
    newest: dict[Key, Json] = {}
    for row in rows:
        key = (row[FINDING], row[MEASURE])
        if key not in newest or _wins(version(row), version(newest[key])):
            newest[key] = row
    held = _held(conn, table, sorted({finding for finding, _ in newest}))
    fresh = [row for key, row in newest.items() if key not in held]
    changed = [row for key, row in newest.items() if key in held and _wins(version(row), held[key])]
    names = list(rows[0])
    _write(conn, insert(table), table, names, fresh)
    same = [table.c[name] == bindparam(name) for name in (FINDING, MEASURE)]
    values: Json = {name: bindparam(name) for name in names if name not in (FINDING, MEASURE)}
    _write(conn, update(table).where(*same).values(values), table, names, changed)


def version(row: Mapping[str, Any]) -> Version:
    """Counter, and state 1 in force or 0 lifted."""
    return int(row[COUNTER]), int(row[STATE])


def _wins(new: Version, held: Version) -> bool:
    """Whether the new version may replace the held one. The same version may: its mark can have changed."""
    return new[0] > held[0] or (new[0] == held[0] and new[1] <= held[1])


def _held(conn: Connection, table: Table, findings: Sequence[str]) -> dict[Key, Version]:
    columns = [table.c[name] for name in (FINDING, MEASURE, COUNTER, STATE)]
    held: dict[Key, Version] = {}
    for some in _parts(findings):
        query = select(*columns).where(table.c[FINDING].in_(some))
        held |= {(f, m): (int(counter), int(state)) for f, m, counter, state in conn.execute(query)}
    return held


def _parts(findings: Sequence[str]) -> Iterator[Sequence[str]]:
    return (findings[i : i + _ASKED_AT_ONCE] for i in range(0, len(findings), _ASKED_AT_ONCE))


def _write(conn: Connection, statement: Insert | Update, table: Table, names: Sequence[str], rows: list[Json]) -> None:
    """Execute for many rows, handing the driver its parameters as they are: SQLAlchemy's own way costs thrice as much.

    Numbers go where the table has numbers, text elsewhere.
    """
    if not rows:
        return
    compiled = statement.compile(dialect=conn.dialect, column_keys=None if statement.is_update else list(names))
    order = compiled.positiontup or list(names)
    numbers = [place for place, name in enumerate(order) if isinstance(table.c[name].type, Integer)]
    lines = []
    for row in rows:
        line: list[Any] = [value if type(value := row[name]) is str or value is None else str(value) for name in order]
        for place in numbers:
            line[place] = line[place] and int(line[place])
        lines.append(tuple(line))
    named = not compiled.positional
    conn.exec_driver_sql(str(compiled), [dict(zip(order, line, strict=True)) for line in lines] if named else lines)
