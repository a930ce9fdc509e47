"""The same thing at two replicas at the same instant: whatever is once, is once for both."""

import asyncio
import json
import re
import time
from urllib.parse import urlencode

from aiohttp import ClientSession, CookieJar

from bot.admin.access import LINK_LIVES, Access, Purpose
from bot.audit.ledger import Ledger
from bot.clock import RealClock
from bot.signing import derive
from bot.store import open_store
from tests.stories.process import SECRET, Process
from tests.stories.world import ANA, Platforms

ROUNDS = 10
BROWSER = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


async def test_the_same_idempotency_key_is_one_request(replicas: tuple[Process, Process]) -> None:
    for number in range(ROUNDS):
        again = [each.ask_blocked([ANA], idempotency_key=f"run-{number}") for each in replicas * 3]
        answers = await asyncio.gather(*again)
        assert {each.status for each in answers} <= {200, 201}, [each.body for each in answers]
        assert ([each.status for each in answers].count(201), len({each["id"] for each in answers})) == (1, 1)


async def test_an_approval_is_used_at_one_of_them(platforms: Platforms, replicas: tuple[Process, Process]) -> None:
    for _ in range(ROUNDS // 2):
        asked = await replicas[0].ask_blocked([ANA])
        await platforms.slack.dm(ANA).wait_for("Keep blocked")
        await platforms.slack.dm(ANA).click("Approve")
        assert (await replicas[1].end_of(asked["id"]))["decision"]["approved"]
        use = f"/api/v1/interactions/{asked['id']}/consume"
        answers = [each.call("POST", use, {"digest": asked["digest"]}) for each in replicas * 3]
        assert sorted([each.status for each in await asyncio.gather(*answers)]) == [200, *[409] * 5]


async def test_a_request_of_slack_that_comes_to_both_has_one_effect(
    platforms: Platforms, replicas: tuple[Process, Process]
) -> None:
    asked = await replicas[0].ask_blocked([ANA])
    await platforms.slack.dm(ANA).wait_for("Keep blocked")
    body = urlencode({"payload": json.dumps(platforms.slack.dm(ANA).payload("Approve"))}).encode()
    at = str(int(time.time()))
    headers = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": platforms.slack.sign(body, at)}
    answers = await asyncio.gather(*(handed(each, body, headers) for each in replicas * 3))
    assert (set(answers), (await replicas[1].end_of(asked["id"]))["status"]) == ({200}, "decided")
    effects = "SELECT action FROM audit WHERE action = 'interaction.decided' OR actor LIKE '%ana%'"
    assert [each["action"] for each in await replicas[0].rows(effects)] == ["interaction.decided"]


async def handed(process: Process, body: bytes, headers: dict[str, str]) -> int:
    form = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    async with process.http.post(f"{process.address}/slack/events", data=body, headers=form) as response:
        return response.status


async def test_a_link_signs_in_at_one_of_them(replicas: tuple[Process, Process]) -> None:
    for _ in range(ROUNDS // 2):
        secret = await link_for(replicas[0], ANA)
        answers = await asyncio.gather(*(signed_in(each, secret) for each in replicas * 2))
        assert sorted(answers) == [303, 403, 403, 403]


async def link_for(process: Process, email: str) -> str:
    store, now = open_store(process.environ["DATABASE_URL"]), RealClock().now
    await store.start()
    try:
        rows = await store.read(lambda tx: tx.rows("SELECT id FROM operator WHERE email = :email", {"email": email}))
        access = Access(store, Ledger(store, derive(SECRET, "audit")), now)
        return await access.link(str(rows[0]["id"]), Purpose.SIGN_IN, LINK_LIVES)
    finally:
        await store.stop()


async def signed_in(process: Process, secret: str) -> int:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True), headers=BROWSER) as browser:
        async with browser.get(f"{process.address}/login/{secret}") as page:
            seal = re.search(r'name="seal" value="([^"]+)"', await page.text())
        form = {"seal": seal[1] if seal else ""}
        async with browser.post(f"{process.address}/login/{secret}", data=form, allow_redirects=False) as answer:
            return answer.status
