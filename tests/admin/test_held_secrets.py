"""Where one field of a form is wrong, nobody types its secrets again, and nobody sees them either."""

import logging
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.admin.held import HOLDS, MOST, HeldSecrets
from tests.admin.signed_in import Seen, Visiting, signed_in
from tests.stories.world import ANA, Platforms, World, installed

CARD = "/admin/notifications/channel/slack"
STEP = "/setup/channel/slack?way=http"
FORMS = pytest.mark.parametrize("form", [CARD, STEP], ids=["the channel's card", "the step of the set-up"])
TOKEN, SECRET = "xoxb-1234567890-kept-aside", "5ec2e7" + "0a" * 13
UNSET: dict[str, Any] = {"SLACK_BOT_TOKEN": "", "SLACK_SIGNING_SECRET": "", "SLACK_API_URL": ""}
WRONG = {"SLACK_CHANNEL": "no channel at all"}
AT = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
async def bare(platforms: Platforms, data: Path) -> AsyncIterator[World]:
    """Slack is not in the environment, so that it can be set up on the pages."""
    async with installed(platforms, data, **UNSET) as world:
        yield world


@pytest.fixture
async def browser(bare: World) -> AsyncIterator[Visiting]:
    async with await signed_in(bare, ANA) as browser:
        yield browser


def marks(seen: Seen) -> dict[str, str]:
    """What a browser sends back of what is held: names, and nothing else."""
    return dict(re.findall(r'<input type="hidden" name="(held\.[A-Z_]+)" value="([^"]*)">', seen.html))


async def refused(browser: Visiting, form: str, **sent: str) -> Seen:
    seen = await browser.post(form, {"SLACK_BOT_TOKEN": TOKEN, "SLACK_SIGNING_SECRET": SECRET, **WRONG, **sent})
    assert seen.status == 422
    return seen


async def sent_again(browser: Visiting, form: str, seen: Seen, **changed: str) -> Seen:
    empty = {"SLACK_BOT_TOKEN": "", "SLACK_SIGNING_SECRET": "", "SLACK_CHANNEL": ""}
    return await browser.post(form, {**empty, **marks(seen), **changed})


def kept(world: World) -> tuple[str, str]:
    now = world.product.settings.now
    return now["SLACK_BOT_TOKEN"], now["SLACK_SIGNING_SECRET"]


@FORMS
async def test_what_was_right_is_saved_with_the_rest_and_not_typed_again(browser: Visiting, form: str) -> None:
    seen = await refused(browser, form)
    assert kept(browser.world) == ("", "")
    await sent_again(browser, form, seen)
    assert kept(browser.world) == (TOKEN, SECRET)


async def test_secrets_of_the_server_itself_are_held_too(browser: Visiting) -> None:
    seen = await browser.post("/admin/settings", {"AGENT_SECRET": SECRET, "COOLDOWN_SECONDS": "soon"})
    await browser.post("/admin/settings", {"AGENT_SECRET": "", "COOLDOWN_SECONDS": "60", **marks(seen)})
    now = browser.world.product.settings.now
    assert (now["AGENT_SECRET"], now.cooldown) == (SECRET, 60)


async def test_it_stays_held_when_the_second_try_is_wrong_too(browser: Visiting) -> None:
    seen = await refused(browser, CARD)
    seen = await sent_again(browser, CARD, seen, **WRONG)
    await sent_again(browser, CARD, seen)
    assert kept(browser.world) == (TOKEN, SECRET)


async def test_a_secret_that_was_wrong_itself_is_not_held(browser: Visiting) -> None:
    seen = await refused(browser, CARD, SLACK_BOT_TOKEN="xapp-1-A1-2-abc")
    assert marks(seen) == {"held.SLACK_SIGNING_SECRET": "on"}


async def test_what_is_typed_after_all_counts_before_what_is_held(browser: Visiting) -> None:
    seen = await refused(browser, CARD)
    await sent_again(browser, CARD, seen, SLACK_BOT_TOKEN="xoxb-other-and-newer")
    assert kept(browser.world) == ("xoxb-other-and-newer", SECRET)


async def test_what_is_to_be_taken_out_goes_and_what_is_held_with_it(browser: Visiting) -> None:
    await browser.post(CARD, {"SLACK_SIGNING_SECRET": "b" * 32})
    seen = await refused(browser, CARD)
    await sent_again(browser, CARD, seen, **{"clear.SLACK_SIGNING_SECRET": "on"})
    assert kept(browser.world) == (TOKEN, "")


@FORMS
async def test_after_a_quarter_of_an_hour_it_is_asked_for_again_and_nothing_is_saved(
    browser: Visiting, form: str
) -> None:
    seen = await refused(browser, form)
    await browser.world.forward(minutes=15)
    seen = await sent_again(browser, form, seen)
    assert (seen.status, "What you typed is not held any more. Type it once more." in seen.words) == (422, True)
    assert kept(browser.world) == ("", "")


async def test_what_is_held_for_one_session_is_not_there_for_another(browser: Visiting, bare: World) -> None:
    seen = await refused(browser, CARD)
    async with await signed_in(bare, ANA) as elsewhere:
        seen = await sent_again(elsewhere, CARD, seen)
    assert (seen.status, kept(bare)) == (422, ("", ""))


async def test_a_page_that_is_opened_anew_takes_nothing_up(browser: Visiting) -> None:
    await refused(browser, CARD)
    seen = await browser.post(CARD, {"SLACK_BOT_TOKEN": "", "SLACK_SIGNING_SECRET": ""})
    assert ("Nothing was changed." in seen.words, kept(browser.world)) == (True, ("", ""))


@FORMS
async def test_what_is_held_is_in_no_page_no_log_and_no_file(
    browser: Visiting, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = ("/admin/notifications", STEP, "/admin/audit")
    pages = [await refused(browser, form), *[await browser.get(path) for path in shown]]
    folder = browser.world.product.settings.now.data_dir
    rest = [each.read_bytes().decode(errors="replace") for each in folder.rglob("*") if each.is_file()]
    said = [*(page.html for page in pages), *(str(page.headers) for page in pages), caplog.text, *rest]
    assert [text[:80] for text in said for secret in (TOKEN, SECRET) if secret in text] == []
    assert [marks(page) for page in pages[1:]] == [{}, {}, {}]


def test_so_many_are_held_that_memory_stays_bounded() -> None:
    held = HeldSecrets()
    for number in range(MOST + 1):
        held.hold(f"session {number}", {"SLACK_BOT_TOKEN": TOKEN}, AT)
    assert [bool(held.of(f"session {number}", AT)) for number in (0, 1, MOST)] == [False, True, True]


def test_what_is_saved_or_too_old_is_held_no_longer() -> None:
    held = HeldSecrets()
    held.hold("ana's", {"SLACK_BOT_TOKEN": TOKEN, "SLACK_SIGNING_SECRET": SECRET}, AT)
    held.drop("ana's", ["SLACK_BOT_TOKEN"])
    assert held.of("ana's", AT + HOLDS - timedelta(seconds=1)) == {"SLACK_SIGNING_SECRET": SECRET}
    assert held.of("ana's", AT + HOLDS) == {}
