"""Schema `intake`: the register of complaints and the blocks of numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from libs.service import tables_v1

revision = "intake_0001"
down_revision = None
branch_labels = ("intake",)
depends_on = "log_0001"  # which makes the roles


def upgrade() -> None:
    """Make the schema, its tables and the rights to them."""
    tables_v1.make_schema("intake")
    op.create_table(
        "complaints",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column(
            "seq", sa.BigInteger(), nullable=False, comment="of ComplaintRecorded: the order of the register"
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_reply_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("customer_id", sa.Text()),
        sa.Column("respondent_kind", sa.Text(), nullable=False),
        sa.Column("respondent_reference", sa.Text(), nullable=False),
        sa.Column("order_number", sa.Text()),
        sa.Column("part_number", sa.Text()),
        sa.Column("batch", sa.Text()),
        sa.Column("serial_number", sa.Text()),
        sa.Column("missing_details", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("merged_into", sa.Uuid()),
        sa.Column(
            "data_subjects",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="whose keys sealed what is searched",
        ),
        sa.Column(
            "tokens",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="blind index of the words said",
        ),
        sa.PrimaryKeyConstraint("log", "complaint_id"),
        schema="intake",
    )
    op.create_index("complaints_by_seq", "complaints", ["log", "seq"], unique=True, schema="intake")
    op.create_index("complaints_by_number", "complaints", ["log", "number"], unique=True, schema="intake")
    op.create_index("complaints_by_customer", "complaints", ["log", "customer_id", "seq"], schema="intake")
    op.create_index("complaints_by_merged_into", "complaints", ["log", "merged_into"], schema="intake")
    op.create_index(
        "complaints_by_data_subject", "complaints", ["data_subjects"], schema="intake", postgresql_using="gin"
    )
    op.create_index("complaints_by_token", "complaints", ["tokens"], schema="intake", postgresql_using="gin")
    tables_v1.make_checkpoints("intake")
    op.create_table(
        "number_blocks",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column(
            "reserved",
            sa.BigInteger(),
            nullable=False,
            comment="the last number that any process has reserved",
        ),
        sa.PrimaryKeyConstraint("log", "year"),
        schema="intake",
    )
    tables_v1.grant("intake")
