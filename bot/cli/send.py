"""gatebell send: tell somebody something, now, whatever the cooldown says.

It goes through the database: whether a server runs on it or not, this process sends what it has written, and whichever
of the two takes it first sends it once.
"""

import asyncio
import time
from typing import Annotated

from pydantic import JsonValue
from typer import Argument, Exit, Option, echo

from bot.cli.opened import BY, failing_in_words, known_channel, refuse, settings_or_exit
from bot.cli.reading import FAILED
from bot.dispatch.notice import Audience, DeliveryView
from bot.logs import start_logging
from bot.settings import Settings
from interactions.card import Card

TITLE = 150
LOOK = 0.1


def send(
    text: Annotated[str, Argument(metavar="TEXT", help="Markdown; its first line is the title.", show_default=False)],
    to: Annotated[list[str] | None, Option(metavar="EMAIL", help="An operator; the default is the recipient.")] = None,
    channel: Annotated[
        str, Option(help="This channel alone, such as slack; the default is the chain.", callback=known_channel)
    ] = "",
    wait: Annotated[float, Option(min=0, max=600, help="Seconds to wait for its arrival.")] = 30.0,
) -> None:
    """Send a notice, and say whether it has arrived."""
    if not text.strip():
        refuse('Say something: gatebell send "Hello"')
    settings = settings_or_exit()
    with failing_in_words():
        copies = asyncio.run(_send(settings, _card(text), Audience(tuple(to or ()), channel=channel), wait))
    for copy in copies:
        echo(_words(copy))
    if any(copy.state != "sent" for copy in copies):
        raise Exit(FAILED)


async def _send(settings: Settings, card: Card, audience: Audience, wait: float) -> tuple[DeliveryView, ...]:
    from bot.app import made  # a second of imports that --help should not wait for
    from bot.dispatch.asking import deliveries_of

    async with made(settings, start_logging("warning", settings.log_format, settings.secrets)) as product:
        ref = await product.dispatcher.show(card, audience)
        said: dict[str, JsonValue] = {"to": list(audience.operators), "channel": audience.channel}
        await product.ledger.write(product.clock.now(), BY, "notice.sent", ref, "", said)
        working = asyncio.create_task(product.dispatcher.run())
        until = time.monotonic() + wait
        try:
            while True:
                copies = await product.store.read(lambda tx: deliveries_of(tx, ref))
                if time.monotonic() > until or all(copy.state != "waiting" for copy in copies):
                    return copies
                await asyncio.sleep(LOOK)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


def _card(text: str) -> Card:
    title, _, rest = text.strip().partition("\n")
    return Card(title=title, text=rest.strip()) if len(title) <= TITLE else Card(title=f"{title[:TITLE]}…", text=text)


def _words(copy: DeliveryView) -> str:
    match copy.state:
        case "sent":
            return f"sent on {copy.channel}"
        case "waiting":
            return f"still waiting for {copy.channel} ({copy.detail or 'no answer yet'}); a running server goes on"
        case state:
            return f"{state}: {copy.detail}"
