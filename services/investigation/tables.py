"""The tables of schema `investigation`: what the migrations have created, as queries name it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

METADATA: Final = MetaData(schema="investigation")

# One row an investigation, as it stands: what people have to do, and which faults on which units were mended.
INVESTIGATIONS: Final = Table(
    "investigations",
    METADATA,
    Column("log", Text, primary_key=True),
    Column("investigation_id", Uuid, primary_key=True),
    Column("complaint_id", Uuid),
    Column("incident_id", Uuid),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("part_number", Text),
    Column("serial_number", Text),
    Column("customer_id", Text),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("overdue", Boolean, nullable=False),
    Column("owed_by", ARRAY(Text), nullable=False, comment="units whose contribution is outstanding"),
    Column("cause_code", Text),
    Column("repair_proposed", Boolean, nullable=False),
    Column("repaired_at", DateTime(timezone=True)),
)
Index(
    "investigations_by_person",
    INVESTIGATIONS.c.log,
    INVESTIGATIONS.c.person,
    INVESTIGATIONS.c.due_at,
    INVESTIGATIONS.c.investigation_id,
)
Index(
    "investigations_by_due_at",
    INVESTIGATIONS.c.log,
    INVESTIGATIONS.c.due_at,
    INVESTIGATIONS.c.investigation_id,
)
Index(
    "investigations_by_fault",
    INVESTIGATIONS.c.log,
    INVESTIGATIONS.c.serial_number,
    INVESTIGATIONS.c.cause_code,
    INVESTIGATIONS.c.repaired_at,
)

# What falls due; libs.service.deadlines writes and reads it.
DEADLINES: Final = Table(
    "deadlines",
    METADATA,
    Column("log", Text, primary_key=True),
    Column("key", Uuid, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("warn_at", DateTime(timezone=True)),
    Column("next_at", DateTime(timezone=True), comment="of the warning, then of the deadline, then null"),
)
Index(
    "deadlines_by_next_at",
    DEADLINES.c.log,
    DEADLINES.c.next_at,
    DEADLINES.c.key,
    DEADLINES.c.step,
    postgresql_where=DEADLINES.c.next_at.is_not(None),
)

# How far each view has followed each log; libs.service.projection writes it.
CHECKPOINTS: Final = Table(
    "checkpoints",
    METADATA,
    Column("log", Text, primary_key=True),
    Column("projection", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
