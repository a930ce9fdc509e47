"""Text from agents, callers and people is data: it rings nobody, links nowhere unseen, and is no markup anywhere."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from bot.rehearsal.letter import Letter
from bot.rehearsal.slack_message import Message
from bot.rehearsal.teams_state import Posted
from tests.stories.world import ANA, BEN, CLEO, MIA, World

Json = dict[str, Any]

HOSTILE = {
    "channel": "<!channel> <!here> <!everyone>",
    "user": "<@U0ANA> <#C0OPS>",
    "masked link of Slack": "<https://evil.example/login|your bank>",
    "masked link of markdown": "[your bank](https://evil.example/login)",
    "fences": "```\n<!channel> *free*\n```",
    "one backtick": "`<!channel>`",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "script address": "[open](javascript:alert(1)) <javascript:alert(1)|open>",
    "data address": "[open](data:text/html,<script>alert(1)</script>)",
    "right to left": "invoice\u202egpj.exe",
    "nothing to see": "a\u200bb\u2060c\ufeffd",
    "NUL and bells": "a\x00b\x07c\x1b[31m",
    "lines and headers": f"hello\r\nBcc: {CLEO}\r\n\r\nfree",
    "template": "{{7*7}} ${7*7} {%raw%}",
    "a date of Teams": "{{DATE(2026-01-01T00:00:00Z,SHORT)}}",
    "a picture": "![x](https://evil.example/pixel.png)",
    "mention of Teams": "<at>Ben</at>",
    "entities": "&lt;!channel&gt; &#60;script&#62;",
    "attributes": '" onmouseover="alert(1)" x=\'',
}
hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())


def blocked(text: str) -> Json:
    return {"agent": text, "tool": text, "user": text, "policy": text, "arguments": {text: text}}


def prose(text: str) -> Json:
    return {"agent": "Scribe", "tool": "crm.update", "summary": text, "diff": text}


def picked(text: str) -> Json:
    choices = [{"id": f"c{each}", "label": f"{text} {each}", "description": text} for each in (1, 2)]
    return {"agent": text, "question": text, "choices": choices}


async def ask_everything(world: World, who: str, text: str) -> None:
    """Each kind of question with the text in each of its fields."""
    requester = {"agent": "".join(each for each in text if each.isprintable())}
    for kind, payload in (("blocked_action", blocked), ("write_confirmation", prose), ("clarification", picked)):
        asked = await world.ask(kind, payload(text), [who], requested_by=requester)
        assert asked.status == 201, asked.body


class Elements(HTMLParser):
    """What a browser would make of a page or a mail."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    @property
    def dangers(self) -> list[str]:
        found = [tag for tag in self.tags if tag in {"script", "iframe", "object", "embed", "svg", "base"}]
        found += [name for name, _ in self.attributes if name.startswith("on")]
        return found + [value for _, value in self.attributes if re.match(r"\s*(javascript|data|vbscript):", value)]

    @property
    def pictures(self) -> list[str]:
        return [value for name, value in self.attributes if name in {"src", "srcset", "background"}]

    @property
    def links(self) -> list[str]:
        return [value for name, value in self.attributes if name == "href" and value.startswith("http")]


# ---- Slack -----------------------------------------------------------------------------------------------------------


async def in_slack(world: World, text: str) -> list[Message]:
    await ask_everything(world, ANA, text)
    await world.slack.dm(ANA).wait_for(lambda dm: len(dm.messages) == 3)
    return world.slack.dm(ANA).messages


@hostile
async def test_it_rings_nobody_in_slack(world: World, text: str) -> None:
    assert [each for message in await in_slack(world, text) for each in message.mentions] == []


@hostile
async def test_every_link_says_where_it_leads_in_slack(world: World, text: str) -> None:
    for message in await in_slack(world, text):
        foreign = [link for link in message.links if not link.startswith(world.address)]
        assert len(foreign) <= message.shown_text().count("(evil.example)"), foreign


@hostile
async def test_facts_and_arguments_link_nowhere_in_slack(world: World, text: str) -> None:
    await world.ask("blocked_action", blocked(text), [ANA])
    await world.shown_to_ana("Severity")
    assert [link for link in world.slack.dm(ANA).last.links if not link.startswith(world.address)] == []


# ---- Teams -----------------------------------------------------------------------------------------------------------


async def in_teams(world: World, text: str) -> list[Posted]:
    await ask_everything(world, BEN, text)
    await world.teams.chat(BEN).wait_for(lambda chat: len(chat.cards) == 3)
    return world.teams.chat(BEN).messages


