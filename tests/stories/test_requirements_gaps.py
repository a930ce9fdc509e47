"""Behaviours that belong to no single part: at once, and to nobody else."""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.stories.world import ANA, Platforms, World, installed

LATENCY = 0.1  # seconds

_watching: list[Callable[[str], None]] = []


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if event in {"socket.connect", "socket.getaddrinfo", "socket.sendto"} and _watching:
        address = arguments[1] if event != "socket.getaddrinfo" else arguments
        host = address[0] if isinstance(address, tuple) else str(address)
        for watch in _watching:
            watch(host.decode() if isinstance(host, bytes) else str(host))


sys.addaudithook(_audit)


@contextmanager
def hosts_called() -> Iterator[set[str]]:
    """Every host that this process connects to or looks up meanwhile."""
    hosts: set[str] = set()
    _watching.append(hosts.add)
    yield hosts
    _watching.clear()


async def test_only_what_the_owner_has_set_up_is_called(platforms: Platforms, data: Path) -> None:
    with hosts_called() as hosts:
        async with installed(platforms, data) as world:
            await world.tell("connection.broken", context={"connection": "Jira"})
            await world.ask_blocked(callback_url=world.caller.url)
            await world.shown_to_all()
            await world.slack.dm(ANA).click("Approve")
            await world.caller.wait_for(1)
            await world.shown_to_ben("Approved by Ana")
            await world.shown_to_mia(letters=2)
    assert hosts == {"127.0.0.1"}


@pytest.mark.parametrize("severity", ["critical", "medium"])
async def test_an_alert_is_in_slack_within_a_tenth_of_a_second(platforms: Platforms, data: Path, severity: str) -> None:
    async with installed(platforms, data, PACING="off") as world:
        took = [await seconds_until_shown(world, severity, number) for number in range(12)]
    assert statistics.median(took) < LATENCY


async def seconds_until_shown(world: World, severity: str, number: int) -> float:
    began = time.perf_counter()
    await world.tell("backup.failed", f"Backup {number} has failed", severity=severity, context={"number": number})
    await world.shown_to_ana(f"Backup {number} has failed")
    return time.perf_counter() - began


async def test_a_webhook_in_the_chain_is_told_where_nobody_else_takes_it(platforms: Platforms, data: Path) -> None:
    async with installed(
        platforms, data, CHAIN="slack,webhook", SLACK_BOT_TOKEN="", WEBHOOK_URL=platforms.caller.url
    ) as world:
        await world.tell("connection.broken", context={"connection": "Jira"}, severity="high")
        told = (await world.caller.wait_for(1))[0].json
        assert (told["severity"], told["metadata"]["title"]) == ("high", "Jira cannot be reached")
