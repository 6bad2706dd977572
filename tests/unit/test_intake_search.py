"""Blind tokens: what is found, what is not, and that a token says nothing without the key."""

import pytest

from libs.events.contracts.personal import ERASED
from libs.events.keys import KeyEncryptionKey
from services.intake import search

INDEX = search.BlindIndex(KeyEncryptionKey(bytes(32)))
SAID = "三支灯管闪烁！Three TUBES flicker, straße ２０２６-000123 テスト 💡"


@pytest.mark.parametrize(
    "query",
    [
        "灯管",
        "闪烁",
        "tubes",
        "Three Flicker",
        "STRASSE",
        "2026-000123",
        "000123",
        "支灯管闪",
        "テスト",
        "灯管 tubes",
    ],
)
def test_words_and_neighbouring_characters_are_found(query: str) -> None:
    assert set(INDEX.of("main", [query])) <= set(INDEX.of("main", [SAID]))


@pytest.mark.parametrize("query", ["灯烁", "tube", "灯管 bulbs", "管闪x"])
def test_other_words_are_not(query: str) -> None:
    assert not set(INDEX.of("main", [query])) <= set(INDEX.of("main", [SAID]))


@pytest.mark.parametrize("query", ["灯", "💡", "!", "_", " "])
def test_what_holds_no_word_has_no_tokens(query: str) -> None:
    assert INDEX.of("main", [query]) == []


def test_tokens_differ_by_organisation_and_by_key() -> None:
    other_key = search.BlindIndex(KeyEncryptionKey(bytes([1]) * 32))
    tokens = [INDEX.of("main", ["灯管"]), INDEX.of("other", ["灯管"]), other_key.of("main", ["灯管"])]
    assert len({tuple(each) for each in tokens}) == 3


def test_erased_and_absent_text_has_no_tokens() -> None:
    assert INDEX.of("main", [None, ERASED]) == []


def test_the_tokens_of_one_text_are_bounded() -> None:
    assert len(INDEX.of("main", [" ".join(map(str, range(20_000)))])) == search.TOKENS_MAX
