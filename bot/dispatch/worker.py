"""The worker: takes each delivery that shows less than it should, and walks it down its chain or updates it in place.

It keeps no work in memory alone: what it holds is leased, what it did is a row. A hanging channel holds its own places
only; everything else flows past it.
"""

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from bot.channels.contract import CanUpdate, Channel, DeliveryError, Post, Reader, ReaderKind, Reason, Receipt
from bot.dispatch import chain, leases, outbox
from bot.dispatch.health import ChannelHealth, after_refusal, after_success
from bot.dispatch.leases import Attempt, Claim, Kept
from bot.dispatch.outbox import State
from bot.dispatch.pacing import place_of
from bot.dispatch.tools import Tools
from bot.steady import forever
from bot.store import StoreUnavailable, Tx
from interactions.card import Severity, Status
from interactions.text import visible, whole

log = logging.getLogger(__name__)

AT_ONCE = 200  # sends in flight per channel
ANSWER_WITHIN = 15.0  # seconds; channels have shorter limits of their own
LOOK_AGAIN = 1.0  # seconds until work of other replicas is noticed
LEFT_TO_OTHERS = timedelta(minutes=10)  # while versions change, a replica of another one may have the channel
LOOK_FOR_STRAYS = timedelta(minutes=1)
CROWDED = 5.0  # seconds to wait for a place, from which on the notices that wait for it are put together
URGENT = outbox.last_rank(Severity.HIGH)
POISONED = 5  # failures of ours over one copy, after which it is set aside


class Defect(DeliveryError):
    """What a channel failed with is none of its refusals: a defect of ours, which may pass."""


class Lost(Protocol):
    """Hears in the transaction that closes a copy which nobody took; true if it was a question's last copy."""

    async def __call__(self, tx: Tx, ref: str, interaction_id: str, because: str, at: datetime) -> bool: ...


