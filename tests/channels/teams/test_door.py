"""Who is let in at /api/messages: the Bot Connector for our app, our channel and our tenant, and nobody else."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession

from bot.channels.teams_keys import claims_of
from bot.rehearsal.failure import Failure, garbage, hang, http, reset, status
from bot.rehearsal.teams import TeamsTenant
from bot.rehearsal.teams_keys import KEYS_PATH
from tests.channels.teams.world import World, world_of

Json = dict[str, Any]


@dataclass(frozen=True)
class Attack:
    """What is forged in the token, and what is changed in the activity."""

    name: str
    status: int
    token: Json = field(default_factory=dict)
    activity: Json = field(default_factory=dict)


def dig_in(activity: Json, path: str, value: Any) -> None:
    *above, last = path.split(".")
    for key in above:
        activity = activity[key]
    if value is None:
        activity.pop(last, None)
    else:
        activity[last] = value


ELSEWHERE = "https://smba.trafficmanager.net/emea/"
FOREIGN = "33333333-3333-4333-8333-333333333333"
ATTACKS = (
    Attack("unsigned", 401, {"alg": "none"}),
    Attack("HS256 with the public key", 401, {"alg": "HS256"}),
    Attack("RS512", 401, {"alg": "RS512"}),
    Attack("an unknown key", 401, {"key": "stranger", "kid": "stranger"}),
    Attack("another key under a known name", 401, {"key": "stranger", "kid": "teams-1"}),
    Attack("expired", 401, {"exp": 1}),
    Attack("no exp", 401, {"exp": None}),
    Attack("an exp that is no number", 401, {"exp": "tomorrow"}),
    Attack("not valid yet", 401, {"nbf": 4102444800}),
    Attack("for another bot", 401, {"aud": "22222222-2222-4222-8222-222222222222"}),
    Attack("for a list with our bot", 401, {"aud": ["11111111-2222-4333-8444-555555555555", "x"]}),
    Attack("for nobody", 401, {"aud": None}),
    Attack("by the emulator", 401, {"iss": "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"}),
    Attack("by a stranger", 401, {"iss": "https://evil.example"}),
    Attack("by nobody", 401, {"iss": None}),
    Attack("no service URL in the token", 401, {"serviceurl": None}),
    Attack("another service URL in the token", 401, {"serviceurl": ELSEWHERE}),
    Attack("no service URL in the activity", 401, activity={"serviceUrl": None}),
    Attack("another service URL in the activity", 401, activity={"serviceUrl": ELSEWHERE}),
    Attack(
        "a service URL of a stranger in both", 403,
        {"serviceurl": "https://evil.example/"}, {"serviceUrl": "https://evil.example/"},
    ),
    Attack(
        "a service URL without TLS", 403,
        {"serviceurl": "http://smba.trafficmanager.net/emea/"}, {"serviceUrl": "http://smba.trafficmanager.net/emea/"},
    ),
    Attack(
        "a service URL with a user", 403,
        {"serviceurl": "https://smba.trafficmanager.net@evil.example/"},
        {"serviceUrl": "https://smba.trafficmanager.net@evil.example/"},
    ),
    Attack("a key for another channel", 403, {"key": "webchat-1"}),
    Attack("the emulator's channel", 403, activity={"channelId": "emulator"}),
    Attack("no channel", 403, activity={"channelId": None}),
    Attack("another tenant", 403, activity={"channelData.tenant.id": FOREIGN}),
    Attack("another tenant in the conversation", 403, activity={"conversation.tenantId": FOREIGN}),
    Attack("no tenant", 403, activity={"channelData.tenant": None, "conversation.tenantId": None}),
    Attack("a tenant that is no text", 403, activity={"channelData.tenant.id": {"a": 1}}),
)  # fmt: skip
everyone = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)


def installation(world: World) -> Json:
    chat = world.teams.chat("cleo@example.com")
    return world.teams.activities.installation(chat.thread, chat.thread.members[0], "add")


async def play(world: World, attack: Attack) -> int | None:
    activity = installation(world)
    for path, value in attack.activity.items():
        dig_in(activity, path, value)
    delivery = await world.teams.deliver(activity, token=world.teams.token(**attack.token))
    await world.settled()
    return delivery.status


def known(world: World) -> Json:
    return {key: value for key, value in world.shelf.kept.items() if not key.startswith("way_in:")}


@everyone
async def test_an_attack_is_turned_away(world: World, attack: Attack) -> None:
    assert await play(world, attack) == attack.status


@everyone
async def test_an_attack_leaves_nothing_behind(world: World, attack: Attack) -> None:
    """But for the note that something was refused, which says nothing that the caller said."""
    await world.install_in_channel()
    kept, remembered = known(world), dict(world.remembered)
    await play(world, attack)
    assert (known(world), world.remembered) == (kept, remembered)


@everyone
async def test_an_attack_is_audited(world: World, attack: Attack) -> None:
    await play(world, attack)
    assert [platform for platform, _, _ in world.desk.refusals] == ["teams"]


@everyone
async def test_an_attack_makes_no_call_with_the_bots_token(world: World, attack: Attack) -> None:
    await play(world, attack)
    assert [each.path for each in world.teams.journal if each.path.startswith("/amer")] == []


async def test_the_right_call_is_taken(world: World) -> None:
    assert (await world.teams.deliver(installation(world))).status == 200


async def test_a_clock_that_is_four_minutes_off_is_forgiven(world: World) -> None:
    expired = int(world.teams.clock()) - 240
    assert (await world.teams.deliver(installation(world), token=world.teams.token(exp=expired))).status == 200


async def test_the_other_tenant_is_named_in_the_audit(world: World) -> None:
    await play(world, next(attack for attack in ATTACKS if attack.name == "another tenant"))
    cleo = world.teams.state.person("cleo@example.com")
    assert world.desk.refusals == [("teams", "another tenant", cleo.aad_object_id)]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer a",
        "Bearer a.b.c",
        "Basic eDp5",
        "Bearer ..",
        "Bearer é.é.é",
        "Bearer " + "a." * 2 + "b" * 4000,
    ],
)
async def test_a_malformed_authorization_is_turned_away(world: World, header: str) -> None:
    delivery = await world.teams.deliver(installation(world), headers={"Authorization": header})
    assert delivery.status == 401


async def test_no_authorization_is_turned_away(world: World) -> None:
    assert (await world.teams.deliver(installation(world), token=None)).status == 401


async def test_forged_calls_are_audited_once_a_minute(world: World) -> None:
    for _ in range(5):
        await world.teams.deliver(installation(world), token=None)
    await world.settled()
    assert len(world.desk.refusals) == 1


BODIES: list[tuple[str, bytes, int]] = [
    ("nothing", b"", 400),
    ("no JSON", b"{", 400),
    ("no object", b"[1]", 400),
    ("not UTF-8", b'{"type": "\xff"}', 400),
    ("NaN", b'{"type": "message", "value": NaN}', 400),
    ("half a character", b'{"type": "message", "text": "\\ud800"}', 400),
    ("10,000 levels", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
    ("600 KB", b'{"a": "' + b"x" * 600_000 + b'"}', 413),
]


@pytest.mark.parametrize("body, expected", [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
async def test_a_body_that_is_no_activity_is_refused(world: World, body: bytes, expected: int) -> None:
    assert (await world.teams.deliver(body)).status == expected


async def test_a_long_body_without_a_length_is_refused(world: World, session: ClientSession) -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 10_000

    headers = {"Authorization": f"Bearer {world.teams.token()}"}
    async with session.post(str(world.teams.messages_url), data=endless(), headers=headers) as answer:
        assert answer.status == 413


CHANGES: list[tuple[str, Callable[[Json], Any]]] = [
    ("no type", lambda each: each.pop("type")),
    ("no conversation", lambda each: each.pop("conversation")),
    ("no sender", lambda each: each.pop("from")),
    ("a sender that is text", lambda each: each.update({"from": "ana"})),
    ("a time that is none", lambda each: each.update(timestamp="soon")),
    ("members that are text", lambda each: each.update(membersAdded="ana")),
]


@pytest.mark.parametrize("change", [row[1] for row in CHANGES], ids=[row[0] for row in CHANGES])
async def test_a_malformed_activity_is_refused(world: World, change: Callable[[Json], Any]) -> None:
    activity = installation(world)
    change(activity)
    delivery = await world.teams.deliver(activity)
    assert delivery.status in {400, 403}


@pytest.mark.parametrize("kind", ["messageReaction", "event", "typing", "endOfConversation", "trace", "newest/kind"])
async def test_an_unknown_activity_gets_200(world: World, kind: str) -> None:
    assert (await world.teams.deliver({**installation(world), "type": kind})).status == 200


async def test_an_invoke_of_another_kind_gets_200(world: World) -> None:
    activity = {**installation(world), "type": "invoke", "name": "composeExtension/query", "value": {}}
    assert (await world.teams.deliver(activity)).status == 200


@pytest.mark.parametrize("name", ["TEAMS_APP_ID", "TEAMS_CLIENT_SECRET", "TEAMS_TENANT_ID"])
async def test_without_its_settings_there_is_no_such_address(
    tenant: TeamsTenant, session: ClientSession, name: str
) -> None:
    async with world_of(tenant, session, **{name: ""}) as world:
        assert (await world.teams.deliver(installation(world))).status == 404


async def test_a_new_key_is_taken_without_a_restart(world: World) -> None:
    await world.teams.deliver(installation(world))
    world.teams.keys.rotate()
    world.keys._tried_at = float("-inf")  # five seconds later
    assert (await world.teams.deliver(installation(world))).status == 200


async def test_a_key_that_was_taken_back_lets_nobody_in_after_a_day(world: World) -> None:
    taken_back = world.teams.token()
    assert (await world.teams.deliver(installation(world), token=taken_back)).status == 200
    first = world.teams.keys.signing
    world.teams.keys.rotate()
    del world.teams.keys.published[first]
    world.keys._at -= 24 * 3600 + 1
    world.keys._tried_at = float("-inf")  # five seconds later
    assert (await world.teams.deliver(installation(world), token=taken_back)).status == 401


async def test_unknown_keys_do_not_make_us_ask_again_and_again(world: World) -> None:
    forged = world.teams.token(key="stranger")
    await asyncio.gather(*(world.teams.deliver(installation(world), token=forged) for _ in range(20)))
    for _ in range(5):
        await world.teams.deliver(installation(world), token=forged)
    asked = [each for each in world.teams.journal if each.path.endswith("/keys")]
    assert len(asked) <= 2


async def test_known_keys_serve_on_while_the_key_page_is_down(world: World) -> None:
    await world.teams.deliver(installation(world))
    rule = world.teams.fail(status(500), part="keys")
    world.keys._at -= 48 * 3600
    world.keys._tried_at = float("-inf")
    assert ((await world.teams.deliver(installation(world))).status, rule.hits) == (200, 1)


@pytest.mark.parametrize("failure", [garbage(), reset(), http(200, "[" * 100_000), http(200, "[]")], ids=repr)
async def test_a_key_page_that_makes_no_sense_lets_nobody_in(
    tenant: TeamsTenant, session: ClientSession, failure: Failure
) -> None:
    tenant.fail(failure, part="keys")
    async with world_of(tenant, session) as world:
        assert (await world.teams.deliver(installation(world))).status == 503


async def test_known_keys_serve_on_while_the_key_page_holds_none(world: World) -> None:
    await world.teams.deliver(installation(world))
    rule = world.teams.fail(http(200, '{"keys": []}'), path=KEYS_PATH)
    world.keys._at -= 48 * 3600
    world.keys._tried_at = float("-inf")
    assert ((await world.teams.deliver(installation(world))).status, rule.hits) == (200, 1)


async def test_who_cannot_be_judged_in_time_is_to_come_again(tenant: TeamsTenant, session: ClientSession) -> None:
    tenant.fail(hang(), part="keys")
    async with world_of(tenant, session) as world:
        (await world.channel._get_inbound()).patience = 0.2
        assert (await world.teams.deliver(installation(world))).status == 503


async def test_without_any_keys_the_channel_still_runs(tenant: TeamsTenant, session: ClientSession) -> None:
    rule = tenant.fail(status(500), part="keys")
    async with world_of(tenant, session) as world:
        running = asyncio.create_task(world.channel.run())
        await tenant.until(lambda: rule.hits, what="the first question for keys")
        await asyncio.sleep(0.3)
        over = running.done()
        running.cancel()
    assert not over


async def test_the_keys_are_there_before_anybody_calls(world: World) -> None:
    await world.teams.until(lambda: any(each.path.endswith("/keys") for each in world.teams.journal), 5)
    world.teams.fail(hang(), part="keys")
    assert (await asyncio.wait_for(world.teams.deliver(installation(world)), 2)).status == 200


async def test_without_any_keys_nobody_is_let_in(tenant: TeamsTenant, session: ClientSession) -> None:
    tenant.fail(status(500), part="keys")
    async with world_of(tenant, session) as world:
        assert (await world.teams.deliver(installation(world))).status == 503


async def test_keys_on_another_host_are_not_fetched(tenant: TeamsTenant, session: ClientSession) -> None:
    elsewhere = json.dumps({"jwks_uri": f"http://localhost:{tenant.port}{KEYS_PATH}"})
    tenant.fail(http(200, elsewhere), path="openidconfiguration")
    async with world_of(tenant, session) as world:
        assert (await world.teams.deliver(installation(world))).status == 503


async def test_a_key_page_that_hangs_holds_up_nobody_else(world: World) -> None:
    await world.teams.deliver(installation(world))
    world.teams.fail(hang(), part="keys")
    world.keys._tried_at = float("-inf")
    forged = asyncio.create_task(world.teams.deliver(installation(world), token=world.teams.token(key="stranger")))
    await asyncio.sleep(0.05)
    assert (await asyncio.wait_for(world.teams.deliver(installation(world)), 1)).status == 200
    forged.cancel()


async def test_two_hundred_tokens_are_checked_in_a_second(world: World) -> None:
    """The library alone takes 16 to 21 ms for each."""
    await world.teams.deliver(installation(world))
    started = asyncio.get_running_loop().time()
    for _ in range(200):
        await claims_of(f"Bearer {world.teams.token()}", world.keys, world.channel._presence.settings)
    assert asyncio.get_running_loop().time() - started < 1.0
