"""Says what events mean to a customer or a colleague: as `libs.policy.terms`, but to their face."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from libs.events.contracts.handling import Step
from libs.events.contracts.propose import CostBearer, Outcome, Remedy, RemedyKind
from libs.events.contracts.values import Detail, Language
from libs.policy import terms
from libs.policy.terms import Spoken

BEARERS: Final[Mapping[CostBearer, Spoken]] = {
    **terms.BEARERS,
    CostBearer.COMPANY: ("本公司", "us"),
    CostBearer.CUSTOMER: ("客户", "you"),
}
OUTCOMES: Final[Mapping[Outcome, Spoken]] = {
    **terms.OUTCOMES,
    Outcome.WITHDRAWN: ("已撤回", "withdrawn by you"),
    Outcome.MERGED: ("已与您的另一投诉合并处理", "carried on with another complaint of yours"),
}
REMEDIES: Final[Mapping[RemedyKind, Spoken]] = {
    **terms.REMEDIES,
    RemedyKind.CREDIT: ("记入账户", "credit to your account"),
}
DETAILS: Final[Mapping[Detail, Spoken]] = {
    **terms.DETAILS,
    Detail.REQUIREMENT: ("要求", "what you require"),
}


@dataclass(frozen=True, slots=True)
class Speaker(terms.Speaker):
    """Speaks to one reader."""

    def step(self, step: Step) -> str:
        """A step, as the policy calls it; recording has no deadline, and is never told of."""
        return self.pack.deadlines.of(step).title.in_language(self.language)

    def remedies(self, remedies: Iterable[Remedy]) -> str:
        """What a solution consists of."""
        return ("；" if self.language is Language.CHINESE else "; ").join(map(self._remedy, remedies))

    def _remedy(self, remedy: Remedy) -> str:
        amount = f"（{self.money(remedy.money)}）" if self.language is Language.CHINESE else ""
        amount = amount or f" ({self.money(remedy.money)})"
        return f"{self.one(REMEDIES, remedy.kind)}{amount if remedy.money else ''}: {remedy.text}"
