"""Whoever asks and is answered: an agent, a gateway or a monitor, with a key of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from tests.patience import PATIENCE
from tests.stories.platforms import ANA, BEN, MIA

Json = dict[str, Any]
BLOCKED: Json = {"agent": "Archivist", "tool": "drive.delete", "arguments": {"path": "/reports/2024.pdf"}}


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer of the API."""

    status: int
    body: Json
    headers: Mapping[str, str]

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


@dataclass(kw_only=True)
class Producer:
    """What can be done with the address of one server and a key."""

    address: str
    http: ClientSession
    key: str = ""

    async def call(self, method: str, path: str, body: Any = None, *, key: str | None = None, **more: Any) -> Answered:
        headers = {"Authorization": f"Bearer {self.key if key is None else key}", **more.pop("headers", {})}
        async with self.http.request(method, f"{self.address}{path}", json=body, headers=headers, **more) as response:
            parsed = await response.json(content_type=None) if response.content_length != 0 else {}
            return Answered(response.status, parsed, response.headers)

    async def ask(
        self, kind: str, payload: Json, to: Sequence[str] = (ANA, BEN, MIA), *, room: str = "", **fields: Any
    ) -> Answered:
        audience = {"operators": list(to), **({"room": room} if room else {})}
        return await self.call(
            "POST", "/api/v1/interactions", {"kind": kind, "payload": payload, "audience": audience, **fields}
        )

    async def ask_blocked(self, to: Sequence[str] = (ANA, BEN, MIA), **fields: Any) -> Answered:
        """The question of most stories: an agent was kept from deleting a file."""
        return await self.ask("blocked_action", BLOCKED, to, **fields)

    async def withdraw(self, id_: str, **fields: Any) -> Answered:
        return await self.call("POST", f"/api/v1/interactions/{id_}/withdraw", fields or None)

    async def see(self, id_: str, wait: float = 0) -> Answered:
        """How it stands, as soon as it has ended or the seconds are over."""
        return await self.call("GET", f"/api/v1/interactions/{id_}", params={"wait": str(wait)})

    async def end_of(self, id_: str) -> Answered:
        """How it stands as soon as it has ended, however long that takes."""
        return await self.see(id_, wait=PATIENCE)
