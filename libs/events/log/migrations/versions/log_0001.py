"""The log: events, heads, claims, keys, and the functions that write them."""

from __future__ import annotations

from pathlib import Path

from libs.events.log import migrate

revision = "log_0001"
down_revision = None
branch_labels = ("log",)
depends_on = None


def upgrade() -> None:
    """Run schema.sql and append.sql as they were then."""
    migrate.run_script(Path(__file__).with_suffix(".sql").read_text())
