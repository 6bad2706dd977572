"""The standard policy pack for tests: as it is, with lines changed, and complaints to try it on."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from libs.events.contracts.handling import Kind
from libs.events.contracts.values import Demand, DemandKind, Language, Product, Respondent, RespondentKind
from libs.policy import pack
from libs.policy.facts import Facts

STANDARD_TEXT = (pack.FOLDER / "standard.yaml").read_text("utf-8")
FILE = "standard.yaml"
TODAY = date(2026, 11, 23)


@cache
def standard() -> pack.Pack:
    return pack.load("standard")


def changed(*changes: tuple[str, str]) -> pack.Pack:
    """The standard pack with some of its text replaced."""
    return pack.parse(text_with(*changes), FILE)


def text_with(*changes: tuple[str, str]) -> str:
    text = STANDARD_TEXT
    for old, new in changes:
        assert old in text, f"the standard pack does not say {old!r}"
        text = text.replace(old, new, 1)
    return text


def line_of(text: str, words: str) -> int:
    """The line, from 1, in which the words stand for the first time."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


def about_product(**given: Any) -> Facts:
    """A complaint about a product, of which nothing is missing."""
    product = given.pop("product", Product(part_number="LED-18W", quantity=40, defective_quantity=3))
    return facts(RespondentKind.PRODUCT, "LED-18W", product=product, **given)


def about_person(person: str, **given: Any) -> Facts:
    return facts(RespondentKind.PERSON, person, kind=Kind.SERVICE, **given)


def facts(against: RespondentKind, reference: str, **given: Any) -> Facts:
    demand = Demand(kind=given.pop("demand", DemandKind.REPAIR), money=given.pop("money", None))
    values: dict[str, Any] = {
        "respondent": Respondent(kind=against, reference=reference),
        "product": None,
        "narrative": "It does not do what it should.",
        "demand": demand,
        "language": Language.ENGLISH,
    }
    return Facts(**(values | given))
