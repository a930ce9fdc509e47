"""A database that is full, read-only or gone: nothing is promised, nothing is lost, and no restart is needed."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bot.rehearsal.failure import slow, status
from bot.store.migrate import bring_up_to_date
from tests.conftest import postgres_execute, postgres_server
from tests.patience import until
from tests.stories.process import Process, change, serving
from tests.stories.reach import at_rest, events_shown
from tests.stories.world import ANA, Platforms, World, installed

CLARIFY = {"agent": "Archivist", "question": "Which one?", "choices": [{"id": "a", "label": "A"}]}
QUICK = {"PACING": "off", "COOLDOWN_SECONDS": "0", "CHAIN": "slack"}


# ---- full ----------------------------------------------------------------------------------------------------------


async def test_on_a_full_disk_nothing_is_accepted_and_it_recovers_without_a_restart(
    platforms: Platforms, data: Path
) -> None:
    async with serving(platforms, data, **QUICK) as process:
        process.limit_files(1)
        refused = [(await process.tell(f"Refused {number}")).status for number in range(3)]
        asked = (await process.ask_blocked()).status
        await process.until_ready(503)
        process.limit_files(0)
        await process.until_ready(200)
        assert (refused, asked) == ([503] * 3, 503)
        assert await process.told("Taken again")
        await platforms.slack.dm(ANA).wait_for("Taken again")
        assert "Refused" not in platforms.slack.dm(ANA).shown_text()


async def test_what_was_shown_while_the_disk_filled_up_is_not_shown_again_afterwards(
    platforms: Platforms, data: Path
) -> None:
    async with serving(platforms, data, **QUICK) as process:
        await process.tell("Before")
        await platforms.slack.dm(ANA).wait_for("Before")
        platforms.slack.fail(slow(0.5), path="chat.postMessage")
        await process.tell("Event 1")
        process.limit_files(1)
        await platforms.slack.dm(ANA).wait_for("Event 1")
        await process.until_ready(503)
        process.limit_files(0)
        await process.until_rows("SELECT state FROM delivery", [{"state": "done"}] * 2)
        assert events_shown(platforms) == {"Event 1": 1}


async def test_what_could_not_be_sent_for_a_full_disk_is_sent_when_there_is_room(
    platforms: Platforms, data: Path
) -> None:
    async with serving(platforms, data, **QUICK) as process:
        platforms.slack.fail(slow(0.5), path="users.lookupByEmail")  # whose answer is kept in the database
        await process.tell("In flight")
        process.limit_files(1)
        await process.until_ready(503)
        await platforms.slack.until(lambda: platforms.slack.journal, what="a call")
        process.limit_files(0)
        await process.until_ready(200)
        await process.forward(seconds=20)
        await platforms.slack.dm(ANA).wait_for("In flight")


# ---- gone ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL of one story's own, that can be stopped."""

    server: Any
    url: str

    async def restart(self) -> None:
        await asyncio.to_thread(self.server.stop)
        await asyncio.to_thread(self.server.start)

    @property
    def name(self) -> str:
        return "story_" + self.url.rpartition("/story_")[2].partition("?")[0]

    def set_read_only(self, *, on: bool) -> None:
        """As an owner or a failover does: it holds for whoever connects from then on, so that everybody is cut off."""
        postgres_execute(self.server.get_uri(), f"ALTER DATABASE {self.name} SET default_transaction_read_only = {on}")
        if on:
            gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'story_%'"
            postgres_execute(self.server.get_uri(), gone)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with postgres_server(tmp_path_factory.mktemp("runtime")) as server:
        yield server


@pytest.fixture
async def postgres(server: Any) -> Postgres:
    name = f"story_{uuid4().hex}"
    postgres_execute(server.get_uri(), f"CREATE DATABASE {name}")
    url = server.get_uri().replace("/postgres?", f"/{name}?")
    await bring_up_to_date(url)
    return Postgres(server, url)


async def test_a_database_that_restarts_in_a_burst_loses_nothing_and_claims_nothing_twice(
    platforms: Platforms, data: Path, postgres: Postgres
) -> None:
    async with serving(platforms, data, DATABASE_URL=postgres.url, **QUICK) as process:
        platforms.slack.fail(slow(0.05), path="chat.postMessage")
        async with _burst(process) as accepted:
            await until(lambda: len(events_shown(platforms)) > 30, "the burst")
            await postgres.restart()
            before = len(accepted)
            await until(lambda: len(accepted) > before + 50, "the burst to go on")
        await until(lambda: accepted <= events_shown(platforms).keys(), "everything")
        await process.until_metric("gatebell_queue_depth", lambda depth: depth == 0)
        shown = events_shown(platforms)
        assert {name: shown[name] for name in accepted} == dict.fromkeys(accepted, 1)


@contextlib.asynccontextmanager
async def _burst(process: Process) -> AsyncIterator[set[str]]:
    """Ten who tell of one thing after the other; what was taken. A refusal is heeded: the next comes a little later."""
    taken: set[str] = set()
    over = asyncio.Event()

    async def tell_on(who: int) -> None:
        for number in itertools.count():
            name = f"Event {who}-{number}"
            if await process.told(name, severity="low"):
                taken.add(name)
            else:
                await asyncio.sleep(0.2)
            if over.is_set():
                return

    async with asyncio.TaskGroup() as telling:
        for who in range(10):
            telling.create_task(tell_on(who))
        yield taken
        over.set()


