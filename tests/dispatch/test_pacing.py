"""When a place may get its next message."""

from collections.abc import AsyncIterator

import pytest

from bot.channels.contract import Rate
from bot.dispatch.pacing import MemoryPacing, NoPacing, Pacing, RedisPacing
from bot.redis_link import RedisLink

ONE_A_SECOND = (Rate(1, 1.0),)


@pytest.fixture(params=["memory", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("valkey_url") if request.param == "redis" else ""


@pytest.fixture
async def pacing(kind: str) -> AsyncIterator[Pacing]:
    if not kind:
        yield MemoryPacing()
        return
    from redis.asyncio import Redis

    async with Redis.from_url(kind) as redis:
        yield RedisPacing(RedisLink(redis, lambda error: None))


async def book(pacing: Pacing, *, place: str = "slack:ana", now: float = 100.0, urgent: bool = False) -> float:
    return await pacing.book(place, ONE_A_SECOND, now, urgent)


async def test_the_first_goes_at_once_and_the_others_in_a_row(pacing: Pacing) -> None:
    assert [await book(pacing) for _ in range(4)] == [100.0, 101.0, 102.0, 103.0]


@pytest.mark.parametrize("now", [1795249499.627508, 1795249499.627458, 1795249499.999999, 1795249499.1])
async def test_a_place_that_is_free_is_so_to_the_microsecond(pacing: Pacing, now: float) -> None:
    assert await book(pacing, now=now) == now
    assert await book(pacing, now=now, urgent=True) == now
    assert await book(pacing, now=now) == pytest.approx(now + 1)


async def test_places_do_not_wait_for_each_other(pacing: Pacing) -> None:
    await book(pacing)
    assert await book(pacing, place="slack:ben") == 100.0


async def test_every_documented_window_is_kept(pacing: Pacing) -> None:
    rates = (Rate(7, 1.0), Rate(8, 2.0))
    moments = [await pacing.book("teams:ana", rates, 100.0, False) for _ in range(30)]
    for rate in rates:
        for start in moments:
            assert sum(start <= moment < start + rate.seconds for moment in moments) <= rate.count


async def test_a_long_window_is_kept_while_many_other_places_are_booked() -> None:
    pacing, one_an_hour = MemoryPacing(), (Rate(1, 3600.0),)
    await pacing.book("teams:ana", one_an_hour, 100.0, False)
    for number in range(10_001):
        await pacing.book(f"teams:{number}", one_an_hour, 161.0, False)
    assert await pacing.book("teams:ana", one_an_hour, 300.0, False) == 3700.0


async def test_a_place_that_was_quiet_is_free_again(pacing: Pacing) -> None:
    await book(pacing)
    assert await book(pacing, now=200.0) == 200.0


async def test_an_urgent_one_does_not_queue_behind_the_others(pacing: Pacing) -> None:
    for _ in range(10):
        await book(pacing)
    assert await book(pacing, urgent=True) == 100.0


async def test_a_pause_that_the_platform_asked_for_holds_for_urgent_ones_too(pacing: Pacing) -> None:
    await pacing.block("slack:ana", 130.0)
    assert await book(pacing, urgent=True) == 130.0
    assert await book(pacing, place="slack:ben") == 100.0


async def test_without_pacing_only_a_pause_is_kept() -> None:
    pacing = NoPacing()
    assert [await book(pacing), await book(pacing)] == [100.0, 100.0]
    await pacing.block("slack:ana", 130.0)
    assert await book(pacing) == 130.0


async def test_two_replicas_share_the_limit(valkey_url: str) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(valkey_url) as first, Redis.from_url(valkey_url) as second:
        here, there = (RedisPacing(RedisLink(each, lambda error: None)) for each in (first, second))
        assert [await book(here), await book(there), await book(here)] == [100.0, 101.0, 102.0]


async def test_two_replicas_keep_the_silence_that_one_of_them_was_asked_for(valkey_url: str) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(valkey_url) as first, Redis.from_url(valkey_url) as second:
        here, there = (RedisPacing(RedisLink(each, lambda error: None)) for each in (first, second))
        await here.block("slack:ana", 130.0)
        assert [await there.blocked_until("slack:ana"), await book(there)] == [130.0, 130.0]
        assert await there.blocked_until("slack:ben") == 0.0


async def test_a_shorter_silence_ends_no_longer_one_at_another_replica(valkey_url: str) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(valkey_url) as first, Redis.from_url(valkey_url) as second:
        here, there = (RedisPacing(RedisLink(each, lambda error: None)) for each in (first, second))
        for until in (130.0, 105.0, 129.5):
            await here.block("slack:ana", until)
        assert [await there.blocked_until("slack:ana"), await book(there)] == [130.0, 130.0]


async def test_what_is_not_needed_any_more_is_free_again(pacing: Pacing) -> None:
    for _ in range(30):
        await book(pacing)
    await pacing.forget("slack:ana", 101.0)
    assert await book(pacing, now=101.0) == 102.0


async def test_forgetting_frees_no_other_place(pacing: Pacing) -> None:
    for _ in range(3):
        await book(pacing, place="slack:ben")
    await pacing.forget("slack:ana", 100.0)
    assert await book(pacing, place="slack:ben") == 103.0


async def test_without_limits_of_our_own_a_shorter_silence_ends_no_longer_one() -> None:
    pacing = NoPacing()
    for until in (130.0, 105.0):
        await pacing.block("slack:ana", until)
    assert await book(pacing) == 130.0
