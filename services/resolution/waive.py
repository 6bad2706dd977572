"""Step 7, waive: at fault and yet no sanction, or no fault: a decision of its own, with reason (PEN-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from libs.events.contracts.handling import Ground
from libs.events.contracts.penalize import NoFaultFound, ResponsibilityRaised, ResponsibilityWaived
from services.resolution import responsibility
from services.resolution.responsibility import AlreadySettled, Deciding
from services.resolution.state import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiveSanction(Deciding):
    """At fault, and yet no sanction."""

    ground: Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class FindNoFault(Deciding):
    """Not at fault."""

    ground: Ground


Command = WaiveSanction | FindNoFault
Event = ResponsibilityWaived | NoFaultFound


def decide(command: Command, case: Case) -> list[Event]:
    """It settles the responsibility as a sanction would."""
    found = responsibility.undecided(command, case)
    if not isinstance(found, ResponsibilityRaised):
        said_before = ResponsibilityWaived if isinstance(command, WaiveSanction) else NoFaultFound
        if isinstance(found, said_before):
            return []
        raise AlreadySettled
    said = responsibility.said_of(command, found, case) | {"ground": command.ground}
    match command:
        case WaiveSanction():
            return [ResponsibilityWaived(**said, waived_by=command.author, waived_at=command.now)]
        case FindNoFault():
            return [NoFaultFound(**said, decided_by=command.author, decided_at=command.now)]
        case _:
            assert_never(command)
