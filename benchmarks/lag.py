"""How long the event loop lets everybody wait while Microsoft's login and key endpoints hang.

A health check asks nothing of anybody, so that its answer is late where the loop is. Meanwhile cards wait for a token,
calls that claim to come from Teams wait for keys, and the libraries of both are loaded.
"""

import asyncio
import base64
import json

from benchmarks.delivery import lines_to
from benchmarks.load import Line, Request, paced, saturated
from benchmarks.measure import Measure, percentile
from benchmarks.processes import Running, helper, product

RATE = 100.0
CALLERS = 8
GUID = "11111111-2222-4333-8444-555555555555"


async def measured(quick: bool) -> list[Measure]:
    seconds = 8 if quick else 30
    with helper("hanging") as microsoft:
        async with product(_settings(microsoft)) as ours, lines_to(ours) as lines, lines_to(ours, CALLERS) as callers:
            work = asyncio.create_task(_waiting(callers, seconds))
            asked = await paced(lines, range(int(seconds * RATE)), RATE, lambda number: Request("/healthz", b""))
            work.cancel()
    waits = [(asked.answered[number] - at) * 1000 for number, at in asked.began.items()]
    return [
        Measure("health check while Microsoft's login and keys hang, p99", "ms", percentile(waits, 0.99), most=50),
        Measure("the longest of them", "ms", max(waits)),
    ]


async def _waiting(callers: list[Line], seconds: int) -> None:
    """Ten cards a second that need a token, and calls that need a key, each after the answer to the one before."""
    half = len(callers) // 2
    cards = paced(callers[half:], range(seconds * 10), 10.0, _card)
    await asyncio.gather(saturated(callers[:half], range(1_000_000), _call), cards)


def _settings(microsoft: Running) -> dict[str, str]:
    return {
        "TEAMS_APP_ID": GUID,
        "TEAMS_CLIENT_SECRET": "bench",
        "TEAMS_TENANT_ID": GUID,
        "TEAMS_CONVERSATION_ID": "19:room@thread.v2",
        "TEAMS_SERVICE_URL": f"{microsoft.address}/",
        "TEAMS_SERVICE_URL_HOSTS": f"127.0.0.1:{microsoft.port}",
        "TEAMS_LOGIN_URL": microsoft.address,
        "TEAMS_OPENID_METADATA_URL": f"{microsoft.address}/keys",
        "CHAIN": "teams",
        "PACING": "off",
    }


def _card(number: int) -> Request:
    body = {
        "kind": "blocked_action",
        "payload": {"agent": "Archivist", "tool": "drive.delete", "arguments": {"path": f"/reports/{number}.pdf"}},
        "audience": {"room": ""},
    }
    return Request("/api/v1/interactions", json.dumps(body).encode())


def _call(number: int) -> Request:
    """A call with a token that no key is known for, so that the keys have to be fetched."""
    head, claims = {"alg": "RS256", "typ": "JWT", "kid": f"key-{number}"}, {"iss": "https://api.botframework.com"}
    token = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims)) + f".{_encoded(b'x' * 256)}"
    return Request(
        "/api/messages",
        json.dumps({"type": "message", "id": str(number)}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
