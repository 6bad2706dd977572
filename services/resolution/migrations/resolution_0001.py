"""Schema `resolution`: cases, the ledger and measures as they stand, and what falls due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from libs.service import tables_v1

revision = "resolution_0001"
down_revision = None
branch_labels = ("resolution",)
depends_on = "log_0001"  # which makes the roles

SCHEMA = "resolution"


def upgrade() -> None:
    """Make the schema, its tables and the rights to them."""
    tables_v1.make_schema(SCHEMA)
    _make_cases()
    _make_ledger()
    _make_improvements()
    tables_v1.make_deadlines(SCHEMA)
    tables_v1.make_checkpoints(SCHEMA)
    tables_v1.grant(SCHEMA)


def _make_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("solution", sa.Text(), nullable=False, comment="how far step 5 has come"),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), nullable=False, comment="of what comes next of step 5"
        ),
        sa.Column("outcome", sa.Text(), comment="null while it is open"),
        sa.PrimaryKeyConstraint("log", "complaint_id"),
        schema=SCHEMA,
    )
    op.create_index(
        "cases_open",
        "cases",
        ["log", "due_at", "complaint_id"],
        schema=SCHEMA,
        postgresql_where=sa.text("outcome IS NULL"),
    )


def _make_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("sanction", sa.Integer(), comment="its number in the complaint"),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False, comment="its first day"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("charge", sa.Text()),
        sa.Column("way", sa.Text()),
        sa.Column("policy", sa.Text()),
        sa.Column("clause", sa.Text()),
        sa.Column("amount", sa.Numeric()),
        sa.Column("currency", sa.Text()),
        sa.Column("installments", postgresql.JSONB(), nullable=False, comment="month to amount"),
        sa.Column("rests_on", sa.Uuid()),
        sa.Column("appeal", sa.Text(), comment="pending, or what became of it"),
        sa.PrimaryKeyConstraint("log", "seq"),
        schema=SCHEMA,
    )
    for name, columns in {
        "ledger_by_person": ["log", "person", "month"],
        "ledger_by_sanction": ["log", "complaint_id", "sanction"],
        "ledger_by_month": ["log", "month", "unit"],
    }.items():
        op.create_index(name, "ledger", columns, schema=SCHEMA)


def _make_improvements() -> None:
    op.create_table(
        "improvements",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("improvement_id", sa.Uuid(), nullable=False),
        sa.Column(
            "seq", sa.BigInteger(), nullable=False, comment="of ImprovementPlanned: the order of the list"
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cause_code", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("observed_until", sa.DateTime(timezone=True)),
        sa.Column("complaint_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.PrimaryKeyConstraint("log", "improvement_id"),
        schema=SCHEMA,
    )
    op.create_index("improvements_by_seq", "improvements", ["log", "seq"], unique=True, schema=SCHEMA)
    op.create_index("improvements_by_cause", "improvements", ["log", "cause_code"], schema=SCHEMA)
