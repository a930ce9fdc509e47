"""The settings that hold now: saved and reloaded without a restart, in every replica.

The saved file is the truth on one machine. Replicas that do not share a disk find the same content sealed in the
database; Redis, where there is one, only says that a newer version exists, so that they look at once. A set of settings
is taken whole or not at all: while a new one has a fault, the old one goes on.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

from bot import settings as files
from bot import vault
from bot.audit.ledger import Ledger
from bot.clock import Clock
from bot.env_file import Unreadable, change, read
from bot.redis_link import RedisLink
from bot.settings import SAVED, Flaw, Settings, SettingsFault
from bot.steady import forever
from bot.store import Store, Tx

log = logging.getLogger(__name__)

LOOK_AT_FILE = 1.0  # seconds
LOOK_AT_DATABASE = 5.0
TOPIC = "gatebell:settings"
ANY = -1  # no version has this number
BY_HAND = "file"  # the audit log's actor where somebody changed the file itself, or by `gatebell config`
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

T = TypeVar("T")
Changed = Callable[[Settings, Settings], Awaitable[None]]
Judge = Callable[[str, Settings], Awaitable[object]]


class LiveSettings:
    """`changed` is told (before, after) when others hold; saved values are put into the environment `publish_to`.

    `judge` looks at a guarded address before it is saved, and raises ValueError where these settings forbid to call it.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        ledger: Ledger,
        clock: Clock,
        keys: Sequence[bytes],
        redis: RedisLink | None,
        publish_to: MutableMapping[str, str],
        judge: Judge,
    ) -> None:
        self.now = settings
        self._ledger = ledger
        self._clock = clock
        self._redis = redis
        self._publish_to = publish_to
        self._judge = judge
        self._changed: Changed | None = None
        self._lock = asyncio.Lock()
        self._replicas = Replicas(store, clock, keys, settings.data_dir) if _may_have_replicas(settings) else None
        self._seen = _stamp(self._path)

    @property
    def _path(self) -> Path:
        return self.now.data_dir / SAVED

    def derived(self, make: Callable[[Settings], T]) -> Callable[[], T]:
        """What is made of the settings of now, made anew only when others hold: it is asked for with every event."""
        of, made = self.now, make(self.now)

        def current() -> T:
            nonlocal of, made
            if of is not self.now:
                of, made = self.now, make(self.now)
            return made

        return current

    def on_change(self, changed: Changed) -> None:
        self._changed = changed

    async def save(self, changes: Mapping[str, str | None], by: str) -> Sequence[str]:
        """Save and let it hold everywhere; the names that count only after a restart. Raises SettingsFault."""
        async with self._lock:
            await self._follow()
            stored = files.checked(changes, self.now.fields)
            self._refuse_locked(stored)
            content = read(self._path)
            after = files.again(self.now, files.merged(content, stored))
            await self._refuse_uncallable(stored, after)
            await asyncio.to_thread(change, self._path, stored)
            found = _stamp(self._path)
            names = sorted(name for name in stored if self.now.get(name) != after.get(name))
            await self._write_down(names, by)
            try:
                known = self._replicas is not None and self._replicas.knows(content)
                await self._hold(after, found, only_over_known=known)
            except Overtaken:
                await self._save_over_theirs(stored)
        return [name for name in names if name in AT_START]

    async def _save_over_theirs(self, stored: Mapping[str, str | None]) -> None:
        """Another replica has saved something meanwhile: both hold, its changes and these. Raises SettingsFault."""
        if self._replicas:
            await self._replicas.fetch(self._path, even_if_changed_here=True)
        after = files.again(self.now, files.merged(read(self._path), stored))
        await asyncio.to_thread(change, self._path, stored)
        await self._hold(after, _stamp(self._path))

    async def remember(self, name: str, value: str) -> None:
        """Keep a setting that fills itself, unless the environment says otherwise."""
        if not self.now.locked(name) and self.now.get(name) != value:
            await self.save({name: value}, "system")

    async def look(self) -> bool:
        """Take what was saved elsewhere; true if other settings hold now."""
        async with self._lock:
            return await self._follow()

    async def _follow(self) -> bool:
        changed_here = _stamp(self._path) != self._seen
        try:
            if self._replicas:
                await self._replicas.fetch(self._path)
            if (found := _stamp(self._path)) == self._seen:
                return False
            after = await asyncio.to_thread(files.again, self.now)
        except (SettingsFault, Unreadable) as fault:
            if _stamp(self._path) != self._seen:
                log.warning("the saved settings have a fault, so the old ones go on: %s", fault)
            self._seen = _stamp(self._path)
            return False
        names = sorted(field.name for field in after.fields if self.now.get(field.name) != after.get(field.name))
        is_new = await self._hold(after, found)
        if changed_here and is_new:
            await self._write_down(names, BY_HAND)
        return True

    async def _hold(self, after: Settings, stamp: tuple[int, int], *, only_over_known: bool = False) -> bool:
        """From now on these hold here, and the other replicas get to know of them; false if they knew already.

        The file counts as seen when all of it is done: what fails halfway is done by the next look. Raises Overtaken.
        """
        is_new = True
        if self._replicas:
            content = await asyncio.to_thread(read, self._path)
            is_new = await self._replicas.share(content, only_over_known=only_over_known)
            if is_new:
                await self._announce(self._replicas.version)
        await self._take(after)
        self._seen = stamp
        return is_new

    async def watch(self) -> None:
        """Look at the file often, at the database now and then, and at once when Redis says so, until cancelled."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(forever("looking for settings", self._look_often, longest=LOOK_AT_DATABASE))
            if redis := self._redis:
                listening = forever("hearing of settings", lambda: self._listen(redis), LOOK_AT_DATABASE)
                loops.create_task(listening)

    async def seal_anew(self) -> bool:
        """Seal what rests in the database with the newest SECRET_KEY; false where nothing does. Raises CannotOpen."""
        return self._replicas is not None and await self._replicas.seal_anew()

    def _refuse_locked(self, stored: Mapping[str, str | None]) -> None:
        locked = [name for name, value in stored.items() if value is not None and self.now.locked(name)]
        if locked:
            mend = "Change it where the process is started, or take it out there."
            raise SettingsFault(Flaw(name, "is locked by the environment", mend) for name in locked)

    async def _refuse_uncallable(self, stored: Mapping[str, str | None], after: Settings) -> None:
        for field in after.fields:
            if field.guarded and stored.get(field.name):
                try:
                    await self._judge(after[field.name], after)
                except ValueError as error:
                    raise SettingsFault([Flaw(field.name, str(error).rstrip("."), field.mend)]) from None

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

    async def _write_down(self, names: Sequence[str], by: str) -> None:
        """Names alone: no value, secret or not, belongs into the audit log. What holds as before is no change."""
        if names:
            detail: dict[str, JsonValue] = {"names": list(names)}
            await self._ledger.write(self._clock.now(), by, "settings.saved", "settings", "", detail)

    async def _announce(self, version: int) -> None:
        """A version, never a value."""
        redis = self._redis
        if redis:
            await redis.ask(lambda: redis.redis.publish(TOPIC, str(version)), None)

    async def _look_often(self) -> None:
        """Returns when it has looked once: at the file as soon as it changes, at the database after a while."""
        for _ in range(int(LOOK_AT_DATABASE / LOOK_AT_FILE)):
            await asyncio.sleep(LOOK_AT_FILE)
            if _stamp(self._path) != self._seen:
                break
        await self.look()

    async def _listen(self, redis: RedisLink) -> None:
        """Returns when Redis is away, which whoever else asks it says in the log."""
        from redis.exceptions import RedisError

        with contextlib.suppress(RedisError, OSError):
            async with redis.redis.pubsub() as channel:
                await channel.subscribe(TOPIC)
                while True:
                    if await channel.get_message(ignore_subscribe_messages=True, timeout=LOOK_AT_FILE):
                        await self.look()


class Overtaken(Exception):
    """Another replica has saved something since this one has looked."""


class Replicas:
    """The saved settings in the database, sealed, for replicas that do not share a disk.

    Beside the saved file lies what was last known of both, which tells who has changed something: a file that was
    changed here is shared; a newer version in the database is written here.
    """

    def __init__(self, store: Store, clock: Clock, keys: Sequence[bytes], data_dir: Path) -> None:
        self._store = store
        self._clock = clock
        self._keys = keys
        self._mark = data_dir / f"{SAVED}.version"
        self.version, self._content = _marked(self._mark)

    def knows(self, content: Mapping[str, str]) -> bool:
        """Whether it is what was last shared or fetched here, so that nothing of it is lost with a newer version."""
        return not content or _hash(content) == self._content

    async def share(self, content: Mapping[str, str], *, only_over_known: bool = False) -> bool:
        """Put this into the database under the next version; false if it is there already.

        Raises Overtaken where it is to go only over what is known here, and there is something newer.
        """
        if _hash(content) == self._content:
            return False
        sealed, at = vault.seal(json.dumps(dict(content)), self._keys), self._clock.now().timestamp()
        known = self.version if only_over_known else ANY

        async def job(tx: Tx) -> int:
            written = await tx.run(
                "INSERT INTO saved_settings (id, version, sealed, at) VALUES (1, 1, :sealed, :at)"
                " ON CONFLICT (id) DO UPDATE SET version = saved_settings.version + 1, sealed = excluded.sealed,"
                " at = excluded.at"
                " WHERE CAST(:known AS INTEGER) IN (saved_settings.version, CAST(:any AS INTEGER))",
                {"sealed": sealed, "at": at, "known": known, "any": ANY},
            )
            row = await tx.row("SELECT version FROM saved_settings WHERE id = 1")
            return int(row["version"]) if written and row else 0

        version = await self._store.write(job)
        if not version:
            raise Overtaken
        self._remember(version, content)
        return True

    async def fetch(self, path: Path, *, even_if_changed_here: bool = False) -> None:
        """Write down here what another replica has saved, unless the file was changed here in the meantime."""
        row = await self._store.read(lambda tx: tx.row("SELECT version, sealed FROM saved_settings WHERE id = 1"))
        here = await asyncio.to_thread(read, path)
        changed_here = bool(here) and _hash(here) != self._content and not even_if_changed_here
        if row is None or row["version"] <= self.version or changed_here:
            return
        try:
            content = json.loads(vault.unseal(row["sealed"], self._keys))
        except vault.CannotOpen as error:
            log.warning("settings of another replica cannot be read: %s", error)
            return
        gone = dict.fromkeys(here.keys() - content.keys())
        await asyncio.to_thread(change, path, {**content, **gone})
        self._remember(row["version"], content)

    async def seal_anew(self) -> bool:
        async def job(tx: Tx) -> bool:
            sql = "SELECT sealed FROM saved_settings WHERE id = 1 "
            row = await tx.row(sql + tx.for_update)
            if row is None:
                return False
            sealed = vault.seal_anew(row["sealed"], self._keys)
            await tx.run("UPDATE saved_settings SET sealed = :sealed WHERE id = 1", {"sealed": sealed})
            return True

        return await self._store.write(job)

    def _remember(self, version: int, content: Mapping[str, str]) -> None:
        self.version, self._content = version, _hash(content)
        self._mark.write_text(json.dumps([self.version, self._content]))


def _marked(mark: Path) -> tuple[int, str]:
    try:
        version, content = json.loads(mark.read_text())
    except (OSError, ValueError):
        return 0, ""
    return int(version), str(content)


def _hash(content: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(dict(content), sort_keys=True).encode()).hexdigest()


def _may_have_replicas(settings: Settings) -> bool:
    return settings.database_url.startswith("postgresql")


def _stamp(path: Path) -> tuple[int, int]:
    """Changes with every save of the file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino
