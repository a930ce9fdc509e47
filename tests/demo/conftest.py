"""The demo as a newcomer starts it: a process of its own, and a browser in front of it."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, expect

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN = 60.0
WITHIN = 15_000  # milliseconds in which something must show on the page
COMMAND = (sys.executable, "-m", "bot", "demo", "--port")

expect.set_options(timeout=WITHIN)


@dataclass(frozen=True, slots=True)
class Demo:
    process: asyncio.subprocess.Process
    address: str

    async def stop(self, sign: signal.Signals = signal.SIGINT) -> int:
        if self.process.returncode is None:
            self.process.send_signal(sign)
        return await asyncio.wait_for(self.process.wait(), 20)


async def start(folder: Path, port: int = 0) -> Demo:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, str(port), cwd=folder, stdout=asyncio.subprocess.PIPE, env={"TMPDIR": str(folder), "PATH": "/usr/bin"}
    )
    assert process.stdout is not None, "it was asked for"
    line = (await asyncio.wait_for(process.stdout.readline(), STARTS_WITHIN)).decode()
    assert line.startswith("The demo is at http://"), line
    return Demo(process, line.split()[4].rstrip("/"))


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    demo = await start(tmp_path)
    yield demo
    await demo.stop()


@dataclass(frozen=True, slots=True)
class Screen:
    """The page, by the names of what a person sees on it."""

    page: Page

    @property
    def slack(self) -> Locator:
        return self.page.locator("#slack-feed")

    @property
    def window(self) -> Locator:
        return self.page.locator(".slack-window")

    @property
    def teams(self) -> Locator:
        return self.page.locator("#teams-feed")

    @property
    def mails(self) -> Locator:
        return self.page.locator("#mail-list .mail-item")

    @property
    def mail(self) -> Locator:
        return self.page.frame_locator(".mail-frame").locator("body")

    @property
    def agent(self) -> Locator:
        return self.page.locator("#log")

    @property
    def story(self) -> Locator:
        return self.page.locator("#story")

    def told_of(self, title: str) -> Locator:
        """The time line's entries of this title, the newest first."""
        return self.story.locator(".run").filter(has=self.page.get_by_role("heading", name=title))

    @property
    def server(self) -> Locator:
        return self.page.locator("#server")

    async def play(self, scenario: str) -> None:
        await self.page.get_by_role("button", name=scenario).click()

    async def turn(self, channel: str, to: str) -> None:
        await self.page.locator(f'[data-switch="{channel}"] select').select_option(label=to)

    async def press(self, where: Locator, label: str) -> None:
        await where.get_by_role("button", name=label, exact=True).last.click()


@pytest.fixture
async def screen(demo: Demo, browser: Browser) -> AsyncIterator[Screen]:
    """The open page; whatever the browser complains about fails the test."""
    page = await browser.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(WITHIN)
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(demo.address)
    await expect(page.locator("#server")).to_have_attribute("data-state", "running")
    yield Screen(page)
    await page.close()
    assert complaints == []
