"""The processes that take part, each alone: the sink, the floor, and the product as `gatebell serve` runs it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Line

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
ANA = "ana@example.com"
SECRET = "bench-signing-secret"


@dataclass
class Running:
    """A process that listens on a port."""

    process: subprocess.Popen[str]
    port: int
    key: str = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def processor(self) -> float:
        """Seconds of processor that it has used, in all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    @property
    def resident(self) -> float:
        """MiB of memory that it holds now."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE / 2**20

    def line(self) -> Line:
        return Line("127.0.0.1", self.port, {"Authorization": f"Bearer {self.key}"} if self.key else {})

    def stop(self, by: int = signal.SIGTERM) -> None:
        self.process.send_signal(by)
        self.process.wait(30)


@contextlib.contextmanager
def helper(module: str, *arguments: str) -> Iterator[Running]:
    """A process of the benchmarks that prints its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None  # it was asked for
    running = Running(process, int(process.stdout.readline()))
    try:
        yield running
    finally:
        running.stop(signal.SIGKILL)


def slack_settings(sink: Running) -> dict[str, str]:
    return {
        "SLACK_API_URL": f"{sink.address}/",
        "SLACK_BOT_TOKEN": "xoxb-bench-bench-bench",
        "SLACK_SIGNING_SECRET": SECRET,
        "ALERT_RECIPIENT_EMAIL": ANA,
        "CHAIN": "slack",
        "PACING": "off",
    }


class Installation:
    """A data directory with a key, on which the product can be started again and again."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._log = folder / "log"
        self._environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path.cwd()),
            "GATEBELL_DATA_DIR": str(folder / "data"),
            "LOG_LEVEL": "warning",
            **settings,
        }
        self._folder = folder
        self.key = str(json.loads(self.command("key", "create", "bench", "--scope", "admin", "--json"))["key"])

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            env=self._environ,
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"gatebell {' '.join(arguments)} failed: {done.stderr}")
        return done.stdout

    async def start(self) -> Running:
        """The server, once it is ready."""
        running = self._started(free_port())
        await self._until_ready(running)
        return running

    def _started(self, port: int) -> Running:
        command = [sys.executable, "-m", "bot", "serve"]
        environ = {**self._environ, "PORT": str(port)}
        with self._log.open("a") as log:
            process = subprocess.Popen(
                command, env=environ, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=log, text=True
            )
        return Running(process, port, self.key)

    async def _until_ready(self, running: Running) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until and running.process.poll() is None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                async with running.line() as line:
                    if (await line.call("/readyz"))[0] == 200:
                        return
            await asyncio.sleep(0.05)
        running.process.kill()
        raise RuntimeError(f"the server did not start: {self.log()}")

    def log(self) -> str:
        return self._log.read_text()[-2000:]


@contextlib.asynccontextmanager
async def product(settings: Mapping[str, str]) -> AsyncIterator[Running]:
    with tempfile.TemporaryDirectory(prefix="gatebell-bench-", dir=Path.cwd()) as folder:
        running = await Installation(Path(folder), settings).start()
        try:
            yield running
        finally:
            running.stop()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
