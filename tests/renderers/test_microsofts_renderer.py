"""Adaptive Cards drawn by Microsoft's own renderer, in a browser, with the limits of Teams."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from renderers import adaptive_card
from tests.renderers.samples import BLOCKED, CARDS, CLARIFICATION, PAGE, REASON, TOKEN

SCRIPT = Path(__file__).resolve().parents[2] / "bot" / "admin" / "static" / "vendor" / "adaptivecards.min.js"
HOST = {"supportsInteractivity": True, "actions": {"maxActions": 6, "showCard": {"actionMode": "inline"}}}
DRAW = """
([card, host]) => {
  const shown = new AdaptiveCards.AdaptiveCard();
  shown.hostConfig = new AdaptiveCards.HostConfig(host);
  const context = new AdaptiveCards.SerializationContext(AdaptiveCards.Versions.v1_5);
  shown.parse(card, context);
  shown.onExecuteAction = action => { window.taken = action; };
  const said = [...Array(context.eventCount).keys()].map(place => context.getEventAt(place).message);
  said.push(...shown.validateProperties().validationEvents.map(event => event.message));
  document.body.replaceChildren(shown.render());
  return said;
}
"""


@pytest.fixture
async def teams(page: Page) -> Page:
    await page.set_content("<!doctype html><title>Teams</title><body></body>")
    await page.add_script_tag(path=SCRIPT)
    return page


async def draw(page: Page, content: dict[str, Any]) -> list[str]:
    said: list[str] = await page.evaluate(DRAW, [content, HOST])
    return said


async def taken(page: Page) -> dict[str, Any]:
    """What Teams would send: the action's own data, with the inputs."""
    sent: dict[str, Any] = await page.evaluate("() => window.taken.data")
    return sent


async def test_the_renderer_has_no_complaint_about_any_card(teams: Page) -> None:
    said = {name: await draw(teams, adaptive_card.render(card, TOKEN, PAGE).content) for name, card in CARDS.items()}
    assert {name: complaints for name, complaints in said.items() if complaints} == {}


async def test_the_renderer_complains_about_a_wrong_card(teams: Page) -> None:
    assert await draw(teams, {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "Nothing"}]}) != []


async def test_a_click_sends_the_choice(teams: Page) -> None:
    await draw(teams, adaptive_card.render(BLOCKED, TOKEN).content)
    await teams.get_by_role("button", name="Approve").click()
    assert adaptive_card.read_action(await taken(teams)).choice == "approve"


async def test_a_denial_sends_its_reason(teams: Page) -> None:
    await draw(teams, adaptive_card.render(CARDS["blocked_action-progress"], TOKEN).content)
    await teams.get_by_role("button", name="Keep blocked").click()
    await teams.get_by_label(REASON.label).fill("Not before Monday.")
    await teams.get_by_role("button", name="Keep blocked").last.click()
    answer = adaptive_card.read_action(await taken(teams))
    assert (answer.choice, answer.inputs) == ("keep_blocked", {"reason": "Not before Monday."})


async def test_a_picked_town_is_sent(teams: Page) -> None:
    await draw(teams, adaptive_card.render(CLARIFICATION, TOKEN).content)
    await teams.get_by_role("combobox", name="Your answer").select_option(label="Oregon")
    await teams.get_by_role("button", name="Send answer").click()
    assert adaptive_card.read_action(await taken(teams)).choice == "oregon"


async def test_arguments_keep_their_lines_and_indents(teams: Page) -> None:
    await draw(teams, adaptive_card.render(BLOCKED, TOKEN).content)
    shown = (await teams.inner_text("body")).replace("\u00a0", " ")
    assert BLOCKED.payload is not None
    assert BLOCKED.payload.body in shown
