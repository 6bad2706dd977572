"""What a decision rested on, in words: the clauses that its ground names (CLS-6, GOV-1)."""

from __future__ import annotations

from dataclasses import dataclass

from libs.events.contracts.handling import Ground
from libs.events.contracts.values import Language
from libs.policy.pack import APART, Pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """One clause: its id, what it is called, and the regulation it comes from."""

    clause: str
    title: str
    source: str


def cite(pack: Pack, ground: Ground, language: Language = Language.CHINESE) -> tuple[Citation, ...]:
    """The clauses of a ground, read in the version it names; one that is not there stands by its id alone."""
    return tuple(_citation(pack, name, language) for name in (ground.clause or "").split(APART) if name)


def _citation(pack: Pack, name: str, language: Language) -> Citation:
    clause = pack.clauses.get(name)
    if clause is None:
        return Citation(clause=name, title=name, source=pack.reference)
    return Citation(clause=name, title=clause.title.in_language(language), source=clause.source)
