import asyncio
import os
import shutil
import sys
from contextlib import chdir
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.app import app
from bot.store.migrate import bring_up_to_date


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with its tables: migrating once is enough for every test here."""
    path = tmp_path_factory.mktemp("migrated") / "gatebell.db"
    asyncio.run(bring_up_to_date(f"sqlite:///{path}"))
    return path


class Shell:
    """The command line over a data directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"GATEBELL_DATA_DIR": str(folder)}

    def run(self, *words: str, typed: str = "", **environ: str) -> Result:
        with chdir(self.folder):  # a developer's own .env is none of a test's business
            return CliRunner().invoke(app, words, input=typed, env=self.environ | environ)

    async def start(self, *words: str, **environ: str) -> asyncio.subprocess.Process:
        """The same as a process of its own."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *words,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], **self.environ, **environ},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )


@pytest.fixture
def shell(tmp_path: Path, migrated: Path) -> Shell:
    shutil.copy(migrated, tmp_path / "gatebell.db")
    return Shell(tmp_path)
