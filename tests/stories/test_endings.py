"""Every end has its own true word: for who asked, on the card, in the audit log."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.rehearsal.failure import error, status
from tests.admin.signed_in import signed_in
from tests.stories.hands import press
from tests.stories.reach import at_rest
from tests.stories.world import ANA, BEN, MIA, World

End = Callable[[World, str], Awaitable[None]]


async def expire(world: World, id_: str) -> None:
    await world.forward(seconds=61)


async def withdraw(world: World, id_: str) -> None:
    taken = await world.withdraw(id_, because="The run was cancelled")
    assert taken.status == 200


ENDS = (
    ("expired", "Expired without an answer", expire),
    ("withdrawn", "Withdrawn", withdraw),
)
either = pytest.mark.parametrize("ending, words, end", ENDS, ids=lambda value: value if isinstance(value, str) else "")


async def asked_of_all(world: World) -> str:
    asked = await world.ask_blocked(expires_in=60, callback_url=world.caller.url)
    await world.shown_to_all()
    return str(asked["id"])


# ---- nobody answers, or nobody has to any more -----------------------------------------------------------------------


@either
async def test_who_waits_is_told_the_true_end(world: World, ending: str, words: str, end: End) -> None:
    id_ = await asked_of_all(world)
    await end(world, id_)
    seen = await world.end_of(id_)
    assert (seen["status"], seen.body.get("decision")) == (ending, None)


@either
async def test_who_gave_an_address_is_told_the_true_end(world: World, ending: str, words: str, end: End) -> None:
    id_ = await asked_of_all(world)
    await end(world, id_)
    told = (await world.caller.wait_for(1))[0].json
    assert (told["id"], told["status"], "decision" in told) == (id_, ending, False)


@either
async def test_every_card_says_the_true_end_and_takes_no_answer(
    world: World, ending: str, words: str, end: End
) -> None:
    id_ = await asked_of_all(world)
    await end(world, id_)
    await world.shown_to_ana(words)
    await world.shown_to_ben(words)
    await world.shown_to_mia(letters=2)
    assert words in world.mail.of(MIA)[-1].text
    page = await world.page_of(MIA, 0)
    assert (words in page.text, page.buttons) == (True, {})
    assert (world.slack.dm(ANA).last.labels, world.teams.chat(BEN).labels) == ([], [])


@either
async def test_the_audit_log_has_the_true_end(world: World, ending: str, words: str, end: End) -> None:
    id_ = await asked_of_all(world)
    await end(world, id_)
    await world.end_of(id_)
    assert f"interaction.{ending}" in [action for action, _ in await world.audit()]


@either
async def test_a_click_afterwards_changes_nothing_and_is_told_why(
    world: World, ending: str, words: str, end: End
) -> None:
    id_ = await asked_of_all(world)
    late = world.teams.chat(BEN).invoke("Approve")
    await end(world, id_)
    await world.end_of(id_)
    answer = await world.teams.send(late)
    assert words in str(answer.body["value"])
    assert (await world.see(id_))["status"] == ending


async def test_the_reason_of_a_withdrawal_reaches_the_people(world: World) -> None:
    id_ = await asked_of_all(world)
    await withdraw(world, id_)
    await world.shown_to_ana("The run was cancelled")
    assert (await world.see(id_))["because"] == "The run was cancelled"


async def test_what_has_ended_cannot_be_withdrawn(world: World) -> None:
    id_ = await asked_of_all(world)
    await press(world, "slack", "Approve")
    await world.end_of(id_)
    assert (await world.withdraw(id_)).status == 409


async def test_a_click_in_the_second_of_expiry_does_not_approve(world: World) -> None:
    """Before the timer has fired: the moment alone decides."""
    id_ = await asked_of_all(world)
    world.clock._offset += timedelta(seconds=61)
    pressed = await world.click_in_teams("Approve")
    assert "expired" in f"{pressed.notice}".casefold()
    assert (await world.end_of(id_))["status"] == "expired"


# ---- nobody can be reached -------------------------------------------------------------------------------------------


def cut_off(world: World) -> None:
    world.slack.fail(error("channel_not_found"), path="chat.postMessage")
    world.teams.fail(status(403), part="connector")
    world.mail.fail(status(550))


async def test_a_request_that_no_channel_takes_ends_as_undeliverable(world: World) -> None:
    cut_off(world)
    asked = await world.ask_blocked()
    seen = await world.end_of(asked["id"])
    assert (seen["status"], seen.body.get("decision")) == ("undeliverable", None)


async def test_the_caller_is_told_that_nobody_could_be_reached(world: World) -> None:
    cut_off(world)
    await world.ask_blocked(callback_url=world.caller.url)
    told = (await world.caller.wait_for(1))[0].json
    assert told["status"] == "undeliverable"
    assert told["because"]


async def test_undeliverable_is_audited_and_every_attempt_is_kept(world: World) -> None:
    cut_off(world)
    asked = await world.ask_blocked([ANA])
    await world.end_of(asked["id"])
    assert ("interaction.undeliverable", "gatebell") in await world.audit()
    assert [(channel, verb) for channel, verb, _ in await world.attempts()] == [
        ("slack", "send"), ("teams", "send"), ("email", "send"),
    ]  # fmt: skip


async def test_the_page_of_an_undeliverable_request_says_why_nobody_was_reached(world: World) -> None:
    cut_off(world)
    asked = await world.ask_blocked([ANA])
    because = (await world.end_of(asked["id"]))["because"]
    async with await signed_in(world, ANA) as browser:
        words = (await browser.get(f"/admin/requests/{asked['id']}")).words
    assert re.search(rf"Nobody could be reached [^.;]{{,40}} UTC {re.escape(because)}", words), words


async def test_as_long_as_one_person_has_a_copy_it_stays_open(world: World) -> None:
    world.teams.fail(status(403), part="connector")
    world.mail.fail(status(550))
    asked = await world.ask_blocked()
    await at_rest(world)
    assert sorted(await states(world, asked["id"])) == ["failed", "failed", "sent"]
    await press(world, "slack", "Approve")
    assert (await world.end_of(asked["id"]))["status"] == "decided"


async def states(world: World, id_: str) -> list[str]:
    return [each["state"] for each in (await world.see(id_))["deliveries"]]


async def test_an_undeliverable_request_cannot_be_used(world: World) -> None:
    cut_off(world)
    asked = await world.ask_blocked([ANA])
    await world.end_of(asked["id"])
    used = await world.call("POST", f"/api/v1/interactions/{asked['id']}/consume", {"digest": asked["digest"]})
    assert (used.status, "undeliverable" in used["detail"]) == (409, True)


# ---- decided before it went out --------------------------------------------------------------------------------------


async def test_a_card_that_was_decided_while_it_waited_goes_out_decided(world: World) -> None:
    world.teams.fail(status(503), part="connector", method="POST")
    world.mail.fail(status(451))
    asked = await world.ask_blocked([ANA, BEN])
    await press(world, "slack", "Approve")
    await world.end_of(asked["id"])
    world.teams.heal()
    await world.forward(minutes=2)
    await world.shown_to_ben("Approved by Ana")
    assert (world.teams.chat(BEN).last.edited, world.teams.chat(BEN).labels) == (0, [])
