"""A document is sent while it is written: its length costs no memory, and a failure shows."""

from collections.abc import AsyncIterator

import pytest
from starlette.responses import StreamingResponse

from libs.events import errors
from libs.events.contracts.values import Language
from libs.policy.terms import Speaker
from libs.service import printed
from services.intake import register
from services.intake.register import Line
from tests.complaint_history import NOW
from tests.packs import standard

LINES = 10_000


class Written:
    """The lines of a long register, counted as they are asked for."""

    def __init__(self, fails_after: int = LINES) -> None:
        self.taken = 0
        self._fails_after = fails_after

    async def lines(self) -> AsyncIterator[Line]:
        for number in range(LINES):
            if number == self._fails_after:
                raise errors.Unavailable
            self.taken += 1
            yield Line(number=f"2026-{number:06}", cells=("电话", "<王>"))


async def page(written: Written) -> StreamingResponse:
    say = Speaker(standard(), Language.CHINESE)
    return await printed.page(
        register.TEMPLATE,
        say,
        made_at=NOW,
        word=lambda name: say.one(register.WORDS, name),
        columns=register.COLUMNS,
        since=None,
        until=None,
        lines=written.lines(),
    )


@pytest.mark.rule("REC-7")
async def test_lines_are_read_only_as_they_are_sent() -> None:
    written = Written()
    pieces = [piece async for piece in (await page(written)).body_iterator]
    assert (written.taken, len("".join(map(str, pieces))) > LINES) == (LINES, True)
    written = Written()
    answer = await page(written)
    assert written.taken < LINES / 10, "only what the first piece holds"
    async for piece in answer.body_iterator:
        assert len(piece) < 2 * printed.PIECE_CHARACTERS


async def test_what_fails_at_first_is_a_failure_and_later_breaks_the_answer_off() -> None:
    with pytest.raises(errors.Unavailable):
        await page(Written(fails_after=1))
    answer = await page(Written(fails_after=LINES // 2))
    with pytest.raises(errors.Unavailable):
        async for _ in answer.body_iterator:
            pass
