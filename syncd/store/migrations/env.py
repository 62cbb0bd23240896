"""Run by Alembic for each upgrade: migrates the connection it is given, inside that connection's transaction."""

from alembic import context

from syncd.store import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables.metadata)
with context.begin_transaction():
    context.run_migrations()
