"""What a row is: two contestants measured in turn, again and again, and the ratio of their medians."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from bench.servers import Place


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement of one contestant: figures by unit ("events/s", "p99 ms"), and what kept cores busy."""

    figures: Mapping[str, float]
    cores: Mapping[str, float] = field(default_factory=dict)  # program -> cores it used meanwhile
    remark: str = ""  # what else the measurement showed of where the time went


Contestant = Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. It holds when the ratio is at least `floor`.

    `against` names a contestant, or is a fixed mark. `at_most`: less is better, so the ratio is turned round.
    """

    name: str
    what: str
    unit: str
    figure: str
    against: str | float
    floor: float = 1.0
    at_most: bool = False

    @property
    def contestants(self) -> list[str]:
        return [self.figure] + ([self.against] if isinstance(self.against, str) else [])


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: rounds of every pair, seconds a sample, events a database is filled with."""

    rounds: int = 5
    seconds: float = 3.0
    read_events: int = 50_000
    few_events: int = 100_000
    many_events: int = 1_000_000
    relay_events: int = 20_000
    demo_reports: int | None = None  # all there are
    closed_complaints: int | None = 150  # None: all there are
    simulated_complaints: int = 1000
    decided_complaints: int = 80
    paced_seconds: float = 10.0
    due_at_once: int = 10_000
    wal_files: int = 128  # 2 GB, as many as the server keeps


DEFAULT = Scale()
FULL = Scale(many_events=5_000_000, closed_complaints=None)
QUICK = Scale(
    rounds=2,
    seconds=0.5,
    read_events=2_000,
    few_events=1_000,
    many_events=5_000,
    relay_events=2_000,
    demo_reports=50,
    closed_complaints=10,
    simulated_complaints=20,
    decided_complaints=6,
    paced_seconds=2.0,
    due_at_once=200,
    wal_files=2,
)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that share contestants. `open` prepares what measures each name wanted, and cleans up after.

    `rounds_max`: for what has no other side to take turns with, and takes minutes.
    """

    rows: Sequence[Row]
    open: Callable[[Place, Scale, set[str]], AbstractContextManager[Mapping[str, Contestant]]]
    rounds_max: int | None = None


Samples = Mapping[str, Sequence[Sample]]
Say = Callable[[str], None]


def take_turns(contestants: Mapping[str, Contestant], rounds: int, say: Say) -> Samples:
    """Measure all of them once, then all again: what slows the machine for a while slows every side."""
    samples: dict[str, list[Sample]] = {name: [] for name in contestants}
    for number in range(1, rounds + 1):
        for name, contestant in contestants.items():
            say(f"{name}, {number} of {rounds}")
            samples[name].append(contestant())
    return samples


def result(row: Row, samples: Samples) -> dict[str, object]:
    """The row as it goes into build/bench.json; `spread` is the lowest and highest ratio of one round."""
    own = [sample.figures[row.unit] for sample in samples[row.figure]]
    other = (
        [sample.figures[row.unit] for sample in samples[row.against]]
        if isinstance(row.against, str)
        else [row.against] * len(own)
    )
    ratios = [_ratio(row, mine, theirs) for mine, theirs in zip(own, other, strict=True)]
    figure, against = statistics.median(own), statistics.median(other)
    ratio = _ratio(row, figure, against)
    holds = ratio >= row.floor
    measured = {
        "figure": round(figure, 2),
        "against": round(against, 2),
        "ratio": round(ratio, 3),
        "holds": holds,
        "spread": [round(min(ratios), 3), round(max(ratios), 3)],
        "remark": samples[row.figure][-1].remark,
        "reason": "" if holds else reason(row, samples),
    }
    return _line(row) | measured


def unmeasured(row: Row, error: Exception) -> dict[str, object]:
    """The row where there is nothing to report but why."""
    return _line(row) | {"reason": f"not measured: {type(error).__name__}: {error}"}


def _line(row: Row) -> dict[str, object]:
    return {
        "row": row.name,
        "what": row.what,
        "figure": None,
        "unit": row.unit,
        "against": None,
        "against_what": row.against if isinstance(row.against, str) else _mark(row),
        "ratio": None,
        "floor": row.floor,
        "holds": False,
        "spread": [],
        "remark": "",
        "reason": "",
    }


def reason(row: Row, samples: Samples) -> str:
    """Why a row misses, as measured: what each side kept the cores busy with, and what it remarked."""
    sides = []
    for name in row.contestants:
        last = samples[name][-1]
        busy = ", ".join(
            f"{program} {statistics.median(s.cores.get(program, 0.0) for s in samples[name]):.2f}"
            for program in last.cores
        )
        account = f"cores used: {busy}" if busy else ""
        sides.append(f"{name}: " + "; ".join(filter(None, (account, last.remark))))
    return " | ".join(sides)


def _ratio(row: Row, figure: float, against: float) -> float:
    return against / figure if row.at_most else figure / against


def _mark(row: Row) -> str:
    return "at most" if row.at_most else "at least"
