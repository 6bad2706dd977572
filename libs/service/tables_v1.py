"""What the first migrations of services make alike: schema, `deadlines`, `checkpoints`, the rights to all.

These functions are history, and never change: a database that is set up tomorrow must become what those are
that were set up with them. What has to be otherwise is a migration of each service, and `tables.py`, which
says how the tables are by now. tests/contract/test_tables_v1.py holds each statement against a golden file.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def make_schema(schema: str) -> None:
    """Make the schema of a service."""
    op.execute(f"CREATE SCHEMA {schema}")


def make_deadlines(schema: str) -> None:
    """Make the table of what falls due."""
    op.create_table(
        "deadlines",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("warn_at", sa.DateTime(timezone=True)),
        sa.Column(
            "next_at", sa.DateTime(timezone=True), comment="of the warning, then of the deadline, then null"
        ),
        sa.PrimaryKeyConstraint("log", "key", "step"),
        schema=schema,
    )
    op.create_index(
        "deadlines_by_next_at",
        "deadlines",
        ["log", "next_at", "key", "step"],
        schema=schema,
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )


def make_checkpoints(schema: str) -> None:
    """Make the table of how far each view has followed each log."""
    op.create_table(
        "checkpoints",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("projection", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log", "projection"),
        schema=schema,
    )


def grant(schema: str) -> None:
    """Give the service all rights to rows of its tables, and the auditor leave to read; nobody else any."""
    role = f"redress_{schema}"
    op.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}, redress_auditor")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}")
    op.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO redress_auditor")
