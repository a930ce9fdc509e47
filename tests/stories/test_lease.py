"""A lease holds for as long as its holder works, however long that takes: nobody else shows the same meanwhile."""

from pathlib import Path

from bot.dispatch.outbox import LEASE_SECONDS
from bot.rehearsal.failure import hang, slow
from tests.stories.process import serving
from tests.stories.world import ANA, Platforms

SLACK_GIVES_UP_AFTER = 10.0
AND_THEN_THE_MAIL_TAKES = LEASE_SECONDS - SLACK_GIVES_UP_AFTER + 3


async def test_what_takes_longer_than_a_lease_is_shown_by_one_of_two_replicas_once(
    platforms: Platforms, data: Path, postgres_story: str, valkey_url: str
) -> None:
    shared = {"DATABASE_URL": postgres_story, "REDIS_URL": valkey_url, "CHAIN": "slack,email"}
    async with serving(platforms, data, "one", **shared) as one, serving(platforms, data, "two", **shared):
        platforms.slack.fail(hang(), path="chat.postMessage")
        platforms.mail.fail(slow(AND_THEN_THE_MAIL_TAKES), path="DATA")
        await one.tell("The disk is full", severity="low")
        await one.until_rows("SELECT state FROM delivery", [{"state": "done"}])
        tried = await one.rows("SELECT channel FROM attempt ORDER BY at")
    assert [each["channel"] for each in tried] == ["slack", "email"]
    assert len(platforms.mail.of(ANA)) == 1
