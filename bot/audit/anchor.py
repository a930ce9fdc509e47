"""The anchor of the audit log: how far the log was, noted in a file outside the database.

Whoever can write the database can empty the log, and put its end back to where it was before; this file tells. It is
written from what is committed and at most every few seconds, so it lags behind the log and never leads. Each replica
has its own, which is as good as long as it is a point of the same log.
"""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from bot.audit.ledger import FIRST, Head, Ledger
from bot.audit.verdict import Anchoring, Mark, Verdict, judge
from bot.files import locked, replace
from bot.steady import forever
from bot.store import StoreUnavailable

log = logging.getLogger(__name__)

FILE = "audit.anchor"
EVERY = 3.0  # seconds


class Forged(Exception):
    """The file is not as it was written, or none of the keys has sealed it."""


class AnchorFile:
    """`keys` are derived for it alone, newest first."""

    def __init__(self, folder: Path, keys: Sequence[bytes]) -> None:
        self.path = folder / FILE
        self._keys = tuple(keys)

    def read(self) -> Mark | None:
        """None where there is no file. Raises Forged, OSError."""
        try:
            said = json.loads(self.path.read_bytes())
            mark, seal = Mark(int(said["entries"]), str(said["last"]), _moment(said["at"])), str(said["seal"])
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise Forged(f"{self.path} cannot be read") from error
        if not any(hmac.compare_digest(seal.encode(), _seal(mark, key).encode()) for key in self._keys):
            raise Forged(f"{self.path} was sealed by somebody else")
        return mark

    def advance(self, mark: Mark) -> None:
        """Write it, unless another process has noted more by now. Raises Forged, OSError."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self.path):
            known = self.read()
            if known is None or known.seq < mark.seq:
                self._write(mark)

    def put(self, mark: Mark) -> None:
        """Write it whatever was noted before: for somebody who takes responsibility. Raises OSError."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self.path):
            self._write(mark)

    def _write(self, mark: Mark) -> None:
        said = {"entries": mark.seq, "last": mark.mac, "at": mark.at.isoformat(), "seal": _seal(mark, self._keys[0])}
        replace(self.path, json.dumps(said) + "\n")


class Anchor:
    """Keeps the file in step with the log, and says whether they fit."""

    def __init__(self, ledger: Ledger, file: AnchorFile, now: Callable[[], datetime]) -> None:
        self.path = file.path
        self._ledger = ledger
        self._file = file
        self._now = now
        self._lately = ""

    async def verify(self) -> tuple[Verdict, Anchoring]:
        """Read the whole log. Raises StoreUnavailable, OSError."""
        mark, anchoring = await self._mark()
        # The anchor is read first: a log that grows meanwhile still has its point.
        chain = await self._ledger.look(mark.seq if mark else 0)
        return judge(chain, mark, anchoring), anchoring

    async def begin(self) -> None:
        """Anchor a log that has no entry yet, so that from its first one on nothing can be taken away unseen."""
        await self._trying(self._begin)

    async def advance(self, by: str = "system") -> None:
        """Note how far the log is, if it is still the log that was noted before. Never fails: the log says why not."""
        await self._trying(lambda: self._advance(by))

    async def run(self, every: float = EVERY) -> None:
        """Advance it now and then, until cancelled."""
        await forever("anchoring the audit log", self.advance, every)

    async def accept(self, verdict: Verdict, by: str) -> None:
        """From now on the log as it is now counts; that somebody said so is its newest entry."""
        mark, _ = await self._mark()
        detail: dict[str, JsonValue] = {"trouble": verdict.trouble, "entry": verdict.entry}
        if mark:
            detail |= {"anchored": mark.seq, "anchored_at": mark.at.isoformat()}
        await self._ledger.write(self._now(), by, "audit.accepted", "audit", "", detail)
        await asyncio.to_thread(self._file.put, self._at(await self._ledger.head()))

    async def _begin(self) -> None:
        head = await self._ledger.head()
        if (await self._mark())[1] is Anchoring.MISSING and (head is None or head.seq == 0):
            await asyncio.to_thread(self._file.advance, self._at(head))

    async def _advance(self, by: str) -> None:
        mark, anchoring = await self._mark()
        if anchoring is Anchoring.FORGED:
            self._complain("the anchor of the audit log is not as it was written")
            return
        if mark is None:
            await self._anew(by)
            return
        head = await self._ledger.head()
        if await self._ledger.bound(mark.seq) != mark.mac or (head and not head.sealed):
            self._complain("the audit log does not fit its anchor")
            return
        if head and head.seq > mark.seq:
            await asyncio.to_thread(self._file.advance, self._at(head))
        self._lately = ""

    async def _anew(self, by: str) -> None:
        """An anchor that is made where entries stand already vouches for them as they are; so that is an entry too."""
        head = await self._ledger.head()
        if head and head.seq:
            await self._ledger.write(self._now(), by, "audit.anchored", "audit", "", {"entries": head.seq})
            head = await self._ledger.head()
        await asyncio.to_thread(self._file.advance, self._at(head))

    async def _mark(self) -> tuple[Mark | None, Anchoring]:
        try:
            mark = await asyncio.to_thread(self._file.read)
        except Forged:
            return None, Anchoring.FORGED
        return mark, Anchoring.THERE if mark else Anchoring.MISSING

    def _at(self, head: Head | None) -> Mark:
        return Mark(head.seq, head.mac, self._now()) if head else Mark(0, FIRST, self._now())

    async def _trying(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (StoreUnavailable, OSError, Forged, RuntimeError) as error:  # RuntimeError: the store is closed already
            if str(error) != self._lately:
                log.warning("the audit log could not be anchored: %s", error)
            self._lately = str(error)

    def _complain(self, words: str) -> None:
        if words != self._lately:
            log.error("%s; gatebell audit verify says more", words)
        self._lately = words


def _moment(said: object) -> datetime:
    at = datetime.fromisoformat(str(said))
    if at.tzinfo is None:
        raise ValueError("a moment without its zone")
    return at


def _seal(mark: Mark, key: bytes) -> str:
    return hmac.new(key, f"anchor:{mark.seq}:{mark.mac}:{mark.at.isoformat()}".encode(), hashlib.sha256).hexdigest()
