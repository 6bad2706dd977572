"""`make bench`: measure every pair in turn, print one table of ratios, write build/bench.json."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import (
    append,
    bus,
    demo,
    due,
    eventsourced,
    machine,
    measure,
    posting,
    reactions,
    read,
    servers,
    steps,
    through,
)

GROUPS = (
    append.GROUP,
    posting.GROUP,
    bus.GROUP,
    read.GROUP,
    steps.GROUP,
    due.GROUP,
    reactions.GROUP,
    *through.GROUPS,
    demo.GROUP,
)
Line = Mapping[str, object]


def main(words: list[str]) -> None:
    """Exit status 0 says that it ran; the table says what holds."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # an end like any other: servers stop, folders go
    options = arguments(words)
    scale = measure.QUICK if options.quick else measure.FULL if options.full else measure.DEFAULT
    names = options.rows or [row.name for group in GROUPS for row in group.rows]
    console, began = Console(stderr=True), time.monotonic()
    with (
        servers.running() as place,
        machine.cores_used({}) as cores,
        console.status("starting") as status,
    ):
        machine_line = servers.described(place)
        lines = [
            line
            for group in GROUPS
            for line in measured(group, place, scale, names, lambda what: status.update(f"measuring {what}"))
        ]
    options.json.write_text(json.dumps(lines, indent=2) + "\n")
    print(f"{machine_line}, {eventsourced.described()}")
    print(f"{scale.rounds} rounds of every pair in turn, medians; {time.monotonic() - began:.0f} s in all")
    print(f"everything else on this machine kept {cores.get('others', 0.0):.2f} cores busy meanwhile")
    Console(width=None if sys.stdout.isatty() else 180).print(table(lines))


def arguments(words: list[str]) -> argparse.Namespace:
    """--rows, and how much to measure."""
    known = [row.name for group in GROUPS for row in group.rows]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rows", type=lambda names: names.split(","), help=f"only these: {', '.join(known)}")
    parser.add_argument("--json", type=Path, default=servers.BUILD / "bench.json", help="where to write it")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="little and fast: shows that it runs, no more")
    size.add_argument("--full", action="store_true", help="5 million events, and every real complaint")
    options = parser.parse_args(words)
    if unknown := set(options.rows or ()) - set(known):
        parser.error(f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return options


def measured(
    group: measure.Group, place: servers.Place, scale: measure.Scale, names: list[str], say: measure.Say
) -> list[Line]:
    """The lines of those rows of a group that are wanted."""
    rows = [row for row in group.rows if row.name in names]
    wanted = {contestant for row in rows for contestant in row.contestants}
    if not rows:
        return []
    say(f"(preparing {rows[0].name})")
    try:
        with group.open(place, scale, wanted) as contestants:
            place.settle(scale.wal_files)  # what was prepared is on disk, and not written while we measure
            rounds = min(scale.rounds, group.rounds_max or scale.rounds)
            samples = measure.take_turns(contestants, rounds, say)
    except Exception as error:  # what cannot be measured is a line of the table, and does not cost the others
        return [measure.unmeasured(row, error) for row in rows]
    return [measure.result(row, samples) for row in rows]


def table(lines: list[Line]) -> Table:
    """One line a row; what misses is said with its reason."""
    shown = Table(box=None, pad_edge=False)
    for title in ("row", "what", "figure", "unit", "against", "", "ratio", "floor", "holds", "reason"):
        shown.add_column(
            title, justify="right" if title in ("figure", "against", "ratio", "floor") else "left"
        )
    for line in lines:
        shown.add_row(
            *(str(line["row"]), str(line["what"]), number(line["figure"]), str(line["unit"])),
            *(number(line["against"]), str(line["against_what"]), number(line["ratio"])),
            *(number(line["floor"]), "yes" if line["holds"] else "NO", str(line["reason"])),
        )
    return shown


def number(figure: object) -> str:
    """As a person reads it; a dash where there is none."""
    if not isinstance(figure, float):
        return "-"
    return f"{figure:,.0f}" if figure >= 1000 else f"{figure:.3g}"


if __name__ == "__main__":
    main(sys.argv[1:])
