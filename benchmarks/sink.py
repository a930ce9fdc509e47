"""A Slack-shaped endpoint that costs next to nothing, and notes when each card came. Run as a process of its own.

It reads bytes and answers bytes, so that on a small machine the server is what is measured, and not this.
"""

import asyncio
import json
import re
import time
from dataclasses import dataclass, field

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
MARK = re.compile(rb"bench-(\d+)")
TOKEN = re.compile(rb'"value": ?"([^"]+)"')
TS = re.compile(rb'"ts": ?"([^"]+)"')
MEMBER = {"id": "U0ANA", "team_id": "T0BENCH", "profile": {"email": "ana@example.com", "real_name": "Ana"}}
ANSWERS: dict[bytes, object] = {
    b"auth.test": {"ok": True, "team_id": "T0BENCH", "user_id": "U0BOT", "bot_id": "B0BOT"},
    b"bots.info": {"ok": True, "bot": {"id": "B0BOT", "app_id": "A0BENCH"}},
    b"users.lookupByEmail": {"ok": True, "user": MEMBER},
    b"users.info": {"ok": True, "user": MEMBER},
}


@dataclass
class Seen:
    """By the mark in its text: when a card was posted and updated, how often, and the token of its buttons."""

    posted: dict[int, list[float]] = field(default_factory=dict)
    updated: dict[int, float] = field(default_factory=dict)
    tokens: dict[int, str] = field(default_factory=dict)

    def post(self, body: bytes) -> bytes:
        found = MARK.search(body)
        mark = int(found[1]) if found else -1
        self.posted.setdefault(mark, []).append(time.monotonic())
        if token := TOKEN.search(body):
            self.tokens[mark] = token[1].decode()
        return b'{"ok":true,"channel":"D0ANA","ts":"%d.000001"}' % mark

    def update(self, body: bytes) -> bytes:
        ts = TS.search(body)
        if ts:
            self.updated.setdefault(int(ts[1].partition(b".")[0]), time.monotonic())
        return b'{"ok":true,"channel":"D0ANA","ts":"%s"}' % (ts[1] if ts else b"0")

    def told(self) -> bytes:
        return json.dumps({"posted": self.posted, "updated": self.updated, "tokens": self.tokens}).encode()

    def forget(self) -> bytes:
        for each in (self.posted, self.updated, self.tokens):
            each.clear()
        return b"{}"


class Endpoint(asyncio.Protocol):
    """Requests with a Content-Length, one after another on a connection."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end]
            length = LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._read) < whole:
                return
            body, self._read = self._read[end + 4 : whole], self._read[whole:]
            answer = self._answer(head.split(b" ", 2)[1].rpartition(b"/")[2], body)
            self._transport.write(HEAD % len(answer) + answer)

    def _answer(self, method: bytes, body: bytes) -> bytes:
        match method:
            case b"chat.postMessage":
                return self._seen.post(body)
            case b"chat.update":
                return self._seen.update(body)
            case b"told":
                return self._seen.told()
            case b"forget":
                return self._seen.forget()
        return json.dumps(ANSWERS.get(method, {"ok": True})).encode()


async def serve() -> None:
    seen = Seen()
    server = await asyncio.get_running_loop().create_server(lambda: Endpoint(seen), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
