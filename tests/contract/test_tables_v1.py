"""What first migrations made alike is made by the same statements for ever."""

import io
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations

from libs.service import tables_v1

STATEMENTS = Path(__file__).with_name("tables_v1.sql")


def test_they_make_what_they_made_the_first_time() -> None:
    """Where this fails, take the change back: it belongs into a new migration of each service."""
    written = io.StringIO()
    options = {"as_sql": True, "output_buffer": written}
    with Operations.context(MigrationContext.configure(dialect_name="postgresql", opts=options)):
        for make in (
            tables_v1.make_schema,
            tables_v1.make_deadlines,
            tables_v1.make_checkpoints,
            tables_v1.grant,
        ):
            make("notifier")
    assert [
        line.rstrip() for line in written.getvalue().strip().splitlines()
    ] == STATEMENTS.read_text().splitlines()
