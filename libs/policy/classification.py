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
    """One decision, the clause that made it, and why in words for people."""

    decided: str
    value: str
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
    rules, language = pack.classification, facts.language
    kind, why_kind = _first(pack, rules.kinds, facts)
    facts = replace(facts, kind=kind.kind)
    nature, why_nature = _first(pack, rules.natures, facts)
    severity, why_severity = _first(pack, rules.severities, facts)
    facts = replace(facts, severity=severity.severity)
    because = [
        Because(
            decided="kind", value=str(kind.kind), clause=kind.clause, reason=_words(kind, why_kind, facts)
        ),
        Because(
            decided="nature",
            value=str(nature.nature),
            clause=nature.clause,
            reason=_words(nature, why_nature, facts),
        ),
        Because(
            decided="severity",
            value=str(severity.severity),
            clause=severity.clause,
            reason=_words(severity, why_severity, facts),
        ),
    ]
    founded = demand = None
    if not facts.missing_details:
        clause, _ = _first(pack, rules.founded, facts)
        founded = Judgement(value=clause.value, reason=clause.reason.in_language(language))
        because.append(_judged("founded", clause, founded))
        clause, _ = _first(pack, rules.demand_reasonable, facts)
        demand = Judgement(value=clause.value, reason=clause.reason.in_language(language))
        because.append(_judged("demand_reasonable", clause, demand))
    return Classified(
        kind=kind.kind,
        nature=nature.nature,
        severity=severity.severity,
        founded=founded,
        demand_reasonable=demand,
        ground=pack.ground(*(each.clause for each in because)),
        because=tuple(because),
    )


def _first(pack: Pack, clauses: Sequence[C], facts: Facts) -> tuple[C, Held]:
    """The first clause that holds; the last one of a checked list always does."""
    for clause in clauses[:-1]:
        held = holds(clause.when, facts, pack.classification.negations)
        if held:
            return clause, held
    return clauses[-1], Held()


def _words(clause: KindClause | NatureClause | SeverityClause, held: Held, facts: Facts) -> str:
    title = clause.title.in_language(facts.language)
    return title if held.word is None else f"{title} ({held.word})"


def _judged(decided: str, clause: JudgementClause, judgement: Judgement) -> Because:
    return Because(
        decided=decided,
        value=str(judgement.value).lower(),
        clause=clause.clause,
        reason=judgement.reason,
    )
