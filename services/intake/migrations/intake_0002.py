"""Schema `intake`: how complaints were judged, who answers for them, batch incidents, and what falls due."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from libs.service import tables_v1

revision = "intake_0002"
down_revision = "intake_0001"
branch_labels = None
depends_on = None

SCHEMA = "intake"
NEW_COLUMNS: dict[str, type[Any]] = {
    "kind": sa.Text,
    "severity": sa.Text,
    "founded": sa.Boolean,
    "unit": sa.Text,
    "person": sa.Text,
    "incident_id": sa.Uuid,
}


def upgrade() -> None:
    """Add columns and tables, and the rights to them."""
    for name, kind in NEW_COLUMNS.items():
        op.add_column("complaints", sa.Column(name, kind()), schema=SCHEMA)
    for index, columns in {
        "complaints_by_part": ["log", "part_number", "respondent_reference", "recorded_at"],
        "complaints_by_batch": ["log", "batch", "recorded_at"],
    }.items():
        op.create_index(index, "complaints", columns, schema=SCHEMA)
    _make_incidents()
    tables_v1.make_deadlines(SCHEMA)
    for table in ("incidents", "deadlines"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {SCHEMA}.{table} TO redress_intake")
        op.execute(f"GRANT SELECT ON {SCHEMA}.{table} TO redress_auditor")


def _make_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="of IncidentRaised: the order of the list"),
        sa.Column("matched_on", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("complaints", sa.Integer(), nullable=False, comment="that have joined it"),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("clause", sa.Text()),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latest_at", sa.DateTime(timezone=True), nullable=False, comment="when one joined last"),
        sa.PrimaryKeyConstraint("log", "incident_id"),
        schema=SCHEMA,
    )
    for name, columns in {
        "incidents_by_seq": ["log", "seq"],
        "incidents_by_likeness": ["log", "matched_on", "reference", "seq"],
    }.items():
        op.create_index(name, "incidents", columns, unique=True, schema=SCHEMA)
