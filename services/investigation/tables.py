"""The tables of schema `investigation`: what the migrations have created, as queries name it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from libs.service import tables

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

DEADLINES: Final = tables.deadlines(METADATA)
CHECKPOINTS: Final = tables.checkpoints(METADATA)
