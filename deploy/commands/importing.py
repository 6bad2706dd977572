"""`redress import`: records a file of complaints, whatever is wrong with some of its lines (REC-4, REC-9)."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer
from rich.console import Console
from rich.progress import Progress

from deploy.commands import sending, source
from deploy.commands.sending import TAKEN, Intake, Line, Result
from deploy.local import up

STANDARD_INPUT: Final = Path("-")
PLAIN_LINE_EVERY: Final = 1000


@dataclass(slots=True)
class Tally:
    """What became of the lines so far."""

    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def refused(self) -> int:
        return self.statuses.total() - sum(self.statuses[status] for status in TAKEN)

    def told(self, name: str, seconds: float, *, as_json: bool) -> str:
        """The end of it: a sentence, or one object."""
        recorded, before = self.statuses[HTTPStatus.CREATED], self.statuses[HTTPStatus.OK]
        if as_json:
            counts = {"recorded": recorded, "recorded_before": before, "refused": self.refused}
            return json.dumps({"file": name, **counts, "seconds": round(seconds, 3)}, ensure_ascii=False)
        return (
            f"{name}: {recorded:,} recorded, {before:,} recorded before, {self.refused:,} refused, "
            f"in {seconds:.1f} s"
        )


def import_file(
    file: Annotated[
        Path, typer.Argument(help="NDJSON: a body of POST /v1/complaints a line; - for standard input.")
    ],
    url: Annotated[
        str | None,
        typer.Option(envvar="REDRESS_INTAKE_URL", help="Intake's address; else the local system's."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="REDRESS_TOKEN", help="With --url: a token with scope complaints:write."),
    ] = None,
    data_dir: up.DataDir = up.DEFAULT_DATA_DIR,
    as_json: Annotated[
        bool, typer.Option("--json", help="An object a refused line, then one of counts.")
    ] = False,
) -> None:
    """Record a file of complaints; status 1 when a line was refused, 2 when nobody could be asked.

    A bad line never stops the rest. Safe to repeat: what has a source reference is recorded once.
    """
    tally, began = Tally(), time.monotonic()
    try:
        if url is not None and token is None:
            raise sending.NotTaken("--url needs --token, or REDRESS_TOKEN")
        intake = Intake(url, token) if url is not None and token is not None else Intake.local(data_dir)
        _record(file, intake, tally, as_json=as_json)
    except source.REFUSALS as why:
        typer.echo(str(why), err=True)
        raise typer.Exit(source.REFUSED) from None
    typer.echo(tally.told(str(file), time.monotonic() - began, as_json=as_json))
    raise typer.Exit(1 if tally.refused else 0)


def _record(file: Path, intake: Intake, tally: Tally, *, as_json: bool) -> None:
    with opened(file) as lines, progressing(file) as progress:
        for batch in sending.batches(lines):
            for line, result in intake.results(batch):
                tally.statuses[result["status"]] += 1
                if result["status"] not in TAKEN:
                    progress.refuse(refusal(line, result, as_json=as_json), out=as_json)
            progress.advance(batch[-1].ends_at, tally.statuses.total())


def refusal(line: Line, result: Result, *, as_json: bool) -> str:
    """Why a line is not on record: where in it, or what intake says."""
    problem = result["problem"]
    if as_json:
        told = {"line": line.number, "status": result["status"], "problem": problem}
        return json.dumps(told, ensure_ascii=False)
    faults = [f"{each['pointer']}: {each['detail']}" for each in problem.get("errors", ())]
    return f"line {line.number}: {problem['code']}: {'; '.join(faults) or problem['detail']}"


@contextmanager
def opened(file: Path) -> Iterator[BinaryIO]:
    """The file, or standard input."""
    if file == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with file.open("rb") as content:
        yield content


class Told:
    """How far it is: a bar on a terminal, elsewhere a line now and then; refusals stand above the bar."""

    def __init__(self, console: Console, progress: Progress, total_bytes: int | None) -> None:
        self._console = console
        self._progress = progress
        self._task = progress.add_task("complaints", total=total_bytes)
        self._told = 0

    def advance(self, ends_at: int, lines: int) -> None:
        """So many lines are done, which end at this byte."""
        self._progress.update(self._task, completed=ends_at)
        if not self._console.is_terminal and lines // PLAIN_LINE_EVERY > self._told:
            self._told = lines // PLAIN_LINE_EVERY
            typer.echo(f"{lines:,} lines", err=True)

    def refuse(self, told: str, *, out: bool) -> None:
        """A line is not on record; `out`: on standard output, for programs."""
        if out:
            typer.echo(told)
        else:
            self._console.print(told, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progressing(file: Path) -> Iterator[Told]:
    """Tells on standard error, whatever goes to standard output."""
    console = Console(stderr=True)
    total = file.stat().st_size if file.is_file() else None
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Told(console, progress, total)
