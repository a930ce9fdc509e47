"""The product as a process of its own: started, watched, killed on demand, started again."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout

LOOK = 0.05  # seconds between looks whether it answers
STARTS_WITHIN = 60.0
STOPS_WITHIN = 12.0
SHORT_LIFE = 3.0  # whatever ends sooner than this after its start is given a pause


class State(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    KILLED = "killed"
    STOPPED = "stopped"


class StartError(Exception):
    """The server ended before it ever answered; the message is what it said last."""


class Server:
    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        address: str,
        tell: Callable[[str, str], None],
    ) -> None:
        """`address` is where it listens; `tell` takes what happens to it: a kind and a sentence."""
        self._command = command
        self._environment = dict(environment)
        self._folder = folder
        self._address = address
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self.state = State.STARTING
        self.lives = 0
        self.ready = asyncio.Event()

    @property
    def log(self) -> Path:
        return self._folder / "server.log"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def run(self) -> None:
        """Until `stop`; raises StartError if the first start fails."""
        async with ClientSession(timeout=ClientTimeout(total=2)) as session:
            while not self._stopping:
                born = time.monotonic()
                await self._live(session, born)
                if not self._stopping and time.monotonic() - born < SHORT_LIFE:
                    await asyncio.sleep(0.5)

    def kill(self) -> bool:
        """Kills it with signal 9, as an out-of-memory killer or a power cut would."""
        if self._process is None or self._process.returncode is not None:
            return False
        self.state = State.KILLED
        self.ready.clear()
        self._process.kill()
        self._tell("fail", f"The server was killed with signal 9 (process {self._process.pid})")
        return True

    async def stop(self) -> None:
        self._stopping = True
        if self._process is None or self._process.returncode is not None:
            return
        try:
            self._process.terminate()
            async with asyncio.timeout(STOPS_WITHIN):
                await self._process.wait()
        except ProcessLookupError:
            return
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _live(self, session: ClientSession, born: float) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.lives += 1
        if await self._answers(session, self._process):
            self._is_up(time.monotonic() - born)
            code = await self._process.wait()
            self._is_down(code)
        elif self.lives == 1 and not self._stopping:
            raise StartError(self._last_words())

    async def _answers(self, session: ClientSession, process: asyncio.subprocess.Process) -> bool:
        until = time.monotonic() + STARTS_WITHIN
        while process.returncode is None and time.monotonic() < until:
            try:
                async with session.get(f"{self._address}/readyz") as reply:
                    if reply.status == 200:
                        return True
            except (ClientError, TimeoutError):
                pass
            await asyncio.sleep(LOOK)
        if process.returncode is None:
            process.kill()
            await process.wait()
        return False

    def _is_up(self, took: float) -> None:
        self.state = State.RUNNING
        self.ready.set()
        again = f"The server is back after {took:.1f} s and takes up its work from the database"
        self._tell("server", again if self.lives > 1 else f"The server is up after {took:.1f} s")

    def _is_down(self, code: int) -> None:
        self.ready.clear()
        if self._stopping:
            self.state = State.STOPPED
            return
        if self.state is not State.KILLED:
            self._tell("fail", _end(code))
        self.state = State.KILLED
        self._tell("server", "The server is starting again")

    def _last_words(self) -> str:
        said = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return "\n".join(said[-15:]) or "it said nothing"


def _end(code: int) -> str:
    """A process that a signal ended has the signal's number, negative, as its code."""
    return f"The server was ended by signal {-code}" if code < 0 else f"The server ended with {code}"
