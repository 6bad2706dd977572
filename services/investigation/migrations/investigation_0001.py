"""Schema `investigation`: the investigations as they stand, and what falls due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "investigation_0001"
down_revision = None
branch_labels = ("investigation",)
depends_on = "log_0001"  # which makes the roles

SCHEMA = "investigation"


def upgrade() -> None:
    """Make the schema, its tables and the rights to them."""
    op.execute("CREATE SCHEMA investigation")
    _make_investigations()
    _make_deadlines()
    op.create_table(
        "checkpoints",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("projection", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log", "projection"),
        schema=SCHEMA,
    )
    op.execute("GRANT USAGE ON SCHEMA investigation TO redress_investigation, redress_auditor")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA investigation TO redress_investigation"
    )
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA investigation TO redress_auditor")


def _make_investigations() -> None:
    op.create_table(
        "investigations",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("investigation_id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid()),
        sa.Column("incident_id", sa.Uuid()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("part_number", sa.Text()),
        sa.Column("serial_number", sa.Text()),
        sa.Column("customer_id", sa.Text()),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column(
            "owed_by",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="units whose contribution is outstanding",
        ),
        sa.Column("cause_code", sa.Text()),
        sa.Column("repair_proposed", sa.Boolean(), nullable=False),
        sa.Column("repaired_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("log", "investigation_id"),
        schema=SCHEMA,
    )
    for name, columns in {
        "investigations_by_person": ["log", "person", "due_at", "investigation_id"],
        "investigations_by_due_at": ["log", "due_at", "investigation_id"],
        "investigations_by_fault": ["log", "serial_number", "cause_code", "repaired_at"],
    }.items():
        op.create_index(name, "investigations", columns, schema=SCHEMA)


def _make_deadlines() -> None:
    op.create_table(
        "deadlines",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("warn_at", sa.DateTime(timezone=True)),
        sa.Column(
            "next_at",
            sa.DateTime(timezone=True),
            comment="of the warning, then of the deadline, then null",
        ),
        sa.PrimaryKeyConstraint("log", "key", "step"),
        schema=SCHEMA,
    )
    op.create_index(
        "deadlines_by_next_at",
        "deadlines",
        ["log", "next_at", "key", "step"],
        schema=SCHEMA,
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
