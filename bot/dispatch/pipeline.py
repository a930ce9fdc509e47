"""From a notice to "somebody is to be told": stages in a row, each passes the notice on or says why it ends here."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.clock import Clock
from bot.dispatch.cooldown import UNTIL_STORED, Cooldown, identity_of
from bot.dispatch.notice import Audience, Dropped, Fault, Notice, NotTold, Phase
from bot.dispatch.route import Directory, readers_for
from bot.store import StoreUnavailable

NOBODY = "There is nobody to tell yet. Add yourself: gatebell operator add you@example.com --role admin"
NO_CHANNEL = "No channel stands in the chain. Name one in CHAIN"

Stage = Callable[[Notice], Awaitable[Notice | Dropped]]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner has set: whether and how notices go out, and for how many days they are kept (0: for good).

    Read anew each time, so that a change counts at once.
    """

    enabled: bool = True
    disabled: frozenset[str] = frozenset()
    cooldown: float = 3600.0
    chain: tuple[str, ...] = ()
    kept_days: float = 90.0

    def chain_to(self, audience: Audience) -> tuple[str, ...]:
        """The ways out to an audience, in their order."""
        return (audience.channel,) if audience.channel else self.chain


async def run(stages: Sequence[Stage], notice: Notice) -> Notice | Dropped:
    for stage in stages:
        match await stage(notice):
            case Dropped() as dropped:
                return dropped
            case passed:
                notice = passed
    return notice


def switched_on(rules: Callable[[], Rules]) -> Stage:
    """What the owner has switched off ends here. A question is asked all the same: an agent waits for its answer."""

    async def stage(notice: Notice) -> Notice | Dropped:
        if not rules().enabled and notice.ask is None:
            return Dropped(NotTold.DISABLED, "alerting is switched off (ALERTING_ENABLED)")
        if notice.event.type in rules().disabled:
            return Dropped(NotTold.DISABLED, f"events of type {notice.event.type} are switched off (EVENTS_DISABLED)")
        return notice

    return stage


def with_a_way_out(rules: Callable[[], Rules]) -> Stage:
    async def stage(notice: Notice) -> Notice | Dropped:
        if not rules().chain_to(notice.audience):
            return Dropped(NotTold.NO_CHANNEL, NO_CHANNEL)
        return notice

    return stage


def cooled(cooldown: Cooldown, clock: Clock, rules: Callable[[], Rules]) -> Stage:
    """Hold back repetitions. Never a question, and never the end of a trouble, after which the next one is news."""

    async def stage(notice: Notice) -> Notice | Dropped:
        seconds = rules().cooldown
        if notice.ask is not None or seconds <= 0:
            return notice
        identity = identity_of(notice.event)
        if notice.event.phase is Phase.RESOLVED:
            await cooldown.clear(identity)
            return notice
        if not await cooldown.reserve(identity, notice.ref, clock.now(), min(seconds, UNTIL_STORED)):
            return Dropped(NotTold.COOLDOWN, f"the same was told within the last {seconds / 60:.0f} minutes")
        return notice._replace(cooldown=identity)

    return stage


def routed(directory: Directory, cooldown: Cooldown) -> Stage:
    async def give_back(notice: Notice) -> None:
        if notice.cooldown:
            await cooldown.give_back(notice.cooldown, notice.ref)

    async def stage(notice: Notice) -> Notice | Dropped:
        try:
            readers = await readers_for(notice.audience, directory)
        except (Fault, StoreUnavailable):  # nothing is stored, and whoever tells it again must be heard
            await give_back(notice)
            raise
        if readers:
            return notice._replace(readers=readers)
        await give_back(notice)
        return Dropped(NotTold.NO_READER, NOBODY)

    return stage
