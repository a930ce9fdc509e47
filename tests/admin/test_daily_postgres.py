"""The daily pages over PostgreSQL: the same SQL, and nothing that only SQLite lets pass."""

from pathlib import Path

from tests.admin.signed_in import signed_in
from tests.stories.conftest import migrated_postgres, postgres_story
from tests.stories.reach import at_rest
from tests.stories.world import ANA, Platforms, installed

__all__ = ["migrated_postgres", "postgres_story"]


async def test_every_page_and_filter_reads_postgresql_too(
    platforms: Platforms, data: Path, postgres_story: str
) -> None:
    async with installed(platforms, data, DATABASE_URL=postgres_story) as world:
        asked = await world.ask_blocked(callback_url=world.caller.url)
        told = await world.tell("demo.event")
        await at_rest(world)
        copy = (await world.see(asked["id"]))["deliveries"][0]["id"]
        request = f"/admin/requests/{asked['id']}"
        async with await signed_in(world, ANA) as browser:
            seen = [
                (await browser.get(address)).status
                for address in (
                    "/admin",
                    "/admin/requests?status=pending&kind=blocked_action&search=ana&before=zz",
                    request,
                    f"{request}/export",
                    "/admin/events?type=a&severity=low&result=accepted&before=zz",
                    f"/admin/events/{told['event_id']}",
                    "/admin/deliveries?state=waiting&channel=slack&before=zz",
                    f"/admin/deliveries/{copy}",
                    "/admin/audit?actor=ana&action=op&subject=ben@example.com&before=7",
                    "/admin/audit/export",
                )
            ]
            seen.append((await browser.get("/admin/requests/%00")).status)
            seen += [
                (await browser.post(address, {"choice": "approve"})).status
                for address in (f"/admin/deliveries/{copy}/resend", f"{request}/decide", "/admin/audit/verify")
            ]
    assert seen == [200] * 10 + [404] + [200] * 3
