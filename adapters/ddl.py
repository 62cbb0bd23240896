"""The tables of a front database 前置库 as DDL, made from the facts page, with the grants that a node needs.

Reading needs SELECT on three tables, writing one table for orders. Names are written so that no quoting is needed: on
PostgreSQL, 人大金仓 and 达梦 an unquoted name has no case, and the adapter reads names in any case.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects import mysql, oracle, postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, DDLElement, SetColumnComment

from adapters import acks, columns, orders, relief
from adapters.facts import SourceFacts

DIALECTS: dict[str, type[Dialect]] = {
    "mariadb": mysql.dialect,
    "postgresql": postgresql.dialect,
    "kingbase": postgresql.dialect,
    "dm": oracle.dialect,
    "sqlite": sqlite.dialect,
}
"""人大金仓 takes PostgreSQL's DDL, 达梦 takes Oracle's."""

_TIME = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql").with_variant(oracle.TIMESTAMP(), "oracle")
_TOUCHED = text("CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)")
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
_READER, _WRITER = "syncd_reader", "syncd_writer"
_LONG = frozenset({"CF_SY", "CF_NR", "CF_YJ", "CF_WFXW", "CJD_SY", "CJD_YJ"})
_ACK_LABELS = {
    "HZ_RDBH": "认定编号", "HZ_CS": "措施", "HZ_BBH": "版本号", "HZ_BM": "部门", "HZ_ZT": "执行状态", "HZ_RQ": "日期",
}  # fmt: skip


def ddl(facts: SourceFacts, dialect: str) -> str:
    """Statements for an empty schema; ``dialect`` is a key of ``DIALECTS``."""
    speaks = DIALECTS[dialect]()
    tables = _tables(facts, dialect)
    parts = [f"-- Front database 前置库 of {facts.publisher.name}, for {dialect}."]
    for table in tables:
        parts.append(_said(CreateTable(table), speaks))
        parts += [_said(CreateIndex(index), speaks) for index in table.indexes]
        if speaks.supports_comments and not speaks.inline_comments:
            parts += [_said(SetColumnComment(column), speaks) for column in table.columns if column.comment]
    own = facts.columns
    if dialect != "mariadb":
        parts.append(
            f"-- {own.updated} must change with every change of a row: the bureau's own system or a trigger sets it."
        )
    parts += _grants(tables, dialect)
    return "\n\n".join(parts) + "\n"


def _tables(facts: SourceFacts, dialect: str) -> list[Table]:
    names, own, meta = facts.database, facts.columns, MetaData()
    assert names is not None
    spelt = str if dialect in ("mariadb", "sqlite") else str.lower
    touched = _TOUCHED if dialect == "mariadb" else None
    beside = [name for name in own.own if name not in (own.row, own.updated)]
    penalties = [*(column.code for column in columns.COLUMNS), *beside]
    made = []
    for table, codes in ((names.penalties, penalties), (names.relief, list(relief.COLUMNS))):
        stamp = Column(spelt(own.updated), _TIME, nullable=False, server_default=touched, comment="更新时间")
        key = Column(spelt(own.row), String(64), primary_key=True, comment="主键")
        rest = [_column(spelt, code, columns.LABELS.get(code)) for code in codes]
        one = Table(table, meta, key, *rest, stamp, schema=names.schema_name)
        Index(f"{table}_news", stamp, key)
        made.append(one)
    keys = {orders.FINDING: 64, orders.MEASURE: 64}
    rest = [
        Column(spelt(code), String(keys[code]), primary_key=True) if code in keys
        else Column(spelt(code), Integer(), nullable=False) if code == orders.COUNTER
        else _column(spelt, code, None)
        for code in facts.push
    ]  # fmt: skip
    made.append(Table(names.orders, meta, *rest, schema=names.schema_name))
    number = Column(spelt(names.number), _NUMBER, Identity(), primary_key=True, comment="序号")
    rest = [_column(spelt, code, _ACK_LABELS[code]) for code in acks.COLUMNS]
    made.append(Table(names.acknowledgements, meta, number, *rest, schema=names.schema_name))
    return made


def _column(spelt: Any, code: str, label: str | None) -> Column[Any]:
    return Column(spelt(code), Text() if code in _LONG else String(200), comment=label)


def _said(statement: DDLElement, speaks: Dialect) -> str:
    return str(statement.compile(dialect=speaks)).strip() + ";"


def _grants(tables: list[Table], dialect: str) -> list[str]:
    """The least that a node needs: one account reads, the other writes orders."""
    if dialect == "sqlite":
        return []
    *read, orders_table, acknowledged = (str(table) for table in tables)
    lines = [f"GRANT SELECT ON {table} TO {_READER};" for table in (*read, acknowledged)]
    lines.append(f"GRANT SELECT, INSERT, UPDATE ON {orders_table} TO {_WRITER};")
    return [f"-- {_READER} is the account of source.url, {_WRITER} that of source.orders_url; make both first.", *lines]
