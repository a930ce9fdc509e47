"""What the server holds in memory when nothing happens, with each kind of set-up."""

import asyncio
from collections.abc import Mapping

from benchmarks.measure import Measure
from benchmarks.processes import helper, product, slack_settings

GUID = "11111111-2222-4333-8444-555555555555"
MAIL = {"SMTP_HOST": "127.0.0.1", "SMTP_FROM": "gatebell@example.com", "SMTP_SECURITY": "none", "CHAIN": "email"}
TEAMS = {
    "TEAMS_APP_ID": GUID,
    "TEAMS_CLIENT_SECRET": "bench",
    "TEAMS_TENANT_ID": GUID,
    "CHAIN": "slack,teams",
}


async def measured(quick: bool) -> list[Measure]:
    seconds = 5 if quick else 15
    with helper("sink") as sink:
        slack = slack_settings(sink)
        teams = {**slack, **TEAMS, "TEAMS_LOGIN_URL": sink.address, "TEAMS_OPENID_METADATA_URL": f"{sink.address}/keys"}
        return [
            Measure("memory at rest, no channel", "MiB", await _at_rest({}, seconds), most=60),
            Measure("memory at rest, e-mail", "MiB", await _at_rest(MAIL, seconds), most=60),
            Measure("memory at rest, Slack", "MiB", await _at_rest(slack, seconds), most=60),
            Measure("memory at rest, Slack and Teams", "MiB", await _at_rest(teams, seconds), most=100),
        ]


async def _at_rest(settings: Mapping[str, str], seconds: float) -> float:
    async with product(settings) as running:
        await asyncio.sleep(seconds)
        return running.resident
