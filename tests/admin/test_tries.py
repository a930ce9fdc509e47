"""How often a link may be asked for: the same rule in memory and in Redis, and one count for all replicas."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.admin.access import ASKS_FOR_ONE
from bot.redis_link import RedisLink
from bot.tries import WINDOW, MemoryTries, RedisTries, Tries
from tests.admin.signed_in import Visiting
from tests.stories.world import Platforms, installed

AT = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey_url) as redis:
        yield redis


def over_redis(redis: Redis) -> RedisTries:
    return RedisTries(RedisLink(redis, lambda error: None))


@pytest.fixture(params=["memory", "redis"])
def tries(request: pytest.FixtureRequest) -> Tries:
    return MemoryTries() if request.param == "memory" else over_redis(request.getfixturevalue("redis"))


async def times(tries: Tries, name: str, at: datetime = AT) -> int:
    return (await tries.count(name, at)).times


async def test_each_name_is_counted_for_itself(tries: Tries) -> None:
    seen = [await times(tries, name) for name in ("for ana", "for ana", "for ben", "for ana")]
    assert seen == [1, 2, 1, 3]


async def test_it_counts_from_nothing_when_the_window_is_over(tries: Tries) -> None:
    await tries.count("for ana", AT)
    soon = await tries.count("for ana", AT + timedelta(seconds=WINDOW - 60))
    later = await tries.count("for ana", AT + timedelta(seconds=WINDOW))
    assert (soon.times, soon.wait(AT + timedelta(seconds=WINDOW - 60)), later.times) == (2, 60.0, 1)


async def test_a_clock_that_was_put_back_does_not_keep_anybody_out(tries: Tries) -> None:
    await tries.count("for ana", AT)
    assert await times(tries, "for ana", AT - timedelta(hours=1)) == 1


async def test_two_replicas_count_together(redis: Redis) -> None:
    one, two = over_redis(redis), over_redis(redis)
    assert [await times(each, "for ana") for each in (one, two, one, two)] == [1, 2, 3, 4]


async def test_while_redis_is_away_each_counts_by_itself() -> None:
    async with Redis(port=1, socket_connect_timeout=0.2) as away:
        tries = over_redis(away)
        assert [await times(tries, "for ana") for _ in range(3)] == [1, 2, 3]


async def test_redis_learns_nobodys_address(redis: Redis) -> None:
    await over_redis(redis).count("for ana@example.com", AT)
    assert [b"ana" in key for key in await redis.keys("*")] == [False]


async def test_the_limit_is_one_for_all_replicas(platforms: Platforms, tmp_path: Path, valkey_url: str) -> None:
    async with (
        installed(platforms, tmp_path / "one", REDIS_URL=valkey_url) as one,
        installed(platforms, tmp_path / "two", install_teams=False, REDIS_URL=valkey_url) as two,
        Visiting(one) as here,
        Visiting(two) as there,
    ):
        seen = []
        for number in range(ASKS_FOR_ONE + 1):
            browser = (here, there)[number % 2]
            form = {"seal": (await browser.get("/login")).seal, "email": "nobody@example.com"}
            seen.append((await browser.post_raw("/login", form)).status)
        await one.settled()
        await two.settled()
    assert seen == [303] * ASKS_FOR_ONE + [429]
