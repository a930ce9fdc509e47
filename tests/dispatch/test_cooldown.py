"""The cooldown, in memory and in Redis: the same rule."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from bot.dispatch.cooldown import Cooldown, MemoryCooldown, RedisCooldown, identity_of
from bot.dispatch.notice import Event
from bot.redis_link import RedisLink

AT = datetime(2026, 11, 21, tzinfo=UTC)
HOUR = 3600.0
T = TypeVar("T")


@pytest.fixture(params=["memory", "redis"])
def kind(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param, request.getfixturevalue("valkey_url") if request.param == "redis" else ""


@pytest.fixture
async def cooldown(kind: tuple[str, str]) -> AsyncIterator[Cooldown]:
    name, url = kind
    if name == "memory":
        yield MemoryCooldown()
        return
    from redis.asyncio import Redis

    redis = Redis.from_url(url)
    yield RedisCooldown(RedisLink(redis, lambda error: None))
    await redis.aclose()


async def test_the_first_may_tell_and_the_second_may_not(cooldown: Cooldown) -> None:
    assert await cooldown.reserve("a", "1", AT, HOUR)
    assert not await cooldown.reserve("a", "2", AT, HOUR)
    assert await cooldown.reserve("b", "3", AT, HOUR)


async def test_it_runs_out_by_the_clock_that_is_passed_in(cooldown: Cooldown) -> None:
    await cooldown.reserve("a", "1", AT, HOUR)
    assert not await cooldown.reserve("a", "2", AT + timedelta(minutes=59), HOUR)
    assert await cooldown.reserve("a", "3", AT + timedelta(minutes=60), HOUR)


async def test_what_is_given_back_can_be_told_again(cooldown: Cooldown) -> None:
    await cooldown.reserve("a", "1", AT, HOUR)
    await cooldown.give_back("a", "1")
    assert await cooldown.reserve("a", "2", AT, HOUR)


async def test_only_its_owner_gives_it_back(cooldown: Cooldown) -> None:
    await cooldown.reserve("a", "1", AT, HOUR)
    await cooldown.give_back("a", "another")
    assert not await cooldown.reserve("a", "2", AT, HOUR)


async def test_the_end_of_the_trouble_clears_it_whoever_holds_it(cooldown: Cooldown) -> None:
    await cooldown.reserve("a", "1", AT, HOUR)
    await cooldown.clear("a")
    assert await cooldown.reserve("a", "2", AT, HOUR)


async def test_it_is_short_until_the_notice_is_stored_and_then_holds(cooldown: Cooldown) -> None:
    await cooldown.reserve("a", "1", AT, 30)
    await cooldown.hold("a", "1", AT, HOUR)
    assert not await cooldown.reserve("a", "2", AT + timedelta(minutes=30), HOUR)


async def test_two_replicas_share_it(valkey_url: str) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(valkey_url) as first, Redis.from_url(valkey_url) as second:
        here, there = (RedisCooldown(RedisLink(each, lambda error: None)) for each in (first, second))
        assert await here.reserve("a", "1", AT, HOUR)
        assert not await there.reserve("a", "2", AT, HOUR)
        await here.give_back("a", "1")
        assert await there.reserve("a", "3", AT, HOUR)


async def test_what_was_given_back_is_not_held_again(cooldown: Cooldown) -> None:
    await cooldown.reserve("a", "1", AT, 30)
    await cooldown.give_back("a", "1")  # another replica has heard already that nobody takes it
    await cooldown.hold("a", "1", AT, HOUR)
    assert await cooldown.reserve("a", "2", AT, HOUR)


@pytest.fixture
async def replicas(valkey_url: str) -> AsyncIterator[tuple[Cooldown, Cooldown]]:
    from redis.asyncio import Redis

    async with Redis.from_url(valkey_url) as first, Redis.from_url(valkey_url) as second:
        here, there = (RedisCooldown(RedisLink(each, lambda error: None)) for each in (first, second))
        yield here, there


async def test_the_end_of_the_trouble_at_one_replica_makes_the_next_one_news_at_the_other(
    replicas: tuple[Cooldown, Cooldown],
) -> None:
    here, there = replicas
    await here.reserve("a", "1", AT, HOUR)
    await there.clear("a")
    assert await here.reserve("a", "2", AT, HOUR)
    assert not await here.reserve("a", "3", AT, HOUR)
    assert not await there.reserve("a", "4", AT, HOUR)


async def test_what_one_replica_gives_back_can_be_told_again_by_the_one_that_reserved_it(
    replicas: tuple[Cooldown, Cooldown],
) -> None:
    here, there = replicas
    await here.reserve("a", "1", AT, HOUR)
    await there.give_back("a", "1")
    assert await here.reserve("a", "2", AT, HOUR)


async def test_what_was_told_while_redis_was_away_is_held_back_here_after_its_return(valkey_url: str) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(valkey_url) as redis:
        link = _Leaving(redis)
        cooldown = RedisCooldown(link)
        link.away = True
        assert await cooldown.reserve("a", "1", AT, 30)
        await cooldown.hold("a", "1", AT, HOUR)
        link.away = False
        assert not await cooldown.reserve("a", "2", AT + timedelta(minutes=59), HOUR)
        assert await cooldown.reserve("a", "3", AT + timedelta(minutes=60), HOUR)


@pytest.mark.parametrize("end", ["clear", "give_back"])
async def test_what_was_told_while_redis_was_away_ends_like_everything_else(valkey_url: str, end: str) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(valkey_url) as redis:
        link = _Leaving(redis)
        cooldown = RedisCooldown(link)
        link.away = True
        assert await cooldown.reserve("a", "1", AT, HOUR)
        link.away = False
        await (cooldown.clear("a") if end == "clear" else cooldown.give_back("a", "1"))
        assert await cooldown.reserve("a", "2", AT, HOUR)


async def test_of_many_at_once_at_two_replicas_one_may_tell(replicas: tuple[Cooldown, Cooldown]) -> None:
    numbers = range(50)
    asked = [replicas[number % 2].reserve("a", str(number), AT, HOUR) for number in numbers]
    assert sum(await asyncio.gather(*asked)) == 1
    await replicas[0].clear("a")
    again = [replicas[number % 2].reserve("a", f"again {number}", AT, HOUR) for number in numbers]
    assert sum(await asyncio.gather(*again)) == 1


class _Leaving(RedisLink):
    """A Redis that goes away and comes back as it is told."""

    def __init__(self, redis: Any) -> None:
        super().__init__(redis, lambda error: None)
        self.away = False

    async def ask(self, call: Callable[[], Awaitable[T]], otherwise: T) -> T:
        return otherwise if self.away else await super().ask(call, otherwise)


async def test_without_redis_it_is_kept_in_memory_and_said_once_it_is_back() -> None:
    heard: list[Any] = []
    gone = _Gone()
    cooldown = RedisCooldown(RedisLink(gone, heard.append))
    assert await cooldown.reserve("a", "1", AT, HOUR)
    assert not await cooldown.reserve("a", "2", AT, HOUR)
    assert isinstance(heard[0], OSError)


class _Gone:
    """A Redis that cannot be reached, as redis-py would tell it."""

    def register_script(self, source: str) -> Any:
        async def call(**_: Any) -> Any:
            raise OSError("connection refused")

        return call


@pytest.mark.parametrize(
    "other, same",
    [
        (Event("t", "x", source="gw", context={"a": 1}), True),
        (Event("t", "another summary", source="gw", context={"a": 1}), True),
        (Event("t", "x", source="gw", context={"a": 2}), False),
        (Event("u", "x", source="gw", context={"a": 1}), False),
        (Event("t", "x", source="other", context={"a": 1}), False),
        (Event("t", "x", source="gw", context={"a": 1}, producer="another key"), False),
        (Event("t", "x", source="gw", context={"a": 1}, dedup_key="k"), False),
    ],
)
def test_what_counts_as_the_same(other: Event, same: bool) -> None:
    first = Event("t", "x", source="gw", context={"a": 1})
    assert (identity_of(first) == identity_of(other)) is same


def test_without_context_and_key_the_summary_tells_events_apart() -> None:
    assert identity_of(Event("t", "disk full")) != identity_of(Event("t", "disk gone"))
    assert identity_of(Event("t", "one", dedup_key="k")) == identity_of(Event("t", "two", dedup_key="k"))
