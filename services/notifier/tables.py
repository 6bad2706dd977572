"""The tables of schema `notifier`: what the migrations have created, as queries name it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text, Uuid

from libs.service import tables

METADATA: Final = MetaData(schema="notifier")

# One row a notice, as it stands: what was said to whom, whether it arrived, who owes it. No word of its text.
NOTICES: Final = Table(
    "notices",
    METADATA,
    Column("log", Text, primary_key=True),
    Column("notice_id", Uuid, primary_key=True),
    Column("complaint_id", Uuid),
    Column("kind", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("person", Text, comment="who inside is told; null for a customer"),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("channel", Text, nullable=False, comment="that it arrived over, or is tried over"),
    Column("attempts", Integer, nullable=False),
    Column("failure", Text, comment="of the last attempt that failed"),
    Column("retry_at", DateTime(timezone=True)),
    Column("owed_by", Text, comment="who has to tell the recipient by hand"),
    Column("due_at", DateTime(timezone=True)),
    Column("written_at", DateTime(timezone=True), nullable=False),
    Column("settled_at", DateTime(timezone=True), comment="delivered or handed over"),
)
Index(
    "notices_by_written_at",
    NOTICES.c.log,
    NOTICES.c.written_at,
    NOTICES.c.notice_id,
)
Index(
    "notices_by_complaint",
    NOTICES.c.log,
    NOTICES.c.complaint_id,
    NOTICES.c.written_at,
    NOTICES.c.notice_id,
)
Index(
    "notices_owed",
    NOTICES.c.log,
    NOTICES.c.owed_by,
    NOTICES.c.written_at,
    NOTICES.c.notice_id,
    postgresql_where=NOTICES.c.owed_by.is_not(None),
)

DEADLINES: Final = tables.deadlines(METADATA)
CHECKPOINTS: Final = tables.checkpoints(METADATA)
