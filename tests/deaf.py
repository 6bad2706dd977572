"""Work that does not hear at first that it should end."""

import asyncio
import contextlib


class Deaf:
    """Goes on for ever, and does not hear the first time that it should stop."""

    def __init__(self) -> None:
        self.at_work = asyncio.Event()
        self.ended = False

    async def work(self, _: str = "") -> None:
        self.at_work.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True
