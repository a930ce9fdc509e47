"""Sessions: who is let in, for how long, and how they end."""

from tests.admin.signed_in import signed_in
from tests.stories.world import BEN, World


async def test_a_session_leads_in(world: World) -> None:
    async with await signed_in(world, BEN) as browser:
        seen = await browser.get("/admin/me")
    assert (seen.status, "ben@example.com" in seen.words) == (200, True)
