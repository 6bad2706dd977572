"""Schema `notifier`: the notices as they stand, and what falls due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from libs.service import tables_v1

revision = "notifier_0001"
down_revision = None
branch_labels = ("notifier",)
depends_on = "log_0001"  # which makes the roles

SCHEMA = "notifier"


def upgrade() -> None:
    """Make the schema, its tables and the rights to them."""
    tables_v1.make_schema(SCHEMA)
    _make_notices()
    tables_v1.make_deadlines(SCHEMA)
    tables_v1.make_checkpoints(SCHEMA)
    tables_v1.grant(SCHEMA)


def _make_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), comment="who inside is told; null for a customer"),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False, comment="that it arrived over, or is tried over"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), comment="of the last attempt that failed"),
        sa.Column("retry_at", sa.DateTime(timezone=True)),
        sa.Column("owed_by", sa.Text(), comment="who has to tell the recipient by hand"),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), comment="delivered or handed over"),
        sa.PrimaryKeyConstraint("log", "notice_id"),
        schema=SCHEMA,
    )
    place = ["written_at", "notice_id"]
    op.create_index("notices_by_written_at", "notices", ["log", *place], schema=SCHEMA)
    op.create_index("notices_by_complaint", "notices", ["log", "complaint_id", *place], schema=SCHEMA)
    owed = sa.text("owed_by IS NOT NULL")
    columns = ["log", "owed_by", *place]
    op.create_index("notices_owed", "notices", columns, schema=SCHEMA, postgresql_where=owed)
