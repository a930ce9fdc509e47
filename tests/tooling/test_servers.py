"""The servers that other tests stand on are the real ones, and empty for each test."""

import pytest
from playwright.async_api import Page
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine


@pytest.mark.parametrize("round_", [1, 2])
async def test_every_test_has_a_database_of_its_own(postgres_database: str, round_: int) -> None:
    engine = create_async_engine(make_url(postgres_database).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE bells (name text)"))
        tables = await connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
    await engine.dispose()
    assert tables == 1


@pytest.mark.parametrize("round_", [1, 2])
async def test_valkey_is_empty_at_the_start_of_a_test(valkey_url: str, round_: int) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(valkey_url) as client:
        assert await client.set("bell", round_, nx=True)


async def test_a_page_runs_script(page: Page) -> None:
    await page.set_content("<button onclick=\"this.textContent = 'rung'\">ring</button>")
    await page.click("button")
    assert await page.text_content("button") == "rung"
