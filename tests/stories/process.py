"""`gatebell serve` as a process beside the rehearsal platforms: it can be killed, stopped and started again."""

import asyncio
import contextlib
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout

from bot.audit.ledger import Ledger
from bot.keys import Keys, Scope
from bot.operators import Operators
from bot.signing import derive
from bot.store import open_store
from interactions.model import Role
from tests.stories.world import ANA, BEN, MIA, Answered, Json, Platforms, free_port

SECRET = "the secret of every story about processes"
BLOCKED = {"agent": "Archivist", "tool": "drive.delete", "arguments": {"path": "/reports/2024.pdf"}}
PATIENCE = 20.0


@dataclass
class Process:
    """One server. Whatever was answered is the test's to count; what lies in the database can be looked at."""

    platforms: Platforms
    environ: dict[str, str]
    key: str
    http: ClientSession
    log: Path
    file_size: int = 0
    child: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.environ['PORT']}"

    @property
    def pid(self) -> int:
        assert self.child is not None, "it was not started"
        return self.child.pid

    @property
    def words(self) -> str:
        """What it has logged so far."""
        return self.log.read_text() if self.log.exists() else ""

    # ---- living and dying -------------------------------------------------------------------------------------------

    async def start(self) -> Self:
        with self.log.open("ab") as log:
            self.child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "serve", env=self.environ, stdout=log, stderr=log, cwd=Path.cwd()
            )
        if self.file_size:
            self.limit_files(self.file_size)
        self.platforms.call_back(self.address)
        await self.until_answers()
        return self

    async def until_answers(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await self._answers():
                assert self.child is None or self.child.returncode is None, self.words
                await _a_moment()

    async def kill(self) -> None:
        """As a crash, the kernel or an impatient orchestrator does: nothing is put in order."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to stop, as a deploy does; the exit code."""
        return await self._end(signal.SIGTERM)

    async def ended(self) -> int:
        assert self.child is not None, "it was not started"
        return await self.child.wait()

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

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Answered:
        headers = {"Authorization": f"Bearer {self.key}"}
        async with self.http.request(method, f"{self.address}{path}", json=body, headers=headers, **more) as response:
            return Answered(response.status, await response.json(content_type=None), response.headers)

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

    async def ask_blocked(self, to: Sequence[str] = (ANA, BEN, MIA), **fields: Any) -> Answered:
        body = {"kind": "blocked_action", "payload": BLOCKED, "audience": {"operators": list(to)}, **fields}
        return await self.call("POST", "/api/v1/interactions", body)

    async def see(self, id_: str, wait: float = 0) -> Answered:
        return await self.call("GET", f"/api/v1/interactions/{id_}", params={"wait": str(wait)})

    async def forward(self, **units: float) -> None:
        """Move its time: seconds, minutes, hours."""
        factors = {"seconds": 1, "minutes": 60, "hours": 3600}
        seconds = sum(factors[unit] * count for unit, count in units.items())
        await self.call("POST", "/testing/clock", {"advance": seconds})

    async def ready(self) -> int:
        async with self.http.get(f"{self.address}/readyz") as response:
            return response.status

    async def until_ready(self, status: int = 200) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.ready() != status:
                await _a_moment()

    async def metric(self, name: str) -> float:
        """The present value of one line of /metrics, labels and all."""
        async with self.http.get(f"{self.address}/metrics") as response:
            lines = (await response.text()).splitlines()
        found = [line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")]
        return float(found[0]) if found else 0.0

    async def until_metric(self, name: str, fits: Callable[[float], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not fits(await self.metric(name)):
                await _a_moment()

    async def rows(self, sql: str) -> list[Json]:
        store = open_store(self.environ["DATABASE_URL"])
        await store.start()
        try:
            return [dict(row) for row in await store.read(lambda tx: tx.rows(sql))]
        finally:
            await store.stop()

    async def until_rows(self, sql: str, expected: Sequence[Json]) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.rows(sql) != expected:
                await _a_moment()

    async def _answers(self) -> bool:
        try:
            async with self.http.get(f"{self.address}/healthz") as response:
                return response.status == 200
        except ClientConnectionError:
            return False


async def _a_moment() -> None:
    await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def prepared(platforms: Platforms, data: Path, name: str = "one", **changed: str) -> AsyncIterator[Process]:
    """A server that is set up but not started: Ana is an admin, Ben and Mia are operators. It dies with the test."""
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
    async with ClientSession(timeout=ClientTimeout(total=30)) as http:
        process = Process(platforms, environ, key, http, data / f"{name}.log")
        try:
            yield process
        finally:
            if process.child is not None and process.child.returncode is None:
                await process.kill()


@contextlib.asynccontextmanager
async def serving(platforms: Platforms, data: Path, name: str = "one", **changed: str) -> AsyncIterator[Process]:
    """The same, started, with Ben's Teams chat installed."""
    async with prepared(platforms, data, name, **changed) as process:
        await process.start()
        if process.environ.get("TEAMS_APP_ID"):
            await platforms.teams.chat(BEN).install()
        yield process


async def people(url: str) -> str:
    """The operators of the stories in this database, and a new key for everything."""
    store = open_store(url)
    await store.start()
    try:
        ledger = Ledger(store, derive(SECRET, "audit"))
        operators = Operators(store, ledger, _now)
        known = {each.email for each in await operators.everybody()}
        for name, email, role in (("Ana", ANA, Role.ADMIN), ("Ben", BEN, Role.OPERATOR), ("Mia", MIA, Role.OPERATOR)):
            if email not in known:
                await operators.add(email, name, role, by="cli")
        return (await Keys(store, ledger, _now).create("story", list(Scope), by="cli")).key
    finally:
        await store.stop()


def _now() -> datetime:
    return datetime.now(UTC)


def change(database: Path, sql: str, *values: object) -> None:
    """What no product would do to its own rows: damage them, or let time pass for them."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(sql, values)
