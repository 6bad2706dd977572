"""What policy is told of a complaint, and whether a clause's condition holds for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from libs.events.contracts.handling import Kind, Severity
from libs.events.contracts.values import (
    Channel,
    Demand,
    Detail,
    Language,
    Product,
    Respondent,
)
from libs.policy.pack import Pack
from libs.policy.schema.conditions import Condition, Needle, WordList

EMPTY = WordList()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A complaint as it stands after every correction; what is found out later is None or False until then.

    `narrative` has the supplements in it. `purchased_part` and `region` are looked up by `routing.located`.
    `loss` is in the pack's currency.
    """

    respondent: Respondent
    product: Product | None
    narrative: str
    demand: Demand
    channel: Channel | None = None
    language: Language = Language.CHINESE
    occurred_at: datetime | None = None
    missing_details: tuple[Detail, ...] = ()
    batch_incident: bool = False
    repeat_repair: bool = False
    kind: Kind | None = None
    severity: Severity | None = None
    region: str | None = None
    purchased_part: bool = False
    loss: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """That a condition held, and the word that made it hold, if one did."""

    word: str | None = None


def holds(pack: Pack, condition: Condition, facts: Facts) -> Held | None:
    """Whether every part of the condition holds for the complaint."""
    if condition.anything:
        return Held()
    if not (
        _listed(condition, facts) and _flagged(condition, facts) and _reached(pack.currency, condition, facts)
    ):
        return None
    if condition.words is None:
        return Held()
    word = find_word(condition.words, facts.narrative.casefold(), pack.classification.negations)
    return None if word is None else Held(word)


def find_word(words: WordList, text: str, negations: WordList = EMPTY) -> str | None:
    """The first of the words that the (casefolded) text says without denying it."""
    for needle in words.needles:
        at = text.find(needle.text)
        while at >= 0:
            if _bounded(needle, text, at) and not _denied(text[max(0, at - 16) : at], negations):
                return needle.text
            at = text.find(needle.text, at + 1)
    return None


def _bounded(needle: Needle, text: str, at: int) -> bool:
    """English words begin, and end unless only their start was asked for; Chinese has no such borders."""
    end = at + len(needle.text)
    begins = not needle.start or at == 0 or not text[at - 1].isalnum()
    return begins and (not needle.whole or end >= len(text) or not text[end].isalnum())


def _denied(before: str, negations: WordList) -> bool:
    for needle in negations.needles:
        if needle.start:
            stripped = before.rstrip()
            if stripped.endswith(needle.text) and not stripped[: -len(needle.text)][-1:].isalnum():
                return True
        elif before.endswith(needle.text):
            return True
    return False


def _listed(condition: Condition, facts: Facts) -> bool:
    return (
        (not condition.respondent or facts.respondent.kind in condition.respondent)
        and (not condition.kind or facts.kind in condition.kind)
        and (not condition.severity or facts.severity in condition.severity)
        and (not condition.demand or facts.demand.kind in condition.demand)
        and (not condition.channel or facts.channel in condition.channel)
    )


def _flagged(condition: Condition, facts: Facts) -> bool:
    return (
        (not condition.known_region or facts.region is not None)
        and (not condition.purchased_part or facts.purchased_part)
        and (not condition.batch_incident or facts.batch_incident)
        and (not condition.repeat_repair or facts.repeat_repair)
        and (not condition.none_defective or _defective(facts) == 0)
        and (not condition.before_delivery or _before_delivery(facts))
    )


def _reached(currency: str, condition: Condition, facts: Facts) -> bool:
    """Sums are held against the pack's figures only in the pack's currency."""
    money = facts.demand.money
    asked = money.amount if money and money.currency == currency else Decimal(0)
    return (
        (condition.defective_at_least is None or (_defective(facts) or 0) >= condition.defective_at_least)
        and (condition.demand_over is None or asked > condition.demand_over)
        and (condition.loss_over is None or (facts.loss or Decimal(0)) > condition.loss_over)
    )


def _defective(facts: Facts) -> int | None:
    return facts.product.defective_quantity if facts.product else None


def _before_delivery(facts: Facts) -> bool:
    delivered = facts.product.delivered_on if facts.product else None
    return bool(delivered and facts.occurred_at and facts.occurred_at.date() < delivered)
