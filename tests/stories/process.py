"""`gatebell serve` as a process beside the rehearsal platforms: it can be killed, stopped and started again."""

import asyncio
import contextlib
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout

from bot.audit.ledger import Ledger
from bot.keys import Keys, Scope
from bot.operators import Operators
from bot.signing import derive
from bot.store import open_store
from tests.patience import PATIENCE, until
from tests.stories.platforms import BEN, Platforms, free_port
from tests.stories.producer import Answered, Json, Producer
from tests.stories.world import put_in_place

SECRET = "the secret of every story about processes"


@dataclass(kw_only=True)
class Process(Producer):
    """One server. Whatever was answered is the test's to count; what lies in the database can be looked at."""

    platforms: Platforms
    environ: dict[str, str]
    log: Path
    child: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        assert self.child is not None, "it was not started"
        return self.child.pid

    @property
    def words(self) -> str:
        """What it has logged so far."""
        return self.log.read_text() if self.log.exists() else ""

    # ---- living and dying -------------------------------------------------------------------------------------------

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "serve", env=self.environ, stdout=log, stderr=log, cwd=Path.cwd()
            )
        self.platforms.call_back(self.address)
        await until(self._answers, "the server to answer")

    async def kill(self) -> None:
        """As a crash, the kernel or an impatient orchestrator does: nothing is put in order."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to stop, as a deploy does; the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, sign: signal.Signals) -> int:
        assert self.child is not None, "it was not started"
        if self.child.returncode is None:
            self.child.send_signal(sign)
        return await asyncio.wait_for(self.child.wait(), PATIENCE)

    def limit_files(self, size: int) -> None:
        """No file of the process may grow beyond this, as on a full disk; 0 takes the limit away."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size or resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def memory(self) -> int:
        """Its resident memory in MiB, as the kernel counts it."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize() // 2**20

    # ---- speaking with it -------------------------------------------------------------------------------------------

    async def tell(self, summary: str, **fields: Any) -> Answered:
        return await self.call("POST", "/api/v1/events", {"type": "demo.event", "summary": summary, **fields})

    async def tell_many(self, summaries: Sequence[str], **fields: Any) -> Answered:
        """In one request."""
        events = [{"type": "demo.event", "summary": each, **fields} for each in summaries]
        return await self.call("POST", "/api/v1/events", events)

    async def told(self, summary: str, **fields: Any) -> bool:
        """Whether it was accepted; a connection that breaks promises nothing."""
        try:
            return (await self.tell(summary, **fields)).status == 202
        except (ClientConnectionError, TimeoutError):
            return False

    async def forward(self, **units: float) -> float:
        """Move its time, by seconds, minutes, hours; the moment that it is then, in seconds since 1970."""
        moved = await self.call("POST", "/testing/clock", {"advance": timedelta(**units).total_seconds()})
        return datetime.fromisoformat(moved["now"]).timestamp()

    async def ready(self) -> int:
        async with self.http.get(f"{self.address}/readyz") as response:
            return response.status

    async def until_ready(self, status: int = 200) -> None:
        async def is_so() -> bool:
            return await self.ready() == status

        await until(is_so, f"/readyz to answer {status}")

    async def metric(self, name: str) -> float:
        """The present value of one line of /metrics, labels and all."""
        async with self.http.get(f"{self.address}/metrics") as response:
            lines = (await response.text()).splitlines()
        found = [line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")]
        return float(found[0]) if found else 0.0

    async def until_metric(self, name: str, fits: Callable[[float], bool]) -> None:
        async def is_so() -> bool:
            return fits(await self.metric(name))

        await until(is_so, name)

    async def rows(self, sql: str) -> list[Json]:
        store = open_store(self.environ["DATABASE_URL"])
        await store.start()
        try:
            return [dict(row) for row in await store.read(lambda tx: tx.rows(sql))]
        finally:
            await store.stop()

    async def until_rows(self, sql: str, expected: Sequence[Json]) -> None:
        async def is_so() -> bool:
            return await self.rows(sql) == expected

        await until(is_so, f"{sql} to give {expected}")

    async def until_met(self, email: str) -> None:
        """Return once the roster has told in whose chat the app was installed, which is read after the answer."""

        async def is_known() -> bool:
            return any(row["key"].endswith(email) for row in await self.rows("SELECT key FROM channel_memory"))

        await until(is_known, f"Teams to have told of {email}")

    async def _answers(self) -> bool:
        assert self.child is None or self.child.returncode is None, self.words
        try:
            async with self.http.get(f"{self.address}/healthz") as response:
                return response.status == 200
        except ClientConnectionError:
            return False


@contextlib.asynccontextmanager
async def serving(platforms: Platforms, data: Path, name: str = "one", **changed: str) -> AsyncIterator[Process]:
    """A server with the operators of every story, and Ben's Teams chat; it runs at first, and dies with the test."""
    environ = platforms.settings(free_port()) | {
        "PATH": os.environ["PATH"],
        "GATEBELL_DATA_DIR": str(data / name),
        "DATABASE_URL": f"sqlite:///{data / 'gatebell.db'}",
        "SECRET_KEY": SECRET,
        "LOG_FORMAT": "text",
    }
    environ = {name: value for name, value in {**environ, **changed}.items() if value}
    (data / name).mkdir(exist_ok=True)
    key = await people(environ["DATABASE_URL"])
    address = f"http://127.0.0.1:{environ['PORT']}"
    async with ClientSession(timeout=ClientTimeout(total=PATIENCE + 10)) as http:
        process = Process(
            platforms=platforms, address=address, environ=environ, key=key, http=http, log=data / f"{name}.log"
        )
        try:
            await process.start()
            if "TEAMS_APP_ID" in environ:
                await platforms.teams.chat(BEN).install()
                await process.until_met(BEN)
            yield process
        finally:
            if process.child is not None and process.child.returncode is None:
                await process.kill()


async def people(url: str) -> str:
    """The operators of the stories in this database, and a new key for everything."""
    store = open_store(url)
    await store.start()
    try:
        ledger = Ledger(store, derive(SECRET, "audit"))
        await put_in_place(Operators(store, ledger, _now))
        return (await Keys(store, ledger, _now).create("story", list(Scope), by="cli")).key
    finally:
        await store.stop()


def _now() -> datetime:
    return datetime.now(UTC)


async def typed(environ: Mapping[str, str], *words: str, folder: Path | None = None) -> tuple[int, str]:
    """`gatebell` with these words in a terminal: its exit code, and what it says."""
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words,
        env=environ, cwd=folder or Path.cwd(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(command.communicate(), PATIENCE)
    assert command.returncode is not None, "it has ended"
    return command.returncode, said.decode()


def change(database: Path, sql: str, *values: object) -> None:
    """What no product would do to its own rows: damage them, or let time pass for them."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(sql, values)
