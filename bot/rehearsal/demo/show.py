"""The demo put together: stage, front door, page, agent, and the server between them."""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from bot.rehearsal.demo.agent import Agent
from bot.rehearsal.demo.chronicle import Chronicle
from bot.rehearsal.demo.door import Door
from bot.rehearsal.demo.live import Live
from bot.rehearsal.demo.page import Page
from bot.rehearsal.demo.presses import Presses
from bot.rehearsal.demo.runs import Runs
from bot.rehearsal.demo.scenarios import SCENARIOS, Scenario, scenario
from bot.rehearsal.demo.screen import mail_pane, slack_pane, teams_pane
from bot.rehearsal.demo.server import Server
from bot.rehearsal.demo.stage import Stage
from bot.rehearsal.demo.switches import Switches
from bot.rehearsal.platform import Json

LOOK_AT_OPEN = 1.0  # seconds between looks at questions that wait for an answer
BEHIND = "127.0.0.1"


class Show:
    """Use it as: open() (raises OSError where the port is taken), then play() until it is cancelled."""

    def __init__(self, host: str, port: int, folder: Path, files: Mapping[str, Path]) -> None:
        self._folder = folder
        self._live = Live()
        self.stage = Stage()
        self.runs = Runs(self.stage.slack.clock, self._live.changed)
        self._switches = Switches(self.stage)
        self._server: Server | None = None
        self._playing: set[asyncio.Task[None]] = set()
        page = Page(
            self.stage,
            Presses(self.stage, self.runs),
            self._live,
            self.picture,
            self.start,
            self.turn,
            self.kill,
            files,
        )
        self.door = Door(host, port, page.serve)
        self._agent: Agent | None = None
        self._is_open = False
        self._people: Mapping[str, str] = {}
        self._open = AsyncExitStack()

    async def open(self) -> None:
        await self.door.open()
        self._open.push_async_callback(self.door.close)
        await self.stage.start()
        self._open.push_async_callback(self.stage.stop)
        self.stage.meet(self.door.address)
        for platform in self.stage.platforms:
            platform.on_change(self._live.changed)
        Chronicle(self.stage, self.runs).watch()

    async def close(self) -> None:
        if self._server is not None:
            await self._server.stop()
        for task in self._playing:
            task.cancel()
        await asyncio.gather(*self._playing, return_exceptions=True)
        if self._agent is not None:
            await self._agent.close()
        await self._open.aclose()

    def settings(self, port: int) -> Mapping[str, str]:
        """The environment of the server: where it listens, and everything about the platforms."""
        return {
            **self.stage.settings(),
            "HOST": BEHIND,
            "PORT": str(port),
            "BASE_URL": self.door.address,
            "GATEBELL_DATA_DIR": str(self._folder),
        }

    async def play(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        port: int,
        key: str,
        people: Mapping[str, str],
        up: Callable[[], None],
    ) -> None:
        """Runs the server until cancelled; raises StartError if it never comes up, else calls `up` then.

        `key` is the agent's, `people` are the operators' names by their ids.
        """
        self._people = {f"operator:{each}": name for each, name in people.items()}
        address = f"http://{BEHIND}:{port}"
        self.door.lead_to(address)
        self._server = Server(command, environment, self._folder, address, self._heard)
        self._agent = Agent(self.door.address, self.runs, self.stage.caller.url)
        await self._agent.open(key)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._server.run())
                tasks.create_task(self._greet(self._server, up))
                tasks.create_task(self._look(self._agent))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    def _heard(self, kind: str, text: str) -> None:
        self.runs.see(kind, "server", text)

    async def _greet(self, server: Server, up: Callable[[], None]) -> None:
        """Adds the app in Teams as soon as the server hears of it, then says that all is ready."""
        await server.ready.wait()
        for _ in range(50):
            if await self.stage.install():
                break
            await asyncio.sleep(0.1)
        await self.stage.met()
        self._is_open = True
        self._live.changed()
        up()

    async def _look(self, agent: Agent) -> None:
        async for changed in self._live.changes(LOOK_AT_OPEN):
            for run in [each for each in self.runs.all if each.question_id][-3:]:
                if changed or not run.over:
                    await agent.look(run)
            await asyncio.sleep(0.15)

    def start(self, name: str) -> None:
        """Raises LookupError."""
        if self._agent is None or not self._is_open:
            raise LookupError("the demo is still starting")
        self._begin(scenario(name), self._agent)

    def _begin(self, wanted: Scenario, agent: Agent) -> None:
        run = self.runs.begin(wanted.name, wanted.title)
        task = asyncio.create_task(wanted.play(agent, self.runs, run), name=f"run {run.id}")
        self._playing.add(task)
        task.add_done_callback(self._playing.discard)

    async def turn(self, channel: str, to: str) -> None:
        """Raises LookupError."""
        position = await self._switches.turn(channel, to)
        self.runs.see("turned", channel, position.meaning, stray=True)

    def kill(self) -> bool:
        return self._server is not None and self._server.kill()

    def picture(self) -> Json:
        server = self._server
        return {
            "server": {
                "state": server.state if server and self._is_open else "starting",
                "show": self.stage.slack.bot_token[-12:],
            },
            "people": dict(self._people),
            "scenarios": [{"name": each.name, "title": each.title, "meaning": each.meaning} for each in SCENARIOS],
            "switches": self._switches.shown(),
            "slack": slack_pane(self.stage),
            "teams": teams_pane(self.stage),
            "mail": mail_pane(self.stage),
            "runs": [run.shown() for run in self.runs.all],
        }


def free_port() -> int:
    with suppress(OSError), socket.socket() as probe:
        probe.bind((BEHIND, 0))
        port: int = probe.getsockname()[1]
        return port
    raise OSError("this machine has no free port")
