"""The tables of schema `intake`: what the migrations have created, as queries name it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from libs.service import tables

METADATA: Final = MetaData(schema="intake")

# One row a complaint, as it stands. Nothing personal is in the clear: `tokens` are blind (decision 0004).
COMPLAINTS: Final = Table(
    "complaints",
    METADATA,
    Column("log", Text, primary_key=True),
    Column("complaint_id", Uuid, primary_key=True),
    Column("seq", BigInteger, nullable=False, comment="of ComplaintRecorded: the order of the register"),
    Column("version", Integer, nullable=False),
    Column("number", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("first_reply_due_at", DateTime(timezone=True), nullable=False),
    Column("customer_id", Text),
    Column("respondent_kind", Text, nullable=False),
    Column("respondent_reference", Text, nullable=False),
    Column("order_number", Text),
    Column("part_number", Text),
    Column("batch", Text),
    Column("serial_number", Text),
    Column("missing_details", ARRAY(Text), nullable=False),
    Column("merged_into", Uuid),
    Column("data_subjects", ARRAY(Text), nullable=False, comment="whose keys sealed what is searched"),
    Column("tokens", ARRAY(BigInteger), nullable=False, comment="blind index of the words said"),
    Column("kind", Text),
    Column("severity", Text),
    Column("founded", Boolean),
    Column("unit", Text),
    Column("person", Text),
    Column("incident_id", Uuid),
)
Index("complaints_by_seq", COMPLAINTS.c.log, COMPLAINTS.c.seq, unique=True)
Index("complaints_by_number", COMPLAINTS.c.log, COMPLAINTS.c.number, unique=True)
Index("complaints_by_customer", COMPLAINTS.c.log, COMPLAINTS.c.customer_id, COMPLAINTS.c.seq)
Index("complaints_by_merged_into", COMPLAINTS.c.log, COMPLAINTS.c.merged_into)
Index("complaints_by_data_subject", COMPLAINTS.c.data_subjects, postgresql_using="gin")
Index("complaints_by_token", COMPLAINTS.c.tokens, postgresql_using="gin")
Index(
    "complaints_by_part",
    COMPLAINTS.c.log,
    COMPLAINTS.c.part_number,
    COMPLAINTS.c.respondent_reference,
    COMPLAINTS.c.recorded_at,
)
Index("complaints_by_batch", COMPLAINTS.c.log, COMPLAINTS.c.batch, COMPLAINTS.c.recorded_at)

# One row a batch incident (CLS-7).
INCIDENTS: Final = Table(
    "incidents",
    METADATA,
    Column("log", Text, primary_key=True),
    Column("incident_id", Uuid, primary_key=True),
    Column("seq", BigInteger, nullable=False, comment="of IncidentRaised: the order of the list"),
    Column("matched_on", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("complaints", Integer, nullable=False, comment="that have joined it"),
    Column("threshold", Integer, nullable=False),
    Column("window_days", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("clause", Text),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("latest_at", DateTime(timezone=True), nullable=False, comment="when one joined last"),
)
Index("incidents_by_seq", INCIDENTS.c.log, INCIDENTS.c.seq, unique=True)
Index(
    "incidents_by_likeness",
    INCIDENTS.c.log,
    INCIDENTS.c.matched_on,
    INCIDENTS.c.reference,
    INCIDENTS.c.seq,
    unique=True,
)

DEADLINES: Final = tables.deadlines(METADATA)
CHECKPOINTS: Final = tables.checkpoints(METADATA)

NUMBER_BLOCKS: Final = Table(
    "number_blocks",
    METADATA,
    Column("log", Text, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("reserved", BigInteger, nullable=False, comment="the last number that any process has reserved"),
)
