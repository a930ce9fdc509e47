"""Tells every open page that there is something new."""

import asyncio
from collections.abc import AsyncIterator

GATHER = 0.04  # seconds: one action changes many things, and one picture of them is enough


class Live:
    def __init__(self) -> None:
        self._pages: set[asyncio.Event] = set()

    def changed(self, *_: object) -> None:
        for page in self._pages:
            page.set()

    async def changes(self, quiet: float) -> AsyncIterator[bool]:
        """True after each change, False after `quiet` seconds without one; the first comes at once."""
        page = asyncio.Event()
        page.set()
        self._pages.add(page)
        try:
            while True:
                try:
                    async with asyncio.timeout(quiet):
                        await page.wait()
                except TimeoutError:
                    yield False
                    continue
                await asyncio.sleep(GATHER)
                page.clear()
                yield True
        finally:
            self._pages.discard(page)
