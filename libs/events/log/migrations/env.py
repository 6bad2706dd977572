"""Alembic's entry: runs the migrations on the connection of migrate.py, as the role that owns everything."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

connection = context.config.attributes["connection"]
# One upgrade at a time.
connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('redress migrations'))"))
connection.execute(text("SET LOCAL ROLE redress_owner"))
context.configure(connection=connection, version_table_schema="log", version_table="migrations")
with context.begin_transaction():
    context.run_migrations()
