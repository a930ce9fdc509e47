"""Nothing leaves for a host that the owner did not set up."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stories.world import ANA, Platforms, installed

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
