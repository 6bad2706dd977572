"""The tables of schema `resolution`: what the migrations have created, as queries name it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from libs.service import tables

METADATA: Final = MetaData(schema="resolution")

# One row a complaint whose case was opened, as it stands.
CASES: Final = Table(
    "cases",
    METADATA,
    Column("log", Text, primary_key=True),
    Column("complaint_id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("solution", Text, nullable=False, comment="how far step 5 has come"),
    Column("due_at", DateTime(timezone=True), nullable=False, comment="of what comes next of step 5"),
    Column("outcome", Text, comment="null while it is open"),
)
Index(
    "cases_open",
    CASES.c.log,
    CASES.c.due_at,
    CASES.c.complaint_id,
    postgresql_where=CASES.c.outcome.is_(None),
)

# One row for each sanction, waiver, finding of no fault and reward.
LEDGER: Final = Table(
    "ledger",
    METADATA,
    Column("log", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("complaint_id", Uuid, nullable=False),
    Column("entry", Text, nullable=False),
    Column("sanction", Integer, comment="its number in the complaint"),
    Column("person", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("month", Date, nullable=False, comment="its first day"),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("charge", Text),
    Column("way", Text),
    Column("policy", Text),
    Column("clause", Text),
    Column("amount", Numeric),
    Column("currency", Text),
    Column("installments", JSONB, nullable=False, comment="month to amount"),
    Column("rests_on", Uuid),
    Column("appeal", Text, comment="pending, or what became of it"),
)
Index("ledger_by_person", LEDGER.c.log, LEDGER.c.person, LEDGER.c.month)
Index("ledger_by_sanction", LEDGER.c.log, LEDGER.c.complaint_id, LEDGER.c.sanction)
Index("ledger_by_month", LEDGER.c.log, LEDGER.c.month, LEDGER.c.unit)

# One row a measure, as it stands.
IMPROVEMENTS: Final = Table(
    "improvements",
    METADATA,
    Column("log", Text, primary_key=True),
    Column("improvement_id", Uuid, primary_key=True),
    Column("seq", BigInteger, nullable=False, comment="of ImprovementPlanned: the order of the list"),
    Column("version", Integer, nullable=False),
    Column("cause_code", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("completed_at", DateTime(timezone=True)),
    Column("observed_until", DateTime(timezone=True)),
    Column("complaint_ids", ARRAY(Uuid), nullable=False),
)
Index("improvements_by_seq", IMPROVEMENTS.c.log, IMPROVEMENTS.c.seq, unique=True)
Index("improvements_by_cause", IMPROVEMENTS.c.log, IMPROVEMENTS.c.cause_code)

DEADLINES: Final = tables.deadlines(METADATA)
CHECKPOINTS: Final = tables.checkpoints(METADATA)
