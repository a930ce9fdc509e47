from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.rehearsal import failure
from bot.rehearsal.caller import AgentEndpoint, Caller


async def post(url: str, body: Any = None) -> tuple[int, str, str]:
    headers = {"webhook-id": "w1"}
    async with (
        ClientSession(timeout=ClientTimeout(total=0.5)) as session,
        session.post(url, json=body, headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status, answer.content_type, await answer.text()


async def test_a_caller_keeps_headers_and_bytes() -> None:
    async with Caller() as caller:
        await post(caller.url, {"choice": "approve"})
        assert (caller.last.headers["webhook-id"], caller.last.raw) == ("w1", b'{"choice": "approve"}')


async def test_a_caller_can_send_elsewhere() -> None:
    async with Caller() as caller:
        caller.fail(failure.redirect("http://169.254.169.254/"))
        assert (await post(caller.url))[0] == 302


async def test_a_caller_can_cut_the_connection() -> None:
    async with Caller() as caller:
        caller.fail(failure.reset())
        with pytest.raises(ClientError):
            await post(caller.url)


async def test_a_caller_can_be_slow() -> None:
    async with Caller() as caller:
        caller.fail(failure.slow(2))
        with pytest.raises(TimeoutError):
            await post(caller.url)


async def test_a_caller_can_talk_garbage() -> None:
    async with Caller() as caller:
        caller.fail(failure.garbage())
        assert (await post(caller.url))[2] == '{"ok": tru'


async def test_waiting_in_vain_says_for_what() -> None:
    async with Caller() as caller:
        with pytest.raises(TimeoutError, match=r"caller: waited 0\.05 s for 1 calls"):
            await caller.wait_for(1, within=0.05)


async def test_an_agent_answers_in_markdown() -> None:
    async with AgentEndpoint("All is **well**.") as agent:
        assert await post(agent.url, {"text": "help"}) == (200, "text/markdown", "All is **well**.")


async def test_an_agent_can_answer_what_it_was_asked() -> None:
    async with AgentEndpoint(lambda asked: {"text": asked["text"].upper()}) as agent:
        assert await post(agent.url, {"text": "help"}) == (200, "application/json", '{"text": "HELP"}')


async def test_a_platform_that_was_down_comes_back_at_its_address() -> None:
    async with Caller() as caller:
        url = caller.url
        await caller.stop()
        with pytest.raises(ClientError):
            await post(url)
        await caller.start()
        assert (await post(url))[0] == 204
