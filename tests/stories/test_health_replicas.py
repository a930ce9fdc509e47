"""Two replicas that find the same channel broken tell its owner once."""

from pathlib import Path

from bot.rehearsal.failure import error
from tests.stories.process import serving
from tests.stories.world import Platforms


async def test_a_broken_channel_is_reported_by_one_of_two_replicas(platforms: Platforms, data: Path) -> None:
    async with serving(platforms, data, "one") as one, serving(platforms, data, "two") as two:
        platforms.slack.fail(error("invalid_auth"), path="chat.postMessage")
        for replica, summary in ((one, "The disk is full"), (two, "The disk is still full")):
            await replica.tell(summary, severity="low")
            await one.until_rows("SELECT COUNT(*) AS left FROM delivery WHERE state <> 'done'", [{"left": 0}])
        refused = await one.rows("SELECT COUNT(*) AS refused FROM attempt WHERE reason = 'unauthorized'")
        assert refused == [{"refused": 2}]
        told = "SELECT COUNT(*) AS told FROM post WHERE card LIKE '%does not take our messages%'"
        assert await one.rows(told) == [{"told": 1}]
