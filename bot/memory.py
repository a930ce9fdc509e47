"""What channels remember across restarts and replicas, and what must count only once."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from bot.store import Store, Tx


@dataclass(frozen=True, slots=True)
class ChannelMemory:
    """JSON by key; every channel has a part of its own."""

    store: Store
    now: Callable[[], datetime]
    part: str

    async def get(self, key: str) -> JsonValue:
        sql = "SELECT value FROM channel_memory WHERE key = :key"
        row = await self.store.read(lambda tx: tx.row(sql, {"key": self._key(key)}))
        value: JsonValue = json.loads(row["value"]) if row else None
        return value

    async def put(self, key: str, value: JsonValue) -> None:
        params = {"key": self._key(key), "value": json.dumps(value), "at": self.now().timestamp()}

        async def job(tx: Tx) -> None:
            await tx.run(
                "INSERT INTO channel_memory (key, value, at) VALUES (:key, :value, :at)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value, at = excluded.at",
                params,
            )

        await self.store.write(job)

    async def forget(self, key: str) -> None:
        await self.store.write(
            lambda tx: tx.run("DELETE FROM channel_memory WHERE key = :key", {"key": self._key(key)})
        )

    async def all(self, prefix: str) -> Mapping[str, JsonValue]:
        start = self._key(prefix)
        sql = "SELECT key, value FROM channel_memory WHERE key >= :start AND key < :end ORDER BY key"
        rows = await self.store.read(lambda tx: tx.rows(sql, {"start": start, "end": start + "\U0010ffff"}))
        return {row["key"].removeprefix(f"{self.part}:"): json.loads(row["value"]) for row in rows}

    def _key(self, key: str) -> str:
        return f"{self.part}:{key}"


@dataclass(frozen=True, slots=True)
class Once:
    """True the first time that a key is seen by any replica within the time; against replays."""

    store: Store
    now: Callable[[], datetime]
    part: str

    async def __call__(self, key: str, seconds: float) -> bool:
        now = self.now().timestamp()

        async def job(tx: Tx) -> bool:
            await tx.run("DELETE FROM seen WHERE until < :now", {"now": now})
            sql = "INSERT INTO seen (key, until) VALUES (:key, :until) ON CONFLICT (key) DO NOTHING"
            return await tx.run(sql, {"key": self._key(key), "until": now + seconds}) > 0

        return await self.store.write(job)

    async def seen(self, key: str) -> bool:
        """Whether it was, without seeing it now."""
        sql, values = "SELECT 1 AS yes FROM seen WHERE key = :key AND until >= :now", {"key": self._key(key)}
        return await self.store.read(lambda tx: tx.row(sql, {**values, "now": self.now().timestamp()})) is not None

    def _key(self, key: str) -> str:
        return f"{self.part}:{key}"
