"""The least that keeps the promise: a bare aiohttp server that stores an event and its card, shows it, and notes that.

It writes the same rows in the same two commits through the same store as the product, and makes one call. It knows no
keys, no rules, no people, no cooldown and no limits; its card is always the same, and a refusal would be an error.
What the product does beside, it has to do in the difference. With `sdk` as its last argument the four blocks of the
card are made and checked by slack_sdk's models, each time anew.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector, web
from pydantic_core import from_json, to_json

from bot.clock import RealClock
from bot.dispatch.leases import ATTEMPT, KEEP
from bot.dispatch.outbox import DELIVERY, POST
from bot.dispatch.telling import EVENT
from bot.ids import new_id
from bot.opening import opened_store
from bot.store import Write

Event = dict[str, Any]
Blocks = Callable[[Event], Sequence[Event]]

HEADERS = {"Authorization": "Bearer xoxb-bench", "Content-Type": "application/json; charset=utf-8"}
LEASE = "bench"


async def serve(sink: str, folder: Path, blocks: Blocks) -> None:
    store = await opened_store(f"sqlite:///{folder / 'least.db'}")
    clock, sending = RealClock(), set[asyncio.Task[None]]()
    async with ClientSession(connector=TCPConnector(limit_per_host=200)) as session:

        async def show(delivery: str, event: Event) -> None:
            began, at = time.perf_counter(), clock.now()
            async with session.post(
                f"{sink}/chat.postMessage", data=_message(event, blocks(event)), headers=HEADERS
            ) as answer:
                place = from_json(await answer.read())
            receipt = to_json(["slack", place["channel"], place["ts"], {}]).decode()
            now, took = at.timestamp(), time.perf_counter() - began
            attempt = (new_id(at), delivery, "slack", "send", 0, now, took, "", "")
            kept = (delivery, LEASE, 0, receipt, 0, "slack", 0.0, 0.0, 0, "done", "", "", now)
            await store.put(Write(ATTEMPT, [attempt]), Write(KEEP, [kept]))

        async def tell(request: web.Request) -> web.Response:
            event = from_json(await request.read())
            at = clock.now()
            now, told, ref, delivery = at.timestamp(), new_id(at), new_id(at), new_id(at)
            text, context = event["summary"], to_json(event["context"]).decode()
            seen = (told, event["type"], event["severity"], "firing", event["source"], text, "", event["dedup_key"])
            stored = (*seen, context, "{}", "key", None, now, "accepted", "", ref, "")
            card = to_json({"title": text, "facts": event["context"]}).decode()
            post = (ref, card, "{}", 3, "", "", "", now)
            copy = (delivery, ref, "operator", "ana", "", '["slack"]', "slack", 0, -1, 3, now, LEASE, now + 15)
            await store.put(Write(EVENT, [stored]), Write(POST, [post]), Write(DELIVERY, [copy]))
            task = asyncio.create_task(show(delivery, event))
            sending.add(task)
            task.add_done_callback(sending.discard)
            return web.json_response({"event_id": told, "result": "accepted"}, status=202)

        application = web.Application()
        application.router.add_post("/api/v1/events", tell)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)  # as the product does
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()


def _message(event: Event, blocks: Sequence[Event]) -> bytes:
    """A card of the size of the product's."""
    attachment = {"color": "#FF8C00", "fallback": event["summary"], "blocks": blocks}
    return to_json({"channel": "U0ANA", "text": event["summary"], "attachments": [attachment]})


def put_together(event: Event) -> Sequence[Event]:
    """Without a look at what the words hold."""
    facts = [{"type": "mrkdwn", "text": text} for text in _facts(event)]
    return [
        {"type": "header", "text": {"type": "plain_text", "text": event["summary"][:150]}},
        {"type": "section", "text": {"type": "mrkdwn", "text": _ask(event)}},
        {"type": "section", "fields": facts},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": event["source"]}]},
    ]


def made_by_the_sdk() -> Blocks:
    from slack_sdk.models import blocks as kit

    def made(event: Event) -> Sequence[Event]:
        words = kit.MarkdownTextObject
        whole = (
            kit.HeaderBlock(text=kit.PlainTextObject(text=event["summary"][:150])),
            kit.SectionBlock(text=words(text=_ask(event))),
            kit.SectionBlock(fields=[words(text=text) for text in _facts(event)]),
            kit.ContextBlock(elements=[words(text=event["source"])]),
        )
        return [each.to_dict() for each in whole]

    return made


def _ask(event: Event) -> str:
    return f"Sign in to {event['source']} again."


def _facts(event: Event) -> list[str]:
    return [f"*{name}*\n{value}" for name, value in event["context"].items()]


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), made_by_the_sdk() if sys.argv[3:] == ["sdk"] else put_together))
