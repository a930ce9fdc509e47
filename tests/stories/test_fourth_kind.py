"""A kind of question that nobody has foreseen: one class and one entry, and every channel asks it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bot.keys import Scope
from interactions.card import Card, Choice, Input, Severity, Tone
from interactions.model import Decision, Question
from interactions.registry import KINDS, Registry
from tests.stories.hands import CHANNELS, NAMES, PEOPLE, offered, press, reads
from tests.stories.world import ANA, BEN, MIA, Platforms, World, installed


class Payment(Question):
    """An agent wants to pay a bill."""

    kind: ClassVar[str] = "payment"

    payee: str
    cents: int

    def card(self) -> Card:
        return Card(
            title=f"Pay {self.payee}?",
            severity=Severity.MEDIUM,
            facts=(("Amount", f"{self.cents / 100:.2f} EUR"),),
            choices=(
                Choice("pay", "Pay", Tone.PRIMARY, approves=True),
                Choice("later", "Not before"),
                Choice("never", "Never", Tone.DANGER),
            ),
            inputs=(Input("date", "From which day?", ("later",), required=True, multiline=False),),
        )

    def decide(self, choice: str, actor: str) -> Decision:
        return Decision(choice, f"{ {'pay': 'Paid', 'later': 'Put off', 'never': 'Turned down'}[choice] } by {actor}")


class Invoice(Payment):
    """The same with a place where more is to be read."""

    kind: ClassVar[str] = "invoice"

    def card(self) -> Card:
        return replace(super().card(), link=READ_MORE)


READ_MORE = "https://bills.example/acme?no=7"
BILL: dict[str, Any] = {"payee": "Acme", "cents": 129_900}


@pytest.fixture
async def shop(platforms: Platforms, data: Path) -> AsyncIterator[World]:
    async with installed(platforms, data, kinds=Registry((*KINDS, Payment, Invoice))) as world:
        yield world


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_new_kind_is_shown_with_its_choices(shop: World, channel: str) -> None:
    await shop.ask("payment", BILL, [PEOPLE[channel]])
    assert "1299.00 EUR" in await reads(shop, channel)
    assert set(await offered(shop, channel)) == {"Pay", "Not before", "Never"}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("label, choice, approved", [("Pay", "pay", True), ("Never", "never", False)])
async def test_a_new_kind_is_decided(shop: World, channel: str, label: str, choice: str, approved: bool) -> None:
    asked = await shop.ask("payment", BILL, [PEOPLE[channel]])
    await press(shop, channel, label)
    decision = (await shop.end_of(asked["id"]))["decision"]
    assert (decision["choice"], decision["approved"], decision["by"]) == (choice, approved, NAMES[channel])


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_new_kind_asks_for_what_it_needs(shop: World, channel: str) -> None:
    asked = await shop.ask("payment", BILL, [PEOPLE[channel]])
    await press(shop, channel, "Not before", {"date": "1 March"})
    decision = (await shop.end_of(asked["id"]))["decision"]
    assert (decision["choice"], decision["inputs"]) == ("later", {"date": "1 March"})


async def test_the_link_of_a_new_kind_is_there_on_every_channel(shop: World) -> None:
    await shop.ask("invoice", BILL)
    await shop.shown_to_all("1299.00 EUR")
    assert READ_MORE in shop.slack.dm(ANA).last.links
    assert shop.teams.chat(BEN).open_url("Open") == READ_MORE
    assert READ_MORE in shop.mail.of(MIA)[0].links
    assert f'<a href="{READ_MORE}">bills.example</a>' in (await shop.page_of()).html


async def test_a_new_kind_is_decided_over_rest(shop: World) -> None:
    asked = await shop.ask("payment", BILL, [ANA])
    key = await shop.key_for(Scope.INTERACTIONS_WRITE, of=ANA)
    decided = await shop.call("POST", f"/api/v1/interactions/{asked['id']}/decide", {"choice": "pay"}, key=key)
    assert (decided.status, decided["decision"]["by"], decided["decision"]["channel"]) == (200, "Ana", "api")
    await shop.shown_to_ana("Paid by Ana")


async def test_the_documentation_of_the_api_knows_the_new_kind(shop: World) -> None:
    page = await shop.call("GET", "/api/v1/openapi.json")
    assert "payee" in page["components"]["schemas"]["payment_payload"]["properties"]


async def test_a_payload_that_does_not_fit_the_new_kind_names_its_field(shop: World) -> None:
    asked = await shop.ask("payment", {"payee": "Acme", "amount": 5}, [ANA])
    assert asked.status == 422
    assert {each["field"] for each in asked["errors"]} == {"payload.cents", "payload.amount"}


async def test_an_installation_without_the_kind_says_which_there_are(world: World) -> None:
    asked = await world.ask("payment", BILL, [ANA])
    assert (asked.status, asked["errors"][0]["field"]) == (422, "kind")
    assert "write_confirmation" in asked["errors"][0]["mend"]
