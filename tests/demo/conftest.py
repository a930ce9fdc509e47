"""The demo as a newcomer starts it: a process of its own, and a browser in front of it.

A demo takes seconds to start: tests that leave it as they find it share one for their file.
"""

import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, expect
from pytest_asyncio import fixture

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN = 60.0
STOPS_WITHIN = 20.0
WITHIN = 15_000  # milliseconds in which something must show on the page
COMMAND = (sys.executable, "-m", "bot", "demo", "--port")

expect.set_options(timeout=WITHIN)


@dataclass(frozen=True, slots=True)
class Demo:
    process: subprocess.Popen[str]
    address: str

    def stop(self, sign: signal.Signals = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(sign)
        return self.process.wait(STOPS_WITHIN)


def start(folder: Path, port: int = 0) -> Demo:
    process = subprocess.Popen(
        [*COMMAND, str(port)],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env={"TMPDIR": str(folder), "PATH": "/usr/bin"},
    )
    assert process.stdout is not None, "it was asked for"
    patience = Timer(STARTS_WITHIN, process.kill)
    patience.start()
    line = process.stdout.readline()
    patience.cancel()
    assert line.startswith("The demo is at http://"), line
    return Demo(process, line.split()[4].rstrip("/"))


@contextmanager
def running(folder: Path) -> Iterator[Demo]:
    demo = start(folder)
    try:
        yield demo
    finally:
        demo.stop()
        if demo.process.stdout is not None:
            demo.process.stdout.close()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """One that nobody has pressed anything in yet."""
    with running(tmp_path) as demo:
        yield demo


@pytest.fixture(scope="module")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The one of all tests of a file that ask for it."""
    with running(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@dataclass(frozen=True, slots=True)
class Screen:
    """The page, by the names of what a person sees on it."""

    page: Page

    @property
    def address(self) -> str:
        return self.page.url.rstrip("/")

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


@fixture(loop_scope="module")
async def screen(demo: Demo, chrome: Browser) -> AsyncIterator[Screen]:
    """The page of a demo that nobody has pressed anything in yet."""
    async with opened(demo, chrome) as screen:
        yield screen


@fixture(loop_scope="module")
async def shared_screen(shared_demo: Demo, chrome: Browser) -> AsyncIterator[Screen]:
    """A page that was just opened, of the demo that the tests of this file share."""
    async with opened(shared_demo, chrome) as screen:
        yield screen


@asynccontextmanager
async def opened(demo: Demo, chrome: Browser) -> AsyncIterator[Screen]:
    """The open page; whatever the browser complains about fails the test."""
    page = await chrome.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(WITHIN)
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        await page.goto(demo.address)
        await expect(page.locator("#server")).to_have_attribute("data-state", "running")
        yield Screen(page)
    finally:
        await page.close()
    assert complaints == []
