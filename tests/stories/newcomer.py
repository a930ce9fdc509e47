"""Somebody who has just installed it, has the README, and sets it up: a server of its own, its pages, its commands."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.patience import PATIENCE, until
from tests.stories.browsing import Browser
from tests.stories.platforms import Platforms, free_port
from tests.stories.process import typed

OLGA = "olga@example.com"
ROOT = Path(__file__).resolve().parents[2]
_LINK = re.compile(rb"http://\S+/setup/\S+")


@dataclass
class Newcomer:
    """Olga. `environ` is all that she has set outside of the pages."""

    environ: dict[str, str]
    folder: Path
    link: str
    browser: Browser
    platforms: Platforms

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.environ['PORT']}"

    # ---- the first run ----------------------------------------------------------------------------------------------

    async def become_admin(self) -> None:
        await self.browser.open(self.link)
        await self.browser.press("Go on", email=OLGA, name="Olga")
        assert "Signed in as Olga" in self.browser.words

    async def say_where_it_is_reached(self) -> None:
        await self.browser.press("Save and try it", BASE_URL=self.address)
        assert "reached itself" in self.browser.words

    async def set_up(self, title: str, **settings: str) -> str:
        """Fill in a channel's form, save, and send the test that is offered then; what the page says."""
        await self.browser.open(f"{self.address}/setup/channel")
        await self.browser.follow(title)
        if "SLACK_SIGNING_SECRET" in settings:
            await self.browser.follow("HTTP")
        await self.browser.press("Save", **settings)
        assert "Saved. Now see whether it works." in self.browser.words
        return (await self.browser.press(f"Send a test by {title}")).words

    async def tell_the_platforms_where_to_call(self) -> None:
        """The two addresses that she copies from the page into Slack's and Azure's."""
        await self.browser.open(f"{self.address}/admin/notifications")
        shown = self.browser.page.shown
        self.platforms.slack.events_url = shown["slack-url"]
        self.platforms.teams.messages_url = shown["teams-endpoint"]

    # ---- later ------------------------------------------------------------------------------------------------------

    async def health(self) -> str:
        """What the Health page says when everything was looked at."""
        await self.said("Check again", at="/admin/health")
        await self.browser.press("Check again")
        return await self.said("Check again")

    async def said(self, words: str, at: str = "") -> str:
        """The page as soon as it says this."""
        where = f"{self.address}{at}" if at else self.browser.url

        async def are_there() -> bool:
            return words in (await self.browser.open(where)).words

        await until(are_there, f"{words!r} on {where}")
        return self.browser.words

    async def begin_round_trip(self, channel: str = "slack") -> None:
        await self.browser.open(f"{self.address}/admin/health")
        await self.browser.press("Send me a card", channel=channel)

    async def press_round_trip(self, title: str) -> None:
        """On the channel's own card."""
        await self.browser.open(f"{self.address}/admin/notifications")
        await self.browser.press(f"Round trip on {title}")

    async def doctor(self) -> str:
        """What `gatebell doctor` prints, in one line."""
        code, said = await typed(self.environ, "doctor", folder=self.folder)
        return " ".join(f"exit {code} {said}".split())


@contextlib.asynccontextmanager
async def arrived(platforms: Platforms, folder: Path) -> AsyncIterator[Newcomer]:
    """Olga has started the server on an empty data directory, and has a workspace, a tenant and a mailbox."""
    platforms.slack.add_person("Olga", OLGA)
    platforms.teams.add_person("Olga", OLGA)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "GATEBELL_DATA_DIR": str(folder / "data"),
        "PORT": str(free_port()),
    }
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve",
        env=environ, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with Browser() as browser:
            yield Newcomer(environ, folder, await _printed_link(server), browser, platforms)
    finally:
        server.terminate()
        await asyncio.wait_for(server.communicate(), PATIENCE)


async def _printed_link(server: asyncio.subprocess.Process) -> str:
    assert server.stdout is not None, "nobody reads what it prints"
    async with asyncio.timeout(PATIENCE):
        async for line in server.stdout:
            if found := _LINK.search(line):
                return found[0].decode()
    raise AssertionError("the server ended without a link")


def slack_of(platforms: Platforms, **wrong: str) -> dict[str, str]:
    """What she copies from her app's pages; another API's address, because it is a rehearsal."""
    slack = platforms.slack
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
    } | wrong


def teams_of(platforms: Platforms, **wrong: str) -> dict[str, str]:
    teams = platforms.teams
    return {
        "TEAMS_APP_ID": teams.app_id,
        "TEAMS_CLIENT_SECRET": teams.client_secret,
        "TEAMS_TENANT_ID": teams.tenant_id,
        "TEAMS_LOGIN_URL": teams.login_url,
        "TEAMS_OPENID_METADATA_URL": teams.openid_metadata_url,
        "TEAMS_SERVICE_URL_HOSTS": teams.service_url.split("/")[2],
    } | wrong


def mail_of(platforms: Platforms, **wrong: str) -> dict[str, str]:
    mail = platforms.mail
    return {
        "SMTP_HOST": mail.host,
        "SMTP_PORT": str(mail.port),
        "SMTP_SECURITY": "none",
        "SMTP_FROM": "Gatebell <gatebell@example.com>",
    } | wrong
