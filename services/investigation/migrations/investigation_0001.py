"""Schema `investigation`: the investigations as they stand, and what falls due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from libs.service import tables_v1

revision = "investigation_0001"
down_revision = None
branch_labels = ("investigation",)
depends_on = "log_0001"  # which makes the roles

SCHEMA = "investigation"


def upgrade() -> None:
    """Make the schema, its tables and the rights to them."""
    tables_v1.make_schema(SCHEMA)
    _make_investigations()
    tables_v1.make_deadlines(SCHEMA)
    tables_v1.make_checkpoints(SCHEMA)
    tables_v1.grant(SCHEMA)


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