class Worker:
    """`ended` is told after the commit what `lost` has ended. `turned` hears when a channel's health turns, `crowded`
    when a place overflows.
    """

    def __init__(
        self,
        tools: Tools,
        lost: Lost,
        ended: Callable[[str, Status], None],
        turned: Callable[[ChannelHealth], Awaitable[None]],
        crowded: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._tools = tools
        self._lost = lost
        self._ended = ended
        self._turned = turned
        self._crowded = crowded
        self._wake = asyncio.Event()
        self._running: Counter[str] = Counter()
        self._sending_on: dict[str, str] = {}  # by claim, the channel whose room it takes up
        self._held_since: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.lease = secrets.token_hex(8)  # this worker's name: what another one has taken over is no longer ours

    def room(self) -> dict[str, int]:
        """How many more sends each channel bears now."""
        return {name: AT_ONCE - self._running[name] for name in self._tools.channels()}

    def has_room(self, channel: str, copies: int) -> bool:
        """Whether so many may be begun here at once; a worker that stops leaves them to the next one."""
        here = channel in self._tools.channels() and not self._stopping
        return here and AT_ONCE - self._running[channel] > copies

    def wake(self) -> None:
        self._wake.set()

    def start(self, claims: Sequence[Claim]) -> None:
        """Work on claims that are leased already."""
        for claim in claims:
            if claim.id in self._held_since:  # its lease ran out while it is still being shown here
                continue
            self._held_since[claim.id] = time.monotonic()
            self._enter(claim, claim.channel)
            task = asyncio.create_task(self._work(claim))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def run(self) -> None:
        """Claim and work until cancelled."""
        await forever("taking up work", self._take_up, longest=LOOK_AGAIN, over=lambda: self._stopping)

    async def keep_leases(self) -> None:
        """Renew the leases of what takes long, until cancelled: a short lease lets others take over soon."""
        await forever("renewing leases", self._renew, outbox.LEASE_SECONDS / 3, longest=LOOK_AGAIN)

    async def take_in_strays(self) -> None:
        """Take up what waits for a channel that this version does not have, until cancelled: nobody else may ever."""
        await forever("taking in strays", self._take_in_strays, longest=LOOK_FOR_STRAYS.total_seconds())

    async def drain(self, seconds: float) -> None:
        """Stop claiming; let what is in flight end within the time. What does not is taken over after its lease."""
        self._stopping = True
        self.wake()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()

    async def _renew(self) -> None:
        long_since = time.monotonic() - outbox.LEASE_SECONDS / 3
        ids = [delivery for delivery, began in self._held_since.items() if began < long_since]
        if ids:
            await self._tools.store.put(leases.renewed(ids, self.lease, self._tools.clock.now()))

    async def _take_up(self) -> None:
        self._wake.clear()
        now = self._tools.clock.now()
        if not await self._claim(self.room(), now):
            await self._rest(now)

    async def _take_in_strays(self) -> None:
        now, here = self._tools.clock.now(), self._tools.channels()
        waiting = await self._tools.store.read(lambda tx: leases.waiting_channels(tx, now - LEFT_TO_OTHERS))
        strays = {name: AT_ONCE - self._running[name] for name in waiting if name not in here}
        if strays and not self._stopping:
            await self._claim(strays, now)
        await self._tools.clock.until(now + LOOK_FOR_STRAYS)

    async def _claim(self, room: Mapping[str, int], now: datetime) -> int:
        """Take up what is due and begin with it; how much that was."""
        claimed, aside = await self._tools.store.write(lambda tx: leases.claim(tx, self.lease, room, now))
        self.start(claimed)
        for each in aside:
            log.error("a copy cannot be read and is set aside", extra={"ref": each.ref})
            lost = partial(
                self._lost, ref=each.ref, interaction_id=each.interaction_id, because=leases.UNREADABLE, at=now
            )
            if await self._tools.store.write(lost):
                self._ended(each.interaction_id, Status.UNDELIVERABLE)
        return len(claimed)

    async def _rest(self, looked: datetime) -> None:
        """Sleep until more work falls due than was looked at, is announced, or may have been left by another replica.

        What was due then and yet not taken waits for room on its channel, or for a version that has it.
        """
        due = await self._tools.store.read(lambda tx: leases.next_due(tx, looked))
        seconds = LOOK_AGAIN if due is None else min(LOOK_AGAIN, max(0.02, due - looked.timestamp()))
        resting = asyncio.ensure_future(self._tools.clock.until(looked + timedelta(seconds=seconds)))
        woken = asyncio.ensure_future(self._wake.wait())
        await asyncio.wait({resting, woken}, return_when=asyncio.FIRST_COMPLETED)
        resting.cancel()
        woken.cancel()

    async def _work(self, claim: Claim) -> None:
        try:
            await self._keep(await self._shown(claim))
        except StoreUnavailable as error:  # the lease runs out, and somebody takes it up again
            log.warning("a copy waits for the database: %s", error, extra={"ref": claim.ref})
        except Exception:
            log.exception("a result could not be written; the copy will be shown again", extra={"ref": claim.ref})
        finally:
            del self._held_since[claim.id]
            self._leave(claim)

    def _enter(self, claim: Claim, channel: str) -> None:
        """Take up a place of this channel, and give back the one that was held: who falls back crowds no one behind."""
        if claim.id in self._sending_on:
            self._leave(claim)
        self._sending_on[claim.id] = channel
        self._running[channel] += 1

    def _leave(self, claim: Claim) -> None:
        channel = self._sending_on.pop(claim.id)
        self._running[channel] -= 1
        if self._running[channel] >= AT_ONCE - 1:
            self.wake()

    async def _keep(self, kept: Kept) -> None:
        """Write the result; while the database is away, keep trying for as long as the lease may last."""
        patience = time.monotonic() + outbox.LEASE_SECONDS
        while True:
            try:
                state, ended = await self._record(kept, self._tools.clock.now())
            except StoreUnavailable:
                if time.monotonic() > patience:
                    log.error(
                        "a result could not be written; the copy will be shown again", extra={"ref": kept.claim.ref}
                    )
                    return
                await asyncio.sleep(LOOK_AGAIN)
                continue
            if ended:
                self._ended(kept.claim.interaction_id, Status.UNDELIVERABLE)
            if ended or state == State.OPEN:  # else there is nothing to look for, and looking takes longer than keeping
                self.wake()
            return

    async def _record(self, kept: Kept, at: datetime) -> tuple[str, bool]:
        """The state of the copy; and whether it was the last one of a question, which has reached nobody."""
        if kept.state is State.FAILED:
            return await self._tools.store.write(partial(self._record_failed, kept, at))
        return leases.state_in(await self._tools.store.put(*leases.kept_writes(kept, at))), False

    async def _record_failed(self, kept: Kept, at: datetime, tx: Tx) -> tuple[str, bool]:
        state = await leases.keep(tx, kept, at)
        if state != State.FAILED:
            return state, False
        if kept.shown >= 0:
            return await leases.open_again(tx, kept.claim, at), False
        return state, await self._lost(tx, kept.claim.ref, kept.claim.interaction_id, kept.detail, at)

    async def _shown(self, claim: Claim) -> Kept:
        """What becomes of a claim, whatever happens: one that nobody can work on must not come back for ever."""
        try:
            return await self._show(claim)
        except StoreUnavailable:
            raise
        except Exception as error:
            log.exception("a copy could not be worked on", extra={"ref": claim.ref})
            return _set_aside(claim, f"unexpected failure ({type(error).__name__})", self._tools.clock.now())

    async def _show(self, claim: Claim) -> Kept:
        reader = await self._reader(claim)
        if reader is None:
            kept = Kept(claim, (), claim.shown, claim.receipt, claim.step, State.FAILED)
            return kept._replace(reason="no_reader", detail="gone")
        post = self._tools.stamps.post(claim)
        if claim.receipt:
            return await self._update(claim, claim.receipt, reader, post)
        return await self._walk(claim, reader, post)

    async def _reader(self, claim: Claim) -> Reader | None:
        if claim.reader:
            return claim.reader
        if claim.reader_kind is ReaderKind.OPERATOR:
            known = await self._tools.readers.reader(claim.reader_id)
            if known is None and claim.receipt:  # somebody who left still holds a copy, and it must not lie
                return Reader(ReaderKind.OPERATOR, claim.reader_id)
            return known
        return Reader(claim.reader_kind, claim.reader_id, place=claim.place)

    async def _walk(self, claim: Claim, reader: Reader, post: Post) -> Kept:
        """Down the chain to the first channel that accepts."""
        attempts: list[Attempt] = []
        refusals: list[DeliveryError] = []
        urgent = claim.rank <= URGENT
        for step in range(claim.step, len(claim.chain)):
            name, more = claim.chain[step], step + 1 < len(claim.chain)
            channel = self._tools.channels().get(name)
            if channel is None or channel.missing():
                refusals.append(_not_here(name, channel))
                continue
            if self._sending_on[claim.id] != name:
                if self._running[name] >= AT_ONCE:
                    return _later(claim, attempts, step, 0.0, claim.tries, refusals)
                self._enter(claim, name)
            now = self._tools.clock.now().timestamp()
            moment = await self._slot(claim, step, channel, urgent, now)
            if moment > now and not (urgent and more):
                if moment - now > CROWDED:
                    await self._crowded(name, claim.reader_id)
                return _later(claim, attempts, step, moment, claim.tries, refusals)
            outcome = (
                await self._attempt(channel, reader, post, claim, attempts) if moment <= now else _busy(moment - now)
            )
            if isinstance(outcome, Receipt):
                self._tools.observer.shown(max(0.0, self._tools.clock.now().timestamp() - claim.created_at))
                return Kept(claim, attempts, claim.version, outcome, step, State.DONE)
            refusals.append(outcome)
            until = await self._silence(name, claim, outcome)
            age = self._tools.clock.now().timestamp() - claim.wanted_since
            if chain.after_refusal(outcome.reason, urgent, more, age) is chain.Move.WAIT:
                return _later(claim, attempts, step, until, claim.tries + 1, refusals)
        return await self._refused(claim, attempts, refusals)

    async def _silence(self, channel: str, claim: Claim, refused: DeliveryError) -> float:
        """Keep the silence that a busy platform asks for, counted from its answer; until when."""
        until = self._tools.clock.now().timestamp() + chain.silence(claim.tries, refused.retry_after)
        if refused.reason is Reason.RATE_LIMITED:
            await self._tools.pacing.block(_place(channel, claim), until)
        return until

    async def _refused(self, claim: Claim, attempts: list[Attempt], refusals: list[DeliveryError]) -> Kept:
        """The whole chain refused: again later if that can help, else closed as failed; the next occurrence is told."""
        if claim.cooldown:
            await self._tools.cooldown.give_back(claim.cooldown, claim.ref)
        now = self._tools.clock.now().timestamp()
        reason, detail = _sum_up(refusals)
        reasons = [each.reason for each in refusals]
        if chain.worth_retrying(reasons, now - claim.wanted_since) or _may_pass(claim, refusals):
            waits = [each.retry_after for each in refusals if each.retry_after]
            due = now + chain.backoff(claim.tries, min(waits) if waits else None)
            kept = Kept(claim, attempts, claim.shown, due_at=due, tries=claim.tries + 1)
        else:
            self._tools.observer.gave_up(claim.channel)
            kept = Kept(claim, attempts, claim.shown, step=claim.step, state=State.FAILED)
        return kept._replace(reason=reason, detail=detail)

    async def _update(self, claim: Claim, receipt: Receipt, reader: Reader, post: Post) -> Kept:
        """The copy where it lies: in place, on its own channel."""
        channel = self._tools.channels().get(receipt.channel)
        if channel is None:
            return _stale(claim, (), receipt, _not_here(receipt.channel, None))
        if not isinstance(channel, CanUpdate):
            return Kept(claim, (), claim.version, receipt, claim.step, State.DONE)
        attempts: list[Attempt] = []
        silent_until = await self._tools.pacing.blocked_until(_place(receipt.channel, claim))
        if silent_until > self._tools.clock.now().timestamp():
            return Kept(claim, (), claim.shown, receipt, claim.step, due_at=silent_until, tries=claim.tries)
        if channel.missing():
            outcome: Receipt | DeliveryError = _not_here(receipt.channel, channel)
        else:
            outcome = await self._attempt(channel, reader, post, claim, attempts)
        if isinstance(outcome, Receipt):
            return Kept(claim, attempts, claim.version, outcome, claim.step, State.DONE)
        await self._silence(receipt.channel, claim, outcome)
        now = self._tools.clock.now().timestamp()
        if chain.worth_updating_again(outcome.reason, now - claim.wanted_since) or _may_pass(claim, [outcome]):
            due = now + chain.backoff(claim.tries, outcome.retry_after)
            later = _stale(claim, attempts, receipt, outcome)
            return later._replace(state=State.OPEN, due_at=due, tries=claim.tries + 1)
        return _stale(claim, attempts, receipt, outcome)

    async def _attempt(
        self, channel: Channel, reader: Reader, post: Post, claim: Claim, attempts: list[Attempt]
    ) -> Receipt | DeliveryError:
        """One real try, timed, counted and noted, whatever comes of it."""
        at, began = self._tools.clock.now(), time.perf_counter()
        if self._tools.board.of(channel.name).paused(at):
            return DeliveryError(Reason.TIMED_OUT, f"{channel.title} has not answered several times; pausing")
        outcome = _fit_to_keep(await _try(channel, reader, post, claim.receipt), self._tools.mask)
        took = time.perf_counter() - began
        refused = outcome if isinstance(outcome, DeliveryError) else None
        verb = "update" if claim.receipt else "send"
        reason, detail = (str(refused.reason), refused.detail) if refused else ("", "")
        attempts.append(Attempt(channel.name, verb, claim.version, at, round(took * 1000, 2), reason, detail))
        self._tools.observer.attempted(channel.name, reason, took)
        await self._learn(channel.name, refused)
        return outcome

    async def _learn(self, channel: str, refused: DeliveryError | None) -> None:
        before = self._tools.board.of(channel)
        if before.well and not refused:
            return
        at = self._tools.clock.now()
        after = after_refusal(before, refused.reason, refused.detail, at) if refused else after_success(before, at)
        if after is not before and self._tools.board.put(after):
            await self._turned(after)

    async def _slot(self, claim: Claim, step: int, channel: Channel, urgent: bool, now: float) -> float:
        """When this copy may go out: the slot that it has booked before, or a new one."""
        if claim.slot and step == claim.step:
            return max(claim.slot, await self._tools.pacing.blocked_until(_place(channel.name, claim)))
        return await self._tools.pacing.book(_place(channel.name, claim), channel.rates, now, urgent)


def _set_aside(claim: Claim, detail: str, at: datetime) -> Kept:
    """Again a little later; for the last time set aside for good, so that people see it among what failed."""
    kept = Kept(claim, (), claim.shown, claim.receipt, claim.step, tries=claim.tries + 1)
    kept = kept._replace(reason=str(Reason.INVALID), detail=detail)
    if kept.tries >= POISONED:
        return kept._replace(state=State.FAILED)
    return kept._replace(due_at=at.timestamp() + chain.backoff(claim.tries))


async def _try(channel: Channel, reader: Reader, post: Post, receipt: Receipt | None) -> Receipt | DeliveryError:
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            if receipt is not None and isinstance(channel, CanUpdate):
                return await channel.update(reader, receipt, post)
            return await channel.send(reader, post)
    except DeliveryError as error:
        return error
    except TimeoutError:
        return DeliveryError(Reason.TIMED_OUT, f"{channel.title} did not answer within {ANSWER_WITHIN:.0f} s")
    except StoreUnavailable:  # what a channel remembers lies there: it says nothing about the channel
        raise
    except Exception as error:  # a defect of one channel must not stop the others
        log.exception("unexpected failure of a channel", extra={"channel": channel.name})
        return Defect(Reason.INVALID, f"unexpected failure ({type(error).__name__})")


def _fit_to_keep(outcome: Receipt | DeliveryError, mask: Callable[[str], str]) -> Receipt | DeliveryError:
    """What a platform said holds no secret any more, and nothing that a database refuses: it may say anything."""
    if isinstance(outcome, Receipt | Defect):
        return outcome
    return DeliveryError(outcome.reason, whole(visible(mask(outcome.detail))), outcome.retry_after)


def _may_pass(claim: Claim, refusals: Sequence[DeliveryError]) -> bool:
    """Whether it was a defect, and it has not been one too often."""
    return claim.tries + 1 < POISONED and any(isinstance(each, Defect) for each in refusals)


def _not_here(name: str, channel: Channel | None) -> DeliveryError:
    return DeliveryError(Reason.NOT_SET_UP, f"{name} is not {'set up' if channel else 'part of this version'}")


def _place(channel: str, claim: Claim) -> str:
    return place_of(channel, claim.reader_kind, claim.place or claim.reader_id)


def _busy(seconds: float) -> DeliveryError:
    return DeliveryError(Reason.RATE_LIMITED, "the platform asked for a pause", retry_after=seconds)


def _later(
    claim: Claim, attempts: Sequence[Attempt], step: int, moment: float, tries: int, refusals: Sequence[DeliveryError]
) -> Kept:
    reason, detail = _sum_up(refusals) if refusals else ("", "")
    kept = Kept(claim, attempts, claim.shown, step=step, due_at=moment, slot=moment, tries=tries)
    return kept._replace(reason=reason, detail=detail)


def _stale(claim: Claim, attempts: Sequence[Attempt], receipt: Receipt, refused: DeliveryError) -> Kept:
    """A copy that lies somewhere and goes on saying what it said."""
    kept = Kept(claim, attempts, claim.shown, receipt, claim.step, State.FAILED)
    return kept._replace(reason=str(refused.reason), detail=refused.detail)


def _sum_up(refusals: Sequence[DeliveryError]) -> tuple[str, str]:
    last = refusals[-1] if refusals else DeliveryError(Reason.NOT_SET_UP, "no channel is set up")
    return str(last.reason), "; ".join(each.detail or str(each.reason) for each in refusals)
