"""The settings that hold now: saved and reloaded without a restart, in every replica.

The saved file is the truth on one machine. Replicas that do not share a disk find the same content sealed in the
database; Redis, where there is one, only says that a newer version exists, so that they look at once. A set of settings
is taken whole or not at all: while a new one has a fault, the old one goes on.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from bot import settings as files
from bot import vault
from bot.clock import Clock
from bot.env_file import Unreadable, read
from bot.ledger import Ledger
from bot.redis_link import RedisLink
from bot.settings import SAVED, Flaw, Settings, SettingsFault
from bot.store import Store, StoreUnavailable, Tx

log = logging.getLogger(__name__)

LOOK_AT_FILE = 1.0  # seconds
LOOK_AT_DATABASE = 5.0
TOPIC = "gatebell:settings"
AT_START = frozenset(
    {
        "HOST",
        "PORT",
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "PACING",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "GATEBELL_TEST_CLOCK",
    }
)

Changed = Callable[[Settings, Settings], Awaitable[None]]


class LiveSettings:
    """`changed` is told (before, after) when others hold; saved values are put into the environment `publish_to`."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        ledger: Ledger,
        clock: Clock,
        keys: Sequence[bytes],
        redis: RedisLink | None,
        publish_to: MutableMapping[str, str],
    ) -> None:
        self.now = settings
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._keys = keys
        self._redis = redis
        self._publish_to = publish_to
        self._changed: Changed | None = None
        self._lock = asyncio.Lock()
        self._seen = _stamp(self._path)
        self._version = 0

    @property
    def _path(self) -> Path:
        return self.now.data_dir / SAVED

    def on_change(self, changed: Changed) -> None:
        self._changed = changed

    async def save(self, changes: Mapping[str, str | None], by: str) -> Sequence[str]:
        """Save and let it hold everywhere; the names that count only after a restart. Raises SettingsFault."""
        async with self._lock:
            stored = files.checked(changes, self.now.fields)
            self._refuse_locked(stored)
            content = _merged(read(self._path), stored)
            after = files.again(self.now, content)
            await asyncio.to_thread(files.save, self.now.data_dir, dict(stored), self.now.fields)
            self._seen = _stamp(self._path)
            names = sorted(name for name in changes if self.now.get(name) != after.get(name))
            await self._share(content, names, by)
            await self._take(after)
        await self._announce()
        return [name for name in names if name in AT_START]

    async def remember(self, name: str, value: str) -> None:
        """Keep a setting that fills itself, unless the environment says otherwise."""
        if not self.now.locked(name) and self.now.get(name) != value:
            await self.save({name: value}, "system")

    async def look(self) -> bool:
        """Take what was saved elsewhere; true if other settings hold now."""
        async with self._lock:
            await self._fetch()
            stamp = _stamp(self._path)
            if stamp == self._seen:
                return False
            self._seen = stamp
            try:
                after = await asyncio.to_thread(files.again, self.now)
            except (SettingsFault, Unreadable) as fault:
                log.warning("the saved settings have a fault, so the old ones go on: %s", fault)
                return False
            await self._take(after)
            return True

    async def watch(self) -> None:
        """Look at the file often, at the database now and then, and at once when Redis says so, until cancelled."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._look_often())
            if self._redis:
                loops.create_task(self._listen(self._redis))

    async def seal_anew(self) -> bool:
        """Seal what rests in the database with the newest SECRET_KEY; false where nothing does. Raises CannotOpen."""

        async def job(tx: Tx) -> bool:
            sql = "SELECT sealed FROM saved_settings WHERE id = 1 "
            row = await tx.row(sql + tx.for_update)
            if row is None:
                return False
            sealed = vault.seal_anew(row["sealed"], self._keys)
            await tx.run("UPDATE saved_settings SET sealed = :sealed WHERE id = 1", {"sealed": sealed})
            return True

        return await self._store.write(job)

    def _refuse_locked(self, stored: Mapping[str, str | None]) -> None:
        locked = [name for name, value in stored.items() if value is not None and self.now.locked(name)]
        if locked:
            mend = "Change it where the process is started, or take it out there."
            raise SettingsFault(Flaw(name, "is locked by the environment", mend) for name in locked)

    async def _take(self, after: Settings) -> None:
        before, self.now = self.now, after
        for name in {*before, *after}:
            if after.sources.get(name) != files.ENVIRONMENT and before.get(name) != after.get(name):
                self._publish(name, after.get(name, ""))
        if self._changed:
            await self._changed(before, after)

    def _publish(self, name: str, value: str) -> None:
        """What was saved is in the environment too, for whatever reads it there (a child process)."""
        if value:
            self._publish_to[name] = value
        else:
            self._publish_to.pop(name, None)

    async def _share(self, content: Mapping[str, str], names: Sequence[str], by: str) -> None:
        """Into the database, for replicas elsewhere: sealed, under the next version; the audit log gets names alone."""
        at = self._clock.now()
        sealed = vault.seal(json.dumps(dict(content)), self._keys)

        async def job(tx: Tx) -> int:
            await tx.run(
                "INSERT INTO saved_settings (id, version, sealed, at) VALUES (1, 1, :sealed, :at)"
                " ON CONFLICT (id) DO UPDATE SET version = saved_settings.version + 1, sealed = excluded.sealed,"
                " at = excluded.at",
                {"sealed": sealed, "at": at.timestamp()},
            )
            detail: dict[str, JsonValue] = {"names": list(names)}
            await self._ledger.record(tx, at, by, "settings.saved", "settings", "", detail)
            row = await tx.row("SELECT version FROM saved_settings WHERE id = 1")
            return int(row["version"]) if row else 0

        self._version = await self._store.write(job)

    async def _fetch(self) -> None:
        """Write down here what another replica has saved, if it is newer than what is known."""
        row = await self._store.read(lambda tx: tx.row("SELECT version, sealed FROM saved_settings WHERE id = 1"))
        if row is None or row["version"] <= self._version:
            return
        first, self._version = self._version == 0, row["version"]
        try:
            content = json.loads(vault.unseal(row["sealed"], self._keys))
        except vault.CannotOpen as error:
            log.warning("settings of another replica cannot be read: %s", error)
            return
        here = await asyncio.to_thread(read, self._path)
        if content == here or (first and here):
            return
        gone = dict.fromkeys(here.keys() - content.keys())
        await asyncio.to_thread(files.save, self.now.data_dir, {**content, **gone}, self.now.fields)

    async def _announce(self) -> None:
        """A version, never a value."""
        redis = self._redis
        if redis:
            await redis.ask(lambda: redis.redis.publish(TOPIC, str(self._version)), None)

    async def _look_often(self) -> None:
        looked = 0.0
        while True:
            await asyncio.sleep(LOOK_AT_FILE)
            looked += LOOK_AT_FILE
            changed_here = _stamp(self._path) != self._seen
            if not changed_here and looked < LOOK_AT_DATABASE:
                continue
            looked = 0.0
            try:
                await self.look()
            except (StoreUnavailable, OSError) as error:
                log.warning("settings cannot be looked up: %s", error)

    async def _listen(self, redis: RedisLink) -> None:
        from redis.exceptions import RedisError

        while True:
            try:
                async with redis.redis.pubsub() as channel:
                    await channel.subscribe(TOPIC)
                    while True:
                        if await channel.get_message(ignore_subscribe_messages=True, timeout=LOOK_AT_FILE):
                            await self.look()
            except (RedisError, OSError, TimeoutError, StoreUnavailable):
                await asyncio.sleep(LOOK_AT_DATABASE)


def _merged(content: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**content, **{name: value for name, value in changes.items() if value is not None}}
    return {name: value for name, value in merged.items() if changes.get(name, "") is not None}


def _stamp(path: Path) -> tuple[int, int]:
    """Changes with every save of the file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino
