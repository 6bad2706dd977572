"""The bus: leases, checkpoints and parked events of its consumers."""

from __future__ import annotations

from pathlib import Path

from libs.events.log import migrate

revision = "log_0002"
down_revision = "log_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run bus.sql as it was then."""
    migrate.run_script(Path(__file__).with_suffix(".sql").read_text())