@hostile
async def test_every_link_says_where_it_leads_in_teams(world: World, text: str) -> None:
    for post in await in_teams(world, text):
        foreign = [link for link in post.links() if not link.startswith(world.address)]
        assert len(foreign) <= post.shown_text().count("(evil.example)"), foreign


@hostile
async def test_it_is_no_markup_in_teams(world: World, text: str) -> None:
    """No mention goes along, no picture is fetched, and Teams computes no date out of it."""
    for post in await in_teams(world, text):
        card = json.dumps(post.card)
        assert [each for each in post.activity.get("entities", []) if each["type"] == "mention"] == []
        assert ('"Image"' in card, "{{DATE(2026-01-01T00:00:00Z" in card) == (False, False)


# ---- mail and page ---------------------------------------------------------------------------------------------------


async def in_mail(world: World, text: str) -> list[Letter]:
    await ask_everything(world, MIA, text)
    return await world.mail.wait_for(3, to=MIA)


@hostile
async def test_a_mail_holds_nothing_that_acts(world: World, text: str) -> None:
    for letter in await in_mail(world, text):
        shown = Elements(letter.html)
        foreign = [link for link in shown.links if not link.startswith(world.address)]
        assert (shown.dangers, shown.pictures) == ([], [])
        assert len(foreign) <= letter.html.count("(evil.example)"), foreign


@hostile
async def test_a_mail_has_no_header_and_no_reader_more(world: World, text: str) -> None:
    for letter in await in_mail(world, text):
        assert (letter.recipients, letter.header("Bcc"), letter.header("Cc")) == ((MIA,), "", "")
        assert letter.subject.isprintable()


@hostile
async def test_the_page_holds_nothing_that_acts(world: World, text: str) -> None:
    for place, _ in enumerate(await in_mail(world, text)):
        page = await world.page_of(MIA, place)
        shown = Elements(page.html)
        foreign = [link for link in shown.links if not link.startswith(world.address)]
        assert (page.status, shown.dangers, "script-src 'none'" in page.headers["Content-Security-Policy"]) == (
            200, [], True,
        )  # fmt: skip
        assert [each for each in shown.pictures if not each.startswith("/static/")] == []
        assert len(foreign) <= page.text.count("(evil.example)"), foreign


# ---- what is not seen ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\u2066", "\x00", "\x1b", "\U000e0041"])
async def test_arguments_show_what_would_not_be_seen(world: World, hidden: str) -> None:
    """A path with a hidden character is another path, so it is written out wherever it is approved."""
    await world.ask("blocked_action", {"agent": "A", "tool": "t", "arguments": {"path": f"a{hidden}b"}})
    await world.shown_to_all()
    page = await world.page_of()
    escape = json.dumps(hidden)[1:-1]
    for shown in (world.slack.dm(ANA).shown_text(), world.teams.chat(BEN).shown_text(), page.text):
        assert (hidden in shown, escape in shown or f"\\{escape}" in shown) == (False, True)


@hostile
async def test_a_reason_that_a_person_writes_is_data_too(world: World, text: str) -> None:
    asked = await world.ask_blocked([ANA, MIA], reason="optional")
    await world.shown_to_ana("Keep blocked")
    await world.shown_to_mia()
    await (await world.page_of()).press("Keep blocked", reason=text)
    await world.shown_to_ana("Kept blocked by Mia")
    assert world.slack.dm(ANA).last.mentions == []
    assert (await world.see(asked["id"]))["status"] == "decided"


@hostile
async def test_the_words_of_a_withdrawal_are_data_too(world: World, text: str) -> None:
    asked = await world.ask_blocked([ANA])
    await world.shown_to_ana("Keep blocked")
    await world.withdraw(asked["id"], because=text)
    await world.shown_to_ana("Withdrawn")
    assert world.slack.dm(ANA).last.mentions == []


@hostile
async def test_an_event_rings_nobody_either(world: World, text: str) -> None:
    told = await world.tell("custom", text, details=text, context={"a": text}, labels={"b": text})
    assert told.status == 202, told.body
    await world.slack.dm(ANA).wait_for("Severity")
    assert world.slack.dm(ANA).last.mentions == []


@pytest.mark.parametrize("text", ["/ack 1; rm -rf /", "{{7*7}}", "help; pending", "<!channel> pending"])
async def test_chat_text_is_literal(world: World, text: str) -> None:
    await world.slack.dm(ANA).say(text)
    await world.slack.dm(ANA).wait_for("You can write")
    assert "49" not in world.slack.dm(ANA).shown_text()
    assert world.slack.dm(ANA).last.mentions == []
