"""The table that a demonstration ends with: each figure, and whether it agrees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from deploy.local.figures import Figures, duration, named
from deploy.people.drive import Drive
from libs.policy import pack

# A measure is observed for months, which a demonstration does not wait for.
WAITED_FOR: Final = frozenset({"verification"})


@dataclass(frozen=True)
class Row:
    """One line of the table; a figure that nothing is held against agrees."""

    name: str
    value: str
    agrees: bool = True
    note: str = ""


def outcomes(figures: Figures, drive: Drive, seconds: float) -> list[Row]:
    """What became of the complaints."""
    policy, staff = pack.load("standard"), drive.staff
    left = Counter(
        each.what
        for case in staff.cases.values()
        if not case.outcome.get("closed")
        for each in case.owed.values()
    )
    observed = set(left) <= WAITED_FOR
    closed = len(figures.outcomes)
    incidents, types = figures.types["intake.incident_raised"], figures.types
    measures = types["resolution.improvement_planned"]
    return [
        Row("complaints by outcome", named(figures.by_outcome), observed, f"still owed: {named(left)}"),
        Row(
            "complaints/min",
            f"{60 * closed / seconds:,.0f}",
            note="closed, over HTTP, simulated staff included",
        ),
        Row("calls by people", f"{staff.callers.calls:,}", note=f"refused: {named(staff.callers.refusals)}"),
        Row(
            "first response",
            duration(figures.first_response(policy)),
            note=f"median, in working time; {duration(figures.first_response())} on the clock",
        ),
        Row(
            "resolution",
            duration(figures.resolution(policy)),
            note=f"median, in working time; {duration(figures.resolution())} on the clock",
        ),
        Row("deadlines missed", f"{figures.missed.total():,}", note=named(figures.missed)),
        Row(
            "batch incidents",
            f"{incidents:,}",
            note=f"{types['intake.complaint_joined_incident']:,} complaints",
        ),
        Row("sanctions", f"{figures.sanctions.total():,}", note=named(figures.sanctions)),
        Row("improvements", f"{measures:,}", note=f"{types['resolution.improvement_completed']:,} completed"),
    ]


def print_table(console: Console, rows: Sequence[Row], agreed: bool) -> None:
    """The findings, and the verdict over all of them."""
    table = Table(title="What happened")
    table.add_column("")
    table.add_column("figure", justify="right")
    table.add_column("agrees")
    table.add_column("")
    for row in rows:
        table.add_row(row.name, row.value, "yes" if row.agrees else "[bold red]NO", row.note)
    console.print(table)
    console.print("All of it agrees." if agreed else "[bold red]It does not all agree.")
