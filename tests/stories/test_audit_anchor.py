"""The audit log of a server that lives and dies, against its anchor outside the database."""

import json
from pathlib import Path

from bot.audit.anchor import FILE
from tests.stories.process import Process, serving, typed
from tests.stories.world import ANA, Platforms


async def anchored(server: Process) -> int:
    """How many entries the server has noted."""
    file = Path(server.environ["GATEBELL_DATA_DIR"]) / FILE
    return int(json.loads(file.read_text())["entries"]) if file.exists() else 0


async def written(server: Process) -> int:
    return int((await server.rows("SELECT COUNT(*) AS n FROM audit"))[0]["n"])


async def verified(server: Process) -> int:
    """The command's exit code, over this server's database and data directory."""
    return (await typed(server.environ, "audit", "verify"))[0]


async def test_a_server_that_stops_has_noted_everything(platforms: Platforms, data: Path) -> None:
    async with serving(platforms, data) as server:
        asked = await server.ask_blocked(to=[ANA])
        await server.withdraw(asked["id"])
        await server.stop()
        assert await anchored(server) == await written(server)


async def test_a_server_that_is_killed_has_noted_no_more_than_it_has_written(platforms: Platforms, data: Path) -> None:
    async with serving(platforms, data) as server:
        asked = await server.ask_blocked(to=[ANA])
        await server.withdraw(asked["id"])
        await server.kill()
        assert 0 < await anchored(server) <= await written(server)
        assert await verified(server) == 0


async def test_each_replica_holds_the_log_by_an_anchor_of_its_own(
    platforms: Platforms, data: Path, postgres_story: str
) -> None:
    async with (
        serving(platforms, data, "one", DATABASE_URL=postgres_story) as one,
        serving(platforms, data, "two", DATABASE_URL=postgres_story) as two,
    ):
        for server in (one, two):
            asked = await server.ask_blocked(to=[ANA])
            await server.withdraw(asked["id"])
        await one.stop()
        asked = await two.ask_blocked(to=[ANA])
        await two.withdraw(asked["id"])
        await two.stop()
        assert await anchored(one) < await anchored(two)
        assert [await verified(each) for each in (one, two)] == [0, 0]
