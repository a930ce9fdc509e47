import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE
from tests.provisioning import azure

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "teams_bot_bootstrap.sh"
URL = "https://gatebell.example.com"
Done = subprocess.CompletedProcess[str]
APP = "11111111-2222-4333-8444-555555555555"


class Cloud:
    """A tenant, and the shell of somebody who sets up a bot in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.saved = folder / "data" / "gateway.env"
        self._file = folder / "azure.json"
        self._commands = folder / "bin"
        self._commands.mkdir()
        self._command("az", f'exec "{sys.executable}" -I -S "{azure.__file__}" "$@"')
        self._command("sleep", "exit 0")
        self.state = azure.empty()

    def _command(self, name: str, line: str) -> None:
        path = self._commands / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def without_az(self) -> None:
        (self._commands / "az").unlink()

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._file.read_text())
        return state

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self._file.write_text(json.dumps(state))

    def has(self, **parts: Any) -> None:
        """Something is there, or otherwise, before the script runs."""
        self.state = {**self.state, **parts}

    def has_app(self, name: str = "gatebell", app: str = APP, **parts: Any) -> None:
        whole = {"appId": app, "displayName": name, "signInAudience": "AzureADMyOrg", "passwords": [], "keys": []}
        self.has(apps=[*self.state["apps"], {**whole, **parts}])

    def has_bot(self, name: str, group: str = "bells", **properties: Any) -> None:
        whole = {
            "msaAppId": APP,
            "msaAppType": "SingleTenant",
            "msaAppTenantId": azure.TENANT,
            "endpoint": f"{URL}/api/messages",
            "configuredChannels": ["webchat", "msteams"],
        }
        bot = {"name": name, "resourceGroup": group, "properties": {**whole, **properties}}
        self.has(bots=[*self.state["bots"], bot], groups=[*self.state["groups"], group], provider="Registered")

    def run(self, *arguments: str, shell: tuple[str, ...] = ("bash",), **environ: str) -> Done:
        return subprocess.run(
            [*shell, str(SCRIPT), *arguments],
            cwd=self.folder,
            env={"PATH": f"{self._commands}:{os.defpath}", "AZURE_FILE": str(self._file), **environ},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def bootstrap(self, *arguments: str) -> Done:
        """The whole of it, which has to go well."""
        done = self.run("--base-url", URL, "--resource-group", "bells", *arguments)
        assert done.returncode == 0, done.stderr
        return done

    def wait_for_a_secret(self) -> None:
        """Until the script has been given one. It reads what an az may be writing at that moment."""
        until = time.monotonic() + PATIENCE
        while '"secrets": ["' not in self._file.read_text():
            assert time.monotonic() < until, "no secret was made"
            time.sleep(0.05)

    def calls(self) -> list[list[str]]:
        calls: list[list[str]] = self.state["calls"]
        return calls

    def writes(self) -> list[str]:
        """The commands that were to change something."""
        commands = [azure.read(call)[0] for call in self.calls()]
        return [command for command in commands if command not in azure.READS]

    def forget_calls(self) -> None:
        self.has(calls=[])

    @property
    def app(self) -> dict[str, Any]:
        (app,) = self.state["apps"]
        assert isinstance(app, dict)
        return app

    @property
    def bot(self) -> dict[str, Any]:
        (bot,) = self.state["bots"]
        assert isinstance(bot, dict)
        return bot


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path)
