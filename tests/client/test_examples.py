"""The examples do what they say, against the whole product."""

import asyncio
import json
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from bot.channels.http import signed
from tests.api.conftest import Api
from tests.cli.test_processes import free_port
from tests.client.test_clients import newest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="


async def start(api: Api | None, *command: str, **environ: str) -> asyncio.subprocess.Process:
    known = {"GATEBELL_URL": api.address, "GATEBELL_API_KEY": api.keys["agent"]} if api else {}
    return await asyncio.create_subprocess_exec(
        *command, env={"PATH": os.environ["PATH"], **known, **environ}, stdout=asyncio.subprocess.PIPE
    )


async def said(process: asyncio.subprocess.Process) -> str:
    out, _ = await process.communicate()
    return out.decode()


async def test_the_smallest_producer_is_under_ten_lines_and_reports(api: Api) -> None:
    script = EXAMPLES / "smallest.py"
    assert len(script.read_text().splitlines()) < 10
    assert await said(await start(api, sys.executable, str(script))) == "accepted \n"


async def test_the_agent_asks_which_one_and_acts_after_a_yes(api: Api) -> None:
    running = await start(api, sys.executable, str(EXAMPLES / "agent_loop.py"), "ana@example.com")
    await api.decide(await newest(api), "2")
    await api.decide(await newest(api), "execute")
    assert await said(running) == "deleting 2 files in /reports/2025\n"


async def test_the_agent_leaves_alone_what_a_person_denies(api: Api) -> None:
    running = await start(api, sys.executable, str(EXAMPLES / "agent_loop.py"), "ana@example.com")
    await api.decide(await newest(api), "1")
    await api.decide(await newest(api), "cancel")
    assert (await said(running)).startswith("left alone: Ana said no")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    "choice, end, code", [("execute", "approved: deploying", 0), ("cancel", "not approved: decided", 1)]
)
async def test_curl_is_enough(api: Api, choice: str, end: str, code: int) -> None:
    running = await start(api, str(EXAMPLES / "curl.sh"), "ana@example.com")
    await api.decide(await newest(api), choice)
    assert ((await said(running)).splitlines()[-1], running.returncode) == (end, code)


@pytest.mark.parametrize(
    "script, choice, end", [("slack.py", "approve", "going on"), ("teams.py", "eu", "deploying to eu")]
)
async def test_the_channels_examples_come_to_an_end(api: Api, script: str, choice: str, end: str) -> None:
    running = await start(api, sys.executable, str(EXAMPLES / script))
    await api.decide(await newest(api), choice)
    assert end in await said(running)


async def test_the_mail_example_asks_the_installations_recipient(api: Api) -> None:
    running = await start(api, sys.executable, str(EXAMPLES / "mail.py"))
    await api.decide(await newest(api), "execute")
    assert await said(running) == "written\n"


async def test_the_receiver_believes_only_what_is_signed_and_only_once() -> None:
    port = free_port()
    running = await start(None, sys.executable, str(EXAMPLES / "webhook_receiver.py"), str(port), WEBHOOK_SECRET=SECRET)
    body = json.dumps({"id": "i1", "status": "decided"}).encode()
    right = signed(body, "msg_1", [SECRET], datetime.now(UTC))
    answers = [await post(port, body, headers) for headers in (right, right, {}, right | {"webhook-id": "msg_2"})]
    running.terminate()
    assert (answers, (await said(running)).splitlines()) == ([204, 204, 401, 401], ["decided i1 "])


async def test_the_receiver_says_what_a_notice_is_about() -> None:
    port = free_port()
    running = await start(None, sys.executable, str(EXAMPLES / "webhook_receiver.py"), str(port), WEBHOOK_SECRET=SECRET)
    body = json.dumps({"alert_id": "e1", "severity": "high", "message": "The backup did not finish"}).encode()
    await post(port, body, signed(body, "msg_1", [SECRET], datetime.now(UTC)))
    running.terminate()
    assert await said(running) == "high: The backup did not finish\n"


@pytest.mark.parametrize(
    "command, usage",
    [
        ((sys.executable, "agent_loop.py"), "Usage: agent_loop.py ana@example.com\n"),
        (("bash", "curl.sh"), "Usage: GATEBELL_API_KEY=gb_… curl.sh ana@example.com\n"),
        ((sys.executable, "webhook_receiver.py"), "Usage: WEBHOOK_SECRET=whsec_… webhook_receiver.py 9000\n"),
    ],
)
async def test_an_example_without_what_it_needs_says_how_it_is_called(command: tuple[str, str], usage: str) -> None:
    program, script = command
    running = await asyncio.create_subprocess_exec(program, str(EXAMPLES / script), stderr=asyncio.subprocess.PIPE)
    _, err = await running.communicate()
    assert (running.returncode, err.decode()) == (1, usage)


async def post(port: int, body: bytes, headers: dict[str, str]) -> int:
    """The status, once it listens."""
    async with aiohttp.ClientSession() as http:
        for _ in range(200):
            try:
                async with http.post(f"http://127.0.0.1:{port}/", data=body, headers=headers) as response:
                    return response.status
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
    raise TimeoutError("it does not listen")
