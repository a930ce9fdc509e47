"""The load: requests over kept connections, as bytes that are ready beforehand, so that sending costs little."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

Send = Callable[[int], "Request"]


@dataclass(frozen=True)
class Request:
    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Line:
    """One kept connection."""

    host: str
    port: int
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self.host, self.port)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._writer.close()

    async def call(self, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        whole = {"Host": "bench", **self.headers, **(headers or {}), "Content-Length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in whole.items())
        head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\n{lines}\r\n"
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        return int(answer[9:12]), await self._reader.readexactly(length)

    async def json(self, path: str, body: Any = None) -> Any:
        status, answer = await self.call(path, b"" if body is None else json.dumps(body).encode())
        if status >= 300:
            raise RuntimeError(f"{path} answered {status}: {answer.decode()[:300]}")
        return json.loads(answer)


@dataclass(frozen=True)
class Sent:
    """When each request began and was answered, by its number; only those that were answered with 2xx."""

    began: dict[int, float]
    answered: dict[int, float]


async def paced(lines: Sequence[Line], numbers: range, each_second: float, send: Send) -> Sent:
    """Begin a request at each moment of a clock, whatever became of the ones before."""
    free: asyncio.Queue[Line] = asyncio.Queue()
    for line in lines:
        free.put_nowait(line)
    sent, start = Sent({}, {}), time.monotonic()

    async def at(moment: float, number: int) -> None:
        await asyncio.sleep(moment - time.monotonic())
        line = await free.get()
        await _one(line, number, send, sent)
        free.put_nowait(line)

    await asyncio.gather(*(at(start + place / each_second, number) for place, number in enumerate(numbers)))
    return sent


async def saturated(lines: Sequence[Line], numbers: range, send: Send) -> Sent:
    """As many as each line bears, one after another."""
    left, sent = iter(numbers), Sent({}, {})

    async def all_on(line: Line) -> None:
        for number in left:
            await _one(line, number, send, sent)

    await asyncio.gather(*map(all_on, lines))
    return sent


async def _one(line: Line, number: int, send: Send, sent: Sent) -> None:
    request = send(number)
    began = time.monotonic()
    status, _ = await line.call(request.path, request.body, request.headers)
    if 200 <= status < 300:
        sent.began[number], sent.answered[number] = began, time.monotonic()
