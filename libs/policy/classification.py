"""Step 2 by policy: kind, nature, severity, founded or not, each by the first clause that holds (CLS)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from libs.events.contracts.handling import Ground, Judgement, Kind, Nature, Severity
from libs.policy.facts import Facts, Held, holds
from libs.policy.pack import Pack
from libs.policy.schema.classification import JudgementClause, KindClause, NatureClause, SeverityClause

C = TypeVar("C", KindClause, NatureClause, SeverityClause, JudgementClause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """One decision, the clause that made it, and why, in the complainant's language."""

    decided: str
    outcome: str
    clause: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """The rule's judgement; `founded` and `demand_reasonable` are None while details are missing (REC-2)."""

    kind: Kind
    nature: Nature
    severity: Severity
    founded: Judgement | None
    demand_reasonable: Judgement | None
    ground: Ground
    because: tuple[Because, ...]


def classify(pack: Pack, facts: Facts) -> Classified:
    """What the policy makes of a complaint, with the clause behind every part of it."""
    rules = pack.classification
    kind, why_kind = _first(pack, "kind", rules.kinds, facts)
    facts = replace(facts, kind=kind.kind)
    nature, why_nature = _first(pack, "nature", rules.natures, facts)
    severity, why_severity = _first(pack, "severity", rules.severities, facts)
    facts = replace(facts, severity=severity.severity)
    because = [why_kind, why_nature, why_severity]
    founded = demand = None
    if not facts.missing_details:
        judged, why_founded = _first(pack, "founded", rules.founded, facts)
        founded = Judgement(value=judged.value, reason=why_founded.reason)
        judged, why_demand = _first(pack, "demand_reasonable", rules.demand_reasonable, facts)
        demand = Judgement(value=judged.value, reason=why_demand.reason)
        because += [why_founded, why_demand]
    return Classified(
        kind=kind.kind,
        nature=nature.nature,
        severity=severity.severity,
        founded=founded,
        demand_reasonable=demand,
        ground=pack.ground(*(each.clause for each in because)),
        because=tuple(because),
    )


def _first(pack: Pack, decided: str, clauses: Sequence[C], facts: Facts) -> tuple[C, Because]:
    """The first clause that holds; the last one of a checked list always does."""
    for clause in clauses:
        held = holds(pack, clause.when, facts)
        if held:
            return clause, _because(decided, clause, held, facts)
    raise AssertionError("unreachable: the last clause of a checked pack holds for everything")


def _because(
    decided: str,
    clause: KindClause | NatureClause | SeverityClause | JudgementClause,
    held: Held,
    facts: Facts,
) -> Because:
    words = clause.reason if isinstance(clause, JudgementClause) else clause.title
    reason = words.in_language(facts.language)
    return Because(
        decided=decided,
        outcome=str(clause.outcome),
        clause=clause.clause,
        reason=reason if held.word is None else f"{reason} ({held.word})",
    )
