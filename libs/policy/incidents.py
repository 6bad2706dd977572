"""What comes back, by policy: batch incidents, repeat repairs, observed measures (CLS-7, INV-6, IMP-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from libs.events.contracts.handling import Answerable, Ground
from libs.events.contracts.values import Product, Respondent
from libs.policy import people
from libs.policy.pack import Pack

JOINED: Final = "+"  # between the names of fields
BETWEEN: Final = " · "  # between their values


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What complaints may have in common: the fields ("part_number+respondent") and their values."""

    matched_on: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchIncident:
    """That enough complaints are alike: by which clause, and who leads the one investigation."""

    threshold: int
    window_days: int
    leader: Answerable
    ground: Ground


def likenesses(pack: Pack, respondent: Respondent, product: Product | None) -> tuple[Likeness, ...]:
    """By what a complaint is to be counted with others; none where it names neither part nor batch."""
    found = []
    for same in pack.thresholds.batch_incidents.same:
        values = [value for name in same if (value := _value(name, respondent, product))]
        if len(values) == len(same):
            found.append(Likeness(matched_on=JOINED.join(same), reference=BETWEEN.join(values)))
    return tuple(found)


def fields_of(matched_on: str, reference: str) -> dict[str, str]:
    """The fields of a likeness by name, as an incident's event holds them: {"part_number": "P1", ...}."""
    return dict(zip(matched_on.split(JOINED), reference.split(BETWEEN), strict=False))


def counts_since(pack: Pack, now: datetime) -> datetime:
    """Complaints recorded from then on count together (CLS-7)."""
    return now - pack.thresholds.batch_incidents.window


def batch_incident(pack: Pack, complaints: int, on: date, about: str | None = None) -> BatchIncident | None:
    """Whether so many complaints alike within the window, this one among them, are an incident (CLS-7)."""
    rule = pack.thresholds.batch_incidents
    if complaints < rule.complaints:
        return None
    return BatchIncident(
        threshold=rule.complaints,
        window_days=rule.window_days,
        leader=people.choose(pack, people.in_office(pack, rule.led_by), on, about).answerable,
        ground=pack.ground(rule.clause),
    )


def is_repeat_repair(pack: Pack, repaired_at: datetime, now: datetime) -> Ground | None:
    """Whether the same fault on the same unit, repaired then, is a repeat repair now; by which clause."""
    rule = pack.thresholds.repeat_repairs
    return pack.ground(rule.clause) if now - rule.window <= repaired_at <= now else None


def observed_until(pack: Pack, completed_at: datetime) -> datetime:
    """Until when a measure's cause must not come back (IMP-1, IMP-2)."""
    return completed_at + pack.thresholds.observation.period


def contests_max(pack: Pack) -> int:
    """How often a customer may contest (CLS-5)."""
    return pack.thresholds.contests.times_max


def judges_contest(
    pack: Pack, on: date, judged_before: frozenset[str], about: str | None = None
) -> Answerable:
    """Another judge than those before (CLS-5)."""
    office = people.in_office(pack, pack.leadership.judges_contests)
    return people.choose(pack, office, on, about, judged_before).answerable


def _value(name: str, respondent: Respondent, product: Product | None) -> str | None:
    if name == "respondent":
        return respondent.reference.replace(BETWEEN.strip(), "-")
    value: str | None = getattr(product, name) if product else None
    return value and value.replace(BETWEEN.strip(), "-")  # so that a reference comes apart again
