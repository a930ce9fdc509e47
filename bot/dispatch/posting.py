"""Putting a post and its copies into the outbox, and beginning to send them at once where this process has room."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from bot.dispatch import outbox
from bot.dispatch.outbox import NewDelivery, NewPost
from bot.dispatch.worker import Worker
from bot.store import Store, Tx


class Posting:
    def __init__(self, store: Store, worker: Worker) -> None:
        self._store = store
        self._worker = worker

    async def put(
        self,
        post: NewPost,
        copies: Sequence[NewDelivery],
        at: datetime,
        before: Callable[[Tx], Awaitable[bool]] | None = None,
    ) -> bool:
        """One transaction: whatever `before` writes, the post, its copies. False if `before` found it done already."""
        lease = self._own_lease(copies)

        async def job(tx: Tx) -> bool:
            if before and not await before(tx):
                return False
            await outbox.put_post(tx, post, at)
            await outbox.put_deliveries(tx, post, copies, at, lease)
            return True

        put = await self._store.write(job)
        if put and lease:
            self._worker.start(outbox.claims_of(post, copies, at, lease))
        elif put:
            self._worker.wake()
        return put

    def _own_lease(self, copies: Sequence[NewDelivery]) -> str:
        """A lease if this process may begin at once; else the work waits for whoever has room."""
        room = self._worker.room()
        first = {copy.chain[0] for copy in copies}
        return self._worker.lease if all(room.get(name, 0) > len(copies) for name in first) else ""
