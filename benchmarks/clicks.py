"""From a click in Slack to the card that says how it was decided: the decision is committed in between."""

import asyncio
import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

from benchmarks.delivery import all_posted, lines_to
from benchmarks.load import Line, Request, Sent, paced, saturated
from benchmarks.measure import Measure, percentile
from benchmarks.processes import SECRET, helper, product, slack_settings

RATE = 20.0
CLIENTS = 4


async def measured(quick: bool) -> list[Measure]:
    many = 100 if quick else 1000
    with helper("sink") as sink:
        async with (
            sink.line() as ear,
            product(slack_settings(sink)) as ours,
            lines_to(ours) as asking,
            lines_to(ours, CLIENTS) as clicking,
        ):
            warm = await _decided(ear, asking, clicking, range(50))
            waits = await _decided(ear, asking, clicking, range(1000, 1000 + many))
    return [
        Measure("click to decided and said on the card, p99", "ms", percentile(waits, 0.99), most=50),
        Measure("clicks without a decision", "clicks", float(50 - len(warm) + many - len(waits)), most=0),
    ]


async def _decided(ear: Line, asking: list[Line], clicking: list[Line], numbers: range) -> list[float]:
    """The milliseconds from each click to its updated card."""
    await ear.json("/forget")
    asked = await saturated(asking, numbers, _question)
    await all_posted(ear, asked.answered)
    tokens = {int(number): token for number, token in (await ear.json("/told"))["tokens"].items()}
    clicked = await paced(clicking, numbers, RATE, lambda number: _click(number, tokens[number]))
    updated = await _all_updated(ear, clicked)
    return [(updated[number] - at) * 1000 for number, at in clicked.began.items() if number in updated]


async def _all_updated(ear: Line, clicked: Sent, patience: float = 10.0) -> dict[int, float]:
    until = time.monotonic() + patience
    while True:
        updated = {int(number): at for number, at in (await ear.json("/told"))["updated"].items()}
        if updated.keys() >= clicked.answered.keys() or time.monotonic() > until:
            return updated
        await asyncio.sleep(0.2)


def _question(number: int) -> Request:
    payload = {"agent": "Archivist", "tool": "drive.delete", "arguments": {"path": f"/reports/bench-{number}.pdf"}}
    return Request("/api/v1/interactions", json.dumps({"kind": "blocked_action", "payload": payload}).encode())


def _click(number: int, token: str) -> Request:
    """As Slack sends it, with its signature."""
    payload = {
        "type": "block_actions",
        "user": {"id": "U0ANA", "team_id": "T0BENCH"},
        "api_app_id": "A0BENCH",
        "team": {"id": "T0BENCH"},
        "trigger_id": f"{number}.1",
        "container": {"type": "message", "message_ts": f"{number}.000001", "channel_id": "D0ANA"},
        "channel": {"id": "D0ANA"},
        "message": {"ts": f"{number}.000001"},
        "actions": [
            {
                "type": "button",
                "action_id": "choice:approve",
                "block_id": f"t:{token}",
                "value": token,
                "action_ts": f"{number}.2",
            }
        ],
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    at = str(int(time.time()))
    signed = hmac.new(SECRET.encode(), b"v0:" + at.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={signed}",
    }
    return Request("/slack/events", body, headers)
