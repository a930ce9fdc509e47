"""A full day with every channel, every failure and every attack; then every secret is looked for everywhere."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from bot.keys import Scope
from bot.logs import start_logging
from bot.rehearsal.caller import AgentEndpoint
from bot.rehearsal.failure import error, garbage, reset, status
from tests.stories.reach import at_rest
from tests.stories.world import ANA, BEN, MIA, Platforms, World, installed

OWN = {
    "SECRET_KEY": "the-key-that-seals-all-the-others-0123456789",
    "AGENT_SECRET": "agent-secret-0123456789",
    "WEBHOOK_SECRET": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "PAGERDUTY_ROUTING_KEY": "0123456789abcdef0123456789abcdef",
}
CALLERS_OWN = "callers-secret-in-its-address"


@dataclass(frozen=True)
class Day:
    """The installation after it, what it wrote, and what must be nowhere in that."""

    world: World
    log: StringIO
    secrets: dict[str, str]
    pages: list[str]

    def found_in(self, text: str) -> list[str]:
        return [name for name, secret in self.secrets.items() if secret in text or json.dumps(secret)[1:-1] in text]


@pytest.fixture
def log() -> StringIO:
    """The product's own logging at its most talkative, as `serve` starts it."""
    return StringIO()


@pytest.fixture
async def day(platforms: Platforms, data: Path, log: StringIO) -> AsyncIterator[Day]:
    async with AgentEndpoint() as agent:
        changed: dict[str, Any] = {**OWN, "AGENT_URL": agent.url}
        known = {
            "slack bot token": platforms.slack.bot_token,
            "slack signing secret": platforms.slack.signing_secret,
            "teams client secret": platforms.teams.client_secret,
            **OWN,
        }
        start_logging("debug", "json", list(known.values()), log)
        # Nothing but the product's own lines: how this test's servers are written down is their own business.
        for loud in ("aiohttp.access", "mail.log"):
            logging.getLogger(loud).setLevel(logging.WARNING)
        async with installed(platforms, data, **changed) as world:
            pages = await live_through(world)
            links = [link.rpartition("/")[2] for letter in world.mail.letters for link in letter.links if "/d/" in link]
            secrets = {
                **known,
                "api key": world.key,
                "teams access token": next(iter(world.teams.login._runs_out)),
                "connector token": world.teams.token(),
                **{f"decision link {place}": link for place, link in enumerate(links)},
            }
            yield Day(world, log, secrets, pages)


async def live_through(world: World) -> list[str]:
    asked = await world.ask_blocked(callback_url=f"{world.caller.url}?key={CALLERS_OWN}", reason="optional")
    await world.shown_to_all()
    await attack(world)
    pages = await look_around(world, str(asked["id"]))
    page = await world.page_of()
    pages += [page.html, (await page.post("approve", seal="")).html, (await page.press("Keep blocked")).html]
    await world.caller.wait_for(1)
    await world.slack.dm(ANA).say("how are we doing?")
    await world.teams.chat(BEN).say("status")
    await world.shown_to_ben("Slack: ")
    await fail(world)
    await world.settled()
    return pages


async def attack(world: World) -> None:
    payload = json.dumps(world.slack.dm(ANA).payload("Approve")).encode()
    await world.slack.deliver(payload, secret="0" * 32)
    await world.slack.deliver(b"{", content_type="application/json")
    await world.teams.deliver(world.teams.chat(BEN).invoke("Approve"), token=world.teams.token(alg="none"))
    await world.teams.deliver(b"{")
    await world.call("GET", "/api/v1/audit", key="gb_wrong-wrong-wrong-wrong")


async def look_around(world: World, id_: str) -> list[str]:
    """What the API, its errors and the metrics say."""
    paths = ("/metrics", "/readyz", "/api/v1/audit", "/api/v1/keys", "/api/v1/operators", "/nowhere", "/d/x",
             f"/api/v1/interactions/{id_}", "/api/v1/openapi.json", "/api/v1/interactions")  # fmt: skip
    found = []
    for path in paths:
        for accept in ("application/json", "text/html"):
            headers = {"Authorization": f"Bearer {world.key}", "Accept": accept}
            async with world.http.get(world.address + path, headers=headers) as response:
                found.append(await response.text())
    return found


async def fail(world: World) -> None:
    """Every way in which a platform can repeat what we sent to it, or make us speak of it."""
    for failure in (error("invalid_auth"), status(500), reset(), garbage()):
        hit = [
            world.slack.fail(failure, path="chat.postMessage"),
            world.teams.fail(failure),
            world.mail.fail(status(550)),
            world.caller.fail(failure),
        ]
        asked = await world.ask_blocked([ANA, BEN, MIA], callback_url=world.caller.url, expires_in=3600)
        await at_rest(world)
        await world.withdraw(asked["id"])
        await at_rest(world)
        assert all(rule.hits for rule in hit), failure
    for platform in (world.slack, world.teams, world.mail, world.caller):
        platform.heal()


async def test_no_secret_is_in_the_log(day: Day) -> None:
    written = day.log.getvalue()
    assert '"level": "debug"' in written
    assert day.found_in(written) == []


async def test_no_secret_is_on_a_page_or_in_an_answer(day: Day) -> None:
    assert len(day.pages) > 20
    own_page = [name for name in day.found_in("\n".join(day.pages)) if not name.startswith("decision link")]
    assert own_page == []


async def test_no_secret_is_in_the_audit_log(day: Day) -> None:
    rows = await day.world.product.store.read(lambda tx: tx.rows("SELECT * FROM audit"))
    assert {"click.refused", "interaction.decided", "interaction.withdrawn"} <= {row["action"] for row in rows}
    assert day.found_in(json.dumps([dict(row) for row in rows], default=str)) == []


async def test_no_secret_is_in_any_row(day: Day, data: Path) -> None:
    rows = await asyncio.to_thread(dump_of, data / "gatebell.db")
    assert len(rows) > 50
    assert day.found_in("\n".join(rows)) == []


def dump_of(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [line for line in connection.iterdump() if line.startswith("INSERT")]


async def test_no_secret_is_in_the_bytes_of_the_database(day: Day, data: Path) -> None:
    raw = await asyncio.to_thread(bytes_in, data)
    assert [name for name, secret in day.secrets.items() if secret.encode() in raw] == []


def bytes_in(data: Path) -> bytes:
    return b"".join(path.read_bytes() for path in data.glob("gatebell.db*"))


async def test_what_failed_is_told_without_the_callers_own_secret(day: Day) -> None:
    rows = await day.world.product.store.read(lambda tx: tx.rows("SELECT detail FROM attempt"))
    assert CALLERS_OWN not in json.dumps([dict(row) for row in rows])
    assert CALLERS_OWN not in day.log.getvalue()


async def test_a_key_is_shown_once(world: World) -> None:
    made = await world.call("POST", "/api/v1/keys", {"name": "new", "scopes": [Scope.METRICS]})
    listed = await world.call("GET", "/api/v1/keys")
    assert made["key"].startswith("gb_")
    assert made["key"] not in json.dumps(listed.body)
