"""What a closed complaint must have behind it: an outcome of every step, as the rulebook wants it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from libs.events.contracts import classify, improve, investigate, notify, penalize, propose
from libs.events.contracts.assign import ComplaintAssigned
from libs.events.contracts.propose import Answer, Outcome

# A reopened complaint is owed these anew.
OF_A_ROUND: Final = (
    propose.SolutionProposed,
    propose.ExecutionAdvanced,
    improve.ImprovementNotNeeded,
    improve.ComplaintJoinedImprovement,
    notify.NoticeDelivered,
    notify.NoticeHandedOver,
)
SETTLES: Final = (penalize.SanctionImposed, penalize.ResponsibilityWaived, penalize.NoFaultFound)


def ends(events: Iterable[Any]) -> Iterator[tuple[propose.ComplaintClosed, Past]]:
    """Each end of a complaint, with what counts for it of all that was before."""
    past: tuple[Any, ...] = ()
    for event in events:
        if isinstance(event, propose.ComplaintReopened):
            past = tuple(each for each in past if not isinstance(each, OF_A_ROUND))
        past = (*past, event)
        if isinstance(event, propose.ComplaintClosed):
            yield event, Past(past)


@dataclass(frozen=True, slots=True)
class Past:
    """What happened to one complaint until its end."""

    events: tuple[Any, ...]

    def lacks(self, outcome: Outcome, effective: set[UUID]) -> Iterator[str]:
        """What is not there and should be; `effective`: the measures that were found so."""
        yield from (f"a decision about {person}" for person in self._undecided())
        if outcome is Outcome.UNFOUNDED and not self._told(notify.NoticeKind.UNFOUNDED_REPLY):
            yield "a reasoned reply"
        if outcome is Outcome.RESOLVED:
            there = self._resolved(effective)
            yield from (what for what, is_there in there.items() if not is_there)

    def _resolved(self, effective: set[UUID]) -> dict[str, bool]:
        answered = self._has(propose.CustomerAnswered, answer=Answer.ACCEPTED)
        joined = {e.improvement_id for e in self._of(improve.ComplaintJoinedImprovement)}
        return {
            "a judgement": any(each.founded for each in self._of(classify.ComplaintClassified)),
            "somebody who answers for it": self._has(ComplaintAssigned),
            "a finding": self._has(investigate.FindingRecorded),
            "the customer's answer": answered or self._has(propose.DisputeSettled),
            "its solution carried out": self._has(propose.ExecutionAdvanced, complete=True),
            "the customer's having been told": self._told(notify.NoticeKind.SOLUTION),
            "a measure found effective, or a reason for none": (
                self._has(improve.ImprovementNotNeeded) or (bool(joined) and joined <= effective)
            ),
        }

    def _undecided(self) -> list[str]:
        settled = {(each.person, each.charge, each.rests_on) for each in self._of(*SETTLES)}
        raised = self._of(penalize.ResponsibilityRaised)
        return [each.person for each in raised if (each.person, each.charge, each.rests_on) not in settled]

    def _told(self, kind: notify.NoticeKind) -> bool:
        return self._has(notify.NoticeDelivered, kind=kind) or self._has(notify.NoticeHandedOver, kind=kind)

    def _has(self, kind: type, /, **wanted: Any) -> bool:
        return any(
            all(getattr(each, name) == value for name, value in wanted.items()) for each in self._of(kind)
        )

    def _of(self, *kinds: type) -> list[Any]:
        return [each for each in self.events if isinstance(each, kinds)]
