"""Putting a post and its copies into the outbox, and beginning to send them at once where this process has room."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from bot.dispatch import leases, outbox
from bot.dispatch.outbox import NewDelivery, NewPost
from bot.dispatch.worker import Worker
from bot.store import Store, Tx, Write


class Posting:
    def __init__(self, store: Store, worker: Worker) -> None:
        self._store = store
        self._worker = worker

    async def put(self, post: NewPost, copies: Sequence[NewDelivery], at: datetime, *beside: Write) -> None:
        """One transaction: what stands `beside`, the post, its copies."""
        lease = self._own_lease(copies)
        await self._store.put(
            *beside,
            Write(outbox.POST, [outbox.post_row(post, at)]),
            Write(outbox.DELIVERY, outbox.delivery_rows(post.ref, outbox.rank_of(post), copies, at, lease)),
        )
        self._begin(post, copies, at, lease)

    async def put_unless(
        self,
        post: NewPost,
        copies: Sequence[NewDelivery],
        at: datetime,
        before: Callable[[Tx], Awaitable[bool]],
    ) -> bool:
        """The same with whatever `before` writes; it says false, and nothing is put, if it found it done already."""
        lease = self._own_lease(copies)

        async def job(tx: Tx) -> bool:
            if not await before(tx):
                return False
            await outbox.put_post(tx, post, at)
            await outbox.put_deliveries(tx, post, copies, at, lease)
            return True

        put = await self._store.write(job)
        if put:
            self._begin(post, copies, at, lease)
        return put

    def _begin(self, post: NewPost, copies: Sequence[NewDelivery], at: datetime, lease: str) -> None:
        if lease:
            self._worker.start(leases.claims_of(post, copies, at, lease))
        else:
            self._worker.wake()

    def _own_lease(self, copies: Sequence[NewDelivery]) -> str:
        """A lease if this process may begin at once; else the work waits for whoever has room."""
        first = {copy.chain[0] for copy in copies}
        return self._worker.lease if all(self._worker.has_room(name, len(copies)) for name in first) else ""
