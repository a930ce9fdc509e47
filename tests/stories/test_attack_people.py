"""Who asks, who is asked and who answers, in spellings and numbers that nobody means well."""

import asyncio

import pytest

from bot.keys import Scope
from bot.rehearsal.failure import status
from bot.tries import whence
from tests.stories.hands import press, refusal_of
from tests.stories.world import ANA, BEN, World

STORM = 200


async def test_one_person_in_three_spellings_is_one_approver(world: World) -> None:
    spellings = [ANA, " ANA@Example.COM ", await world.operator_id(ANA)]
    assert (await world.ask_blocked(spellings, approvals=2)).status == 422
    asked = await world.ask_blocked([*spellings, BEN], approvals=2)
    await world.shown_to_ana("0 of 2 approvals")
    await press(world, "slack", "Approve")
    await world.shown_to_ben("1 of 2 approvals: Ana")
    assert (await world.see(asked["id"]))["status"] == "pending"
    assert len(world.slack.dm(ANA).messages) == 1


async def test_nobody_approves_in_a_chat_what_they_asked_with_their_own_key(world: World) -> None:
    key = await world.key_for(Scope.INTERACTIONS_WRITE, of=ANA)
    body = {"kind": "blocked_action", "payload": {"agent": "A", "tool": "t"}, "audience": {"operators": [ANA, BEN]}}
    asked = await world.call("POST", "/api/v1/interactions", body, key=key)
    await world.shown_to_ana("Keep blocked")
    assert "your own request" in await refusal_of(world, "slack")
    assert (await world.see(asked["id"]))["status"] == "pending"


async def test_a_storm_of_unknown_keys_asks_microsoft_once_and_holds_no_click_up(world: World) -> None:
    asked = await world.ask_blocked([BEN])
    await world.shown_to_ben("Keep blocked")
    click = world.teams.chat(BEN).invoke("Approve")
    asking = world.teams.fail(status(503), part="keys")
    forged = [world.teams.token(key="stranger", kid=f"stranger-{number}") for number in range(STORM)]
    answers = await asyncio.gather(*(world.teams.deliver(click, token=token) for token in forged))
    assert ({each.status for each in answers}, asking.hits <= 1) == ({401}, True)
    await world.click_in_teams("Approve")
    assert (await world.end_of(asked["id"]))["decision"]["by"] == "Ben"


# ---- from where ------------------------------------------------------------------------------------------------------

GUESSES = 25


@pytest.mark.parametrize(
    "remote, forwarded, found",
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("::1", "203.0.113.9,198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "nonsense\x00", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7, ", "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("127.0.0.1", "2001:db8:1:2:9::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "", "192.0.2.1"),
        ("fe80::1%eth0", "", "fe80::/64"),
        ("::5", "", "::/64"),
        (None, "198.51.100.7", ""),
    ],
)
def test_tries_count_for_who_calls_and_not_for_a_proxy_on_this_machine(
    remote: str | None, forwarded: str, found: str
) -> None:
    assert whence(remote, forwarded) == found


async def test_a_guesser_behind_the_proxy_slows_down_and_names_nobody_else_there(world: World) -> None:
    async def guesses(address: str) -> int:
        headers = {"X-Forwarded-For": f"192.0.2.99, {address}"}
        return (await world.call("GET", "/api/v1/audit", key="gb_guessed", headers=headers)).status

    seen = [await guesses("198.51.100.7") for _ in range(GUESSES)]
    assert (seen[-1], await guesses("198.51.100.8")) == (429, 401)
    await world.settled()
    entries = [each for each in (await world.call("GET", "/api/v1/audit"))["items"] if each["action"] == "key.refused"]
    assert [each["subject"] for each in entries] == ["198.51.100.7"]


async def test_a_call_that_its_key_does_not_allow_is_written_down_with_who_made_it_not_with_the_proxy(
    world: World,
) -> None:
    key = await world.key_for(Scope.EVENTS_WRITE)
    headers = {"X-Forwarded-For": "198.51.100.7"}
    assert (await world.call("GET", "/api/v1/audit", key=key, headers=headers)).status == 403
    await world.settled()
    entries = (await world.call("GET", "/api/v1/audit"))["items"]
    assert [each["subject"] for each in entries if each["action"] == "call.refused"] == ["198.51.100.7"]
