"""What a person does with a request, each where they work: Ana in Slack, Ben in Teams, Mia on the page of her mail."""

from collections.abc import Mapping

from tests.stories.page import Page
from tests.stories.world import ANA, BEN, MIA, Json, World

PEOPLE = {"slack": ANA, "teams": BEN, "email": MIA}
NAMES = {"slack": "Ana", "teams": "Ben", "email": "Mia"}
CHANNELS = tuple(PEOPLE)


async def reads(world: World, channel: str, text: str = "") -> str:
    """Everything that the person there can read, as soon as the text is among it."""
    match channel:
        case "slack":
            await world.shown_to_ana(text or "Severity")
            return world.slack.dm(ANA).shown_text()
        case "teams":
            await world.teams.chat(BEN).wait_for(lambda chat: chat.cards and text in chat.shown_text())
            return world.teams.chat(BEN).shown_text()
        case _:
            await world.mail.until(lambda: any(text in each.text for each in world.mail.of(MIA)), what=repr(text))
            return (await world.page_of(MIA, 0)).text


async def offered(world: World, channel: str) -> list[str]:
    """The buttons, and for more choices the entries of the picker."""
    await reads(world, channel)
    match channel:
        case "slack":
            message = world.slack.dm(ANA).last
            return [label for menu in message.menus for label in menu.options] + message.labels
        case "teams":
            chat = world.teams.chat(BEN)
            inputs = [each for button in chat.buttons for each in button.inputs if each["type"] == "Input.ChoiceSet"]
            return [each["title"] for each in inputs[0]["choices"]] if inputs else _titles(chat.last_card)
        case _:
            return list((await world.page_of(MIA, 0)).buttons)


async def press(world: World, channel: str, label: str, inputs: Mapping[str, str] | None = None) -> None:
    """Takes the choice with this label, wherever it stands, and fills in what it asks for."""
    await reads(world, channel)
    match channel:
        case "slack":
            await _press_in_slack(world, label, inputs or {})
        case "teams":
            await _press_in_teams(world, label, inputs or {})
        case _:
            await world.kept()
            page = await (await world.page_of(MIA, 0)).press(label, **(inputs or {}))
            assert page.status == 200, page.text


async def refusal_of(world: World, channel: str, open_page: Page | None = None) -> str:
    """What the person alone is told who tries to approve, on a page that may have been open for a while."""
    match channel:
        case "slack":
            await world.slack.dm(ANA).click("Approve")
            await world.slack.dm(ANA).wait_for(lambda dm: dm.ephemerals)
            return world.whispers()[-1]
        case "teams":
            return (await world.click_in_teams("Approve")).notice or ""
        case _:
            page = open_page or await world.page_of()
            return (await page.post("approve")).text


async def _press_in_slack(world: World, label: str, inputs: Mapping[str, str]) -> None:
    dm = world.slack.dm(ANA)
    pressed = await (dm.click(label) if label in dm.last.labels else dm.choose(label))
    if inputs:
        modal = await pressed.wait_for_modal()
        submitted = await modal.fill({f"input.{name}": text for name, text in inputs.items()}).submit()
        assert not submitted.errors, submitted.errors


async def _press_in_teams(world: World, label: str, inputs: Mapping[str, str]) -> None:
    chat = world.teams.chat(BEN)
    given = {f"input.{name}": text for name, text in inputs.items()}
    picked = label not in chat.labels
    pressed = await chat.click("Send answer", {**given, "choice": label}) if picked else await chat.click(label, given)
    assert pressed.error is None, pressed.error
    assert not pressed.blocked, pressed.blocked


def _titles(card: Json) -> list[str]:
    return [action["title"] for action in card["actions"]]
