"""A reader who types what the pages say: one shell after the other, with everything that was exported before."""

import asyncio
import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.docs.reading import ROOT, Block

# Every answer that is not 2xx ends the block, unless the page shows the problem that comes.
_BEFORE = """set -euo pipefail
curl() { command curl --fail-with-body "$@"; }
"""
_AFTER = '\nexport -n _ 2>/dev/null; env -0 > "$KEPT_ENVIRONMENT"'
_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str


@dataclass
class Reader:
    """`address` stands for the address in the pages. `ID` and `DIGEST` are those of the last interaction."""

    folder: Path
    address: str
    environ: dict[str, str] = field(default_factory=dict)

    def settle_in(self, data: Path) -> None:
        """A working directory as in the pages: the environment beside the data."""
        (self.folder / ".venv").symlink_to(sys.prefix)
        (self.folder / "data").symlink_to(data)
        tools = Path(sys.prefix) / "bin"
        self.environ |= {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(self.folder), "PYTHONPATH": str(ROOT)}

    async def types(self, block: Block) -> Said:
        kept = self.folder / "environ"
        text = block.text.replace("http://127.0.0.1:8080", self.address)
        said = await self._run(["bash", "-c", f"{_BEFORE}{text}{_AFTER}"], KEPT_ENVIRONMENT=str(kept))
        if kept.exists():
            pairs = (entry.partition("=") for entry in kept.read_text().split("\0") if entry)
            self.environ = {name: value for name, _, value in pairs if name != "KEPT_ENVIRONMENT"}
            kept.unlink()
        self._remember(said.out)
        return said

    async def runs(self, program: str) -> Said:
        """As a module that is imported, so that a server of the page is defined but does not serve for ever."""
        (self.folder / "page.py").write_text(program)
        return await self._run([sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", "-c", "import page"])

    async def _run(self, words: list[str], **more: str) -> Said:
        process = await asyncio.create_subprocess_exec(
            *words,
            cwd=self.folder,
            env={**self.environ, **more},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(_PATIENCE):
            out, err = await process.communicate()
        return Said(process.returncode or 0, out.decode(), err.decode())

    def _remember(self, out: str) -> None:
        answer = parsed(out)
        if isinstance(answer, dict) and "digest" in answer:
            self.environ |= {"ID": answer["id"], "DIGEST": answer["digest"]}


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def shape(value: Any) -> Any:
    """What a value is made of: names and types, not what stands there this time."""
    match value:
        case dict():
            return {name: shape(inner) for name, inner in value.items()}
        case list():
            return [shape(value[0])] if value else []
        case None:
            return None
        case _:
            return type(value).__name__


def has_curl() -> bool:
    return shutil.which("curl") is not None and shutil.which("bash") is not None