async def test_while_the_database_is_down_nothing_is_accepted_and_work_goes_on_when_it_is_back(
    platforms: Platforms, data: Path, postgres: Postgres
) -> None:
    async with serving(platforms, data, DATABASE_URL=postgres.url, **QUICK) as process:
        await asyncio.to_thread(postgres.server.stop)
        try:
            refused = await process.tell("Refused")
            await process.until_ready(503)
        finally:
            await asyncio.to_thread(postgres.server.start)
        await process.until_ready(200)
        assert refused.status == 503
        assert await process.told("Taken again")
        await platforms.slack.dm(ANA).wait_for("Taken again")


async def test_on_a_read_only_database_nothing_is_accepted_and_it_recovers_without_a_restart(
    platforms: Platforms, data: Path, postgres: Postgres
) -> None:
    async with serving(platforms, data, DATABASE_URL=postgres.url, **QUICK) as process:
        postgres.set_read_only(on=True)
        await process.until_ready(503)
        refused = await process.tell("Refused")
        postgres.set_read_only(on=False)
        await process.until_ready(200)
        assert refused.status == 503
        assert await process.told("Taken again")


@pytest.fixture
async def guest(postgres: Postgres) -> AsyncIterator[str]:
    """The URL of a database for somebody whose connections can be limited, as an owner's and unlike a superuser's."""
    role, server = f"guest_{uuid4().hex}", postgres.server.get_uri()
    postgres_execute(server, f"CREATE ROLE {role} LOGIN")
    postgres_execute(postgres.url, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    postgres_execute(postgres.url, f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}")
    yield postgres.url.replace("postgres:@", f"{role}:@")
    postgres_execute(postgres.url, f"DROP OWNED BY {role}")
    postgres_execute(server, f"DROP ROLE {role}")


async def test_a_database_that_takes_no_connection_more_ends_nothing_and_work_goes_on_when_it_does(
    platforms: Platforms, data: Path, postgres: Postgres, guest: str
) -> None:
    role = guest.partition("//")[2].partition(":")[0]
    async with serving(platforms, data, DATABASE_URL=guest, **QUICK) as process:
        postgres_execute(postgres.url, f"ALTER ROLE {role} CONNECTION LIMIT 0")
        gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        postgres_execute(postgres.url, f"{gone} AND pid <> pg_backend_pid()")
        await process.until_ready(503)
        await process.until_metric('gatebell_up{what="database"}', lambda up: up == 0)
        looked = (await process.call("GET", "/api/v1/interactions")).status
        told = (await process.tell("Refused")).status
        postgres_execute(postgres.url, f"ALTER ROLE {role} CONNECTION LIMIT -1")
        await process.until_ready(200)
        assert (looked, told) == (503, 503)
        assert await process.told("Taken again")
        await platforms.slack.dm(ANA).wait_for("Taken again")


# ---- away for a moment ---------------------------------------------------------------------------------------------


async def test_a_socket_that_the_database_kept_from_opening_opens_when_it_is_back(
    platforms: Platforms, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    change(data / "gatebell.db", "ALTER TABLE channel_memory RENAME TO away")
    socket: dict[str, Any] = {"SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": platforms.slack.app_token}
    async with installed(platforms, data, install_teams=False, **socket) as world:
        await world.until(lambda: "the loop of slack: " in caplog.text)
        change(data / "gatebell.db", "ALTER TABLE away RENAME TO channel_memory")
        await platforms.slack.until(lambda: platforms.slack.sockets.connected, what="a connection")
        asked = await world.ask_blocked(to=[ANA])
        await world.shown_to_ana("Keep blocked")
        await world.slack.dm(ANA).click("Approve")
        assert (await world.end_of(asked["id"]))["status"] == "decided"


# ---- poison --------------------------------------------------------------------------------------------------------


async def test_a_row_that_cannot_be_read_is_set_aside_and_the_queue_behind_it_flows(world: World, data: Path) -> None:
    busy = world.slack.fail(status(429, retry_after=30), path="chat.postMessage")
    await world.tell("demo.event", "The first", severity="low")
    await world.tell("demo.event", "The second", severity="low")
    await at_rest(world)
    world.slack.heal(busy)
    change(data / "gatebell.db", "UPDATE post SET card = '[' WHERE ref = (SELECT MIN(ref) FROM post)")
    await world.forward(seconds=31)
    await world.shown_to_ana("The second")
    states = await world.product.store.read(lambda tx: tx.rows("SELECT state, reason FROM delivery ORDER BY ref"))
    assert (states[0]["state"], states[0]["reason"]) == ("failed", "invalid")


async def test_a_question_whose_only_card_cannot_be_read_says_that_nobody_was_reached(world: World, data: Path) -> None:
    busy = world.slack.fail(status(429, retry_after=30), path="chat.postMessage")
    asked = await world.ask("clarification", CLARIFY, to=[ANA])
    await at_rest(world)
    world.slack.heal(busy)
    change(data / "gatebell.db", "UPDATE post SET card = '['")
    await world.forward(seconds=31)
    assert (await world.end_of(asked["id"]))["status"] == "undeliverable"
