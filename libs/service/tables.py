"""The two tables of every service that has views: what falls due, and how far each view has come."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Table, Text, Uuid


def deadlines(metadata: MetaData) -> Table:
    """What falls due; `libs.service.deadlines` writes and reads it."""
    table = Table(
        "deadlines",
        metadata,
        Column("log", Text, primary_key=True),
        Column("key", Uuid, primary_key=True),
        Column("step", Text, primary_key=True),
        Column("due_at", DateTime(timezone=True), nullable=False),
        Column("warn_at", DateTime(timezone=True)),
        Column("next_at", DateTime(timezone=True), comment="of the warning, then of the deadline, then null"),
    )
    of = table.c
    running = of.next_at.is_not(None)
    Index("deadlines_by_next_at", of.log, of.next_at, of.key, of.step, postgresql_where=running)
    return table


def checkpoints(metadata: MetaData) -> Table:
    """How far each view has followed each log; `libs.service.projection` writes it."""
    return Table(
        "checkpoints",
        metadata,
        Column("log", Text, primary_key=True),
        Column("projection", Text, primary_key=True),
        Column("seq", BigInteger, nullable=False),
    )
