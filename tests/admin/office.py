"""One installation and one Chromium for all tests of a file, and a browser of its own for each.

Such a file says `pytestmark = pytest.mark.asyncio(loop_scope="module")` and takes these fixtures over by their names.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page
from pytest_asyncio import fixture

from bot.admin.site import COOKIE
from tests.admin.signed_in import access_of, cookie_of
from tests.stories.world import ANA, Platforms, World, installed

UNSET: dict[str, Any] = {
    **dict.fromkeys(
        ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "TEAMS_APP_ID", "TEAMS_CLIENT_SECRET", "TEAMS_TENANT_ID"), ""
    ),
    **dict.fromkeys(("SMTP_HOST", "SMTP_PORT", "SMTP_FROM", "SMTP_TO", "SMTP_SECURITY"), ""),
    "ALERT_RECIPIENT_EMAIL": "",
}
PATIENCE = 10_000  # milliseconds


class Complaints(list[str]):
    """What the browser itself found wrong: a script that broke, a file or a form that our own policy refused."""

    def of(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.append(message.text)


@fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> AsyncIterator[World]:
    """The product with its platforms; what one test leaves behind, the next one finds."""
    data = tmp_path_factory.mktemp("office")
    shutil.copy(migrated, data)
    async with Platforms.started() as platforms, installed(platforms, data) as world:
        yield world


@fixture(loop_scope="module")
async def new_office(tmp_path: Path, migrated: Path) -> AsyncIterator[World]:
    """A server on which nobody is an operator, and nothing is set up."""
    shutil.copy(migrated, tmp_path)
    async with Platforms.started() as platforms, installed(platforms, tmp_path, install_teams=False, **UNSET) as world:
        await world.product.store.write(lambda tx: tx.run("UPDATE operator SET removed_at = 0"))
        yield world


@fixture(loop_scope="module")
async def visitor(chrome: Browser) -> AsyncIterator[Page]:
    """Somebody's browser, not signed in; nothing that the browser complains about may pass."""
    async with opened(chrome) as page:
        yield page


@fixture(loop_scope="module")
async def ana(office: World, chrome: Browser) -> AsyncIterator[Page]:
    """Ana's browser: she is an admin."""
    async with opened(chrome) as page:
        await enter(page.context, office, ANA)
        yield page


@fixture(loop_scope="module")
async def anas_without_script(office: World, chrome: Browser) -> AsyncIterator[Page]:
    """Ana's browser, in which no script runs."""
    async with opened(chrome, java_script_enabled=False) as page:
        await enter(page.context, office, ANA)
        yield page


@asynccontextmanager
async def opened(chrome: Browser, **how: Any) -> AsyncIterator[Page]:
    """A browser of its own, with nothing in it."""
    complaints = Complaints()
    context = await chrome.new_context(**how)
    context.set_default_timeout(PATIENCE)
    context.on("page", complaints.of)
    try:
        yield await context.new_page()
    finally:
        await context.close()
    assert complaints == []


async def enter(context: BrowserContext, world: World, email: str, agent: str = "A test's browser") -> None:
    """Give the browser a session of this operator."""
    cookie = await cookie_of(world, email, agent)
    await context.add_cookies([{"name": COOKIE, "value": cookie, "url": world.address}])


async def setup_link(world: World) -> str:
    secret = await access_of(world).setup_link()
    assert secret
    return f"{world.address}/setup/{secret}"
