"""The composition root: everything is made here once, and handed to whoever needs it."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, MutableMapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.abc import AbstractResolver

from bot import signing, skew
from bot.admin import decision, rooms
from bot.admin import site as admin
from bot.admin import web as pages
from bot.admin.access import Access
from bot.api import api
from bot.audit.anchor import Anchor, AnchorFile
from bot.audit.ledger import Ledger
from bot.channels import http
from bot.channels.contract import Channel, Edge, KnowsPeople
from bot.channels.registry import CHANNELS, channel_class
from bot.clock import Clock, MovableClock, RealClock
from bot.conversations.agent import Agent, endpoint_of
from bot.conversations.conversation import Conversation
from bot.directory import Directory
from bot.dispatch.cooldown import MemoryCooldown, RedisCooldown
from bot.dispatch.dispatcher import Dispatcher
from bot.dispatch.health import HealthBoard
from bot.dispatch.notice import Unfit
from bot.dispatch.outbox import FROM_WORK
from bot.dispatch.pacing import MemoryPacing, NoPacing, Pacing, RedisPacing
from bot.dispatch.pipeline import Rules
from bot.dispatch.questions import Questions
from bot.dispatch.setting import Setting
from bot.dispatch.stamps import Stamps
from bot.dispatch.tools import Tools
from bot.events.registry import CLASSES, notice_of
from bot.keys import Keys
from bot.links import Links
from bot.live_channels import LiveChannels
from bot.live_settings import LiveSettings
from bot.lobby import Lobby, raise_limit
from bot.logs import Mask
from bot.memory import ChannelMemory, Once
from bot.metrics import Metrics
from bot.opening import opened_store
from bot.operators import Accounts, Operators
from bot.redis_link import RedisLink
from bot.settings import Settings
from bot.steady import forever
from bot.store import Store, StoreUnavailable
from bot.store.alone import alone
from bot.thresholds import Thresholds
from bot.thresholds.stage import above_threshold
from bot.tries import MemoryTries, RedisTries
from interactions.registry import Registry

log = logging.getLogger(__name__)

LOCK = "server.lock"
DRAIN_SECONDS = 6.0  # for what is in flight when the server is asked to stop
LAG_EVERY = 0.5
QUEUE_EVERY = 5.0
CLOCK_EVERY = 60.0


@dataclass(slots=True)
class Spawned:
    """Work that no request waits for; it ends, or is noted as failed, before the server stops."""

    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __call__(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("work beside a request failed", exc_info=error)

    async def finish(self, seconds: float) -> None:
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=seconds)
        for task in self.tasks:
            task.cancel()


@dataclass(frozen=True, slots=True)
class Product:
    """The whole product, made but not yet listening."""

    settings: LiveSettings
    clock: Clock
    store: Store
    dispatcher: Dispatcher
    channels: LiveChannels
    metrics: Metrics
    spawned: Spawned
    web: web.Application
    state: api.State
    access: Access
    ledger: Ledger
    anchor: Anchor
    ledger_keys: Sequence[bytes]
    environment: MutableMapping[str, str]


@asynccontextmanager
async def made(
    settings: Settings,
    mask: Mask,
    kinds: Registry | None = None,
    environment: MutableMapping[str, str] | None = None,
    names: AbstractResolver | None = None,
) -> AsyncIterator[Product]:
    """Open everything, and close it again in the reverse order.

    `kinds` stands in for the kinds that come along; saved settings are put into the `environment`, if there is one.
    `names` knows where the hosts are whose addresses come from others; without it, this machine does.
    """
    async with AsyncExitStack() as stack:
        product = await _wired(
            stack, settings, mask, kinds or Registry(), {} if environment is None else environment, names
        )
        if settings.database_url.startswith("sqlite") and alone(settings.data_dir / LOCK, stack):
            await product.dispatcher.resume_at_once()
        yield product
        product.state.closing = True
        await product.dispatcher.drain(DRAIN_SECONDS)
        await product.spawned.finish(1.0)
        await product.anchor.advance()


async def _wired(
    stack: AsyncExitStack,
    settings: Settings,
    mask: Mask,
    kinds: Registry,
    environment: MutableMapping[str, str],
    names: AbstractResolver | None,
) -> Product:
    """Everything, each part handed to those that work with it; the stack closes what has to be closed."""
    clock, spawned, state = _clock(settings), Spawned(), api.State()
    metrics = Metrics(each.type for each in CLASSES)
    store = await _store(settings, stack)
    keys = partial(signing.derive, settings.secret_key)
    ledger = Ledger(store, keys("audit"), mask)
    anchor = Anchor(ledger, AnchorFile(settings.data_dir, keys("anchor")), clock.now)
    await anchor.begin()
    await anchor.advance()
    redis = await _redis(settings, metrics, stack)

    def judge(url: str, now: Settings) -> Awaitable[str]:
        return http.check_resolved(url, _allowed(now), names)

    def may_call(url: str) -> Awaitable[str]:
        return judge(url, live.now)

    links = Links(keys("links"))
    live = LiveSettings(settings, store, ledger, clock, keys("vault"), redis, environment, judge)
    allowed = live.derived(_allowed)
    shared, guarded = await _sessions(allowed, names, stack)
    directory = Directory(store, ledger, clock.now, lambda: live.now.recipient)
    thresholds = Thresholds(store, ledger, clock.now)
    questions = Questions(kinds, lambda found: f"{live.now.base_url}/api/v1/interactions/{found}", ledger)

    def channel(name: str, chosen: Settings) -> Channel:
        once = Once(store, clock.now, name)
        edge = Edge(
            http=lambda: shared,
            guarded=lambda: guarded,
            desk=dispatcher,
            talk=conversation,
            memory=ChannelMemory(store, clock.now, name),
            now=clock.now,
            once=once,
            seen=once.seen,
            remember=live.remember,
            spawn=spawned,
            base_url=chosen.base_url,
            secrets=keys(f"channel/{name}"),
        )
        return channel_class(name).make(chosen, edge)

    channels = LiveChannels(tuple(CHANNELS), channel)
    tools = Tools(
        store=store,
        channels=channels,
        readers=directory,
        clock=clock,
        stamps=Stamps(lambda: live.now.base_url, keys("copy"), keys("page"), links.open),
        pacing=_pacing(settings, redis),
        cooldown=RedisCooldown(redis) if redis else MemoryCooldown(),
        board=HealthBoard(),
        observer=metrics,
        mask=mask.text,
    )
    setting = Setting(
        directory=directory,
        questions=questions,
        rules=live.derived(_rules),
        classify=lambda event: notice_of(event, clock.now()),
        digest=signing.digest,
        told=metrics.told,
        asked=metrics.asked,
        decided=metrics.decided,
        refused=metrics.refused,
        further=(above_threshold(thresholds),),
    )
    dispatcher = Dispatcher(tools, setting)
    conversation = Conversation(
        recognise=directory.by_person,
        requests=dispatcher,
        status=dispatcher.status_words,
        agent=Agent(lambda: shared, http.signed),
        endpoint=lambda: endpoint_of(live.now),
        kinds=kinds,
        may_call=may_call,
        now=clock.now,
    )
    await live.look()
    channels.build(live.now)

    async def changed(before: Settings, after: Settings) -> None:
        mask.learn((*before.secrets, *after.secrets))
        directory.forget()
        await channels.change(before, after)
        dispatcher.wake()

    live.on_change(changed)
    faces = api.Faces(
        dispatcher=dispatcher,
        kinds=kinds,
        operators=Operators(store, ledger, clock.now, _accounts(channels)),
        keys=Keys(store, ledger, clock.now, spawned),
        thresholds=thresholds,
        ledger=ledger,
        store=store,
        clock=clock,
        metrics=metrics,
        settings=lambda: live.now,
        state=state,
        people_changed=directory.forget,
        check_url=may_call,
    )
    access = Access(store, ledger, clock.now, RedisTries(redis) if redis else MemoryTries())
    looks = admin.Faces(
        dispatcher=dispatcher,
        store=store,
        operators=faces.operators,
        keys=faces.keys,
        thresholds=thresholds,
        ledger=ledger,
        anchor=anchor,
        kinds=kinds,
        clock=clock,
        metrics=metrics,
        mask=mask,
        settings=live,
        sessions=access,
        channels=channels,
        links=links,
        form_keys=keys("forms"),
        people_changed=directory.forget,
        spawn=spawned,
    )
    application = _application(faces, looks, channels, dispatcher)
    return Product(
        settings=live,
        clock=clock,
        store=store,
        dispatcher=dispatcher,
        channels=channels,
        metrics=metrics,
        spawned=spawned,
        web=application,
        state=state,
        access=access,
        ledger=ledger,
        anchor=anchor,
        ledger_keys=keys("audit"),
        environment=environment,
    )


async def run(
    settings: Settings, mask: Mask, listening: Callable[[str, str | None], None] = lambda address, setup: None
) -> None:
    """Serve until SIGTERM or SIGINT.

    `listening` is told the address once requests are taken and, while nobody is an admin, where the set-up begins.
    """
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    raise_limit()
    lobby = Lobby()
    async with made(settings, mask, environment=os.environ) as product, asyncio.TaskGroup() as beside:
        product.web.middlewares.insert(0, lobby.middleware)
        running = [beside.create_task(work, name=name) for name, work in loops(product)]
        runner = web.AppRunner(product.web, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        await web.TCPSite(runner, settings.host, settings.port).start()
        if runner.server:
            served = runner.server
            running.append(beside.create_task(forever("lobby", lambda: lobby.watch(served)), name="lobby"))
        secret = await product.access.setup_link()
        listening(_where(runner, settings), f"{product.settings.now.base_url}/setup/{secret}" if secret else None)
        await stop.wait()
        log.info("stopping: no new work is taken")
        product.state.closing = True
        await product.dispatcher.drain(DRAIN_SECONDS)
        await runner.cleanup()
        for loop in running:
            loop.cancel()


def _where(runner: web.AppRunner, settings: Settings) -> str:
    """The address that is really listened on, and the one that people use where it is another."""
    host, port, *_ = runner.addresses[0]
    here = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return here if settings.base_url == here else f"{here}, reached at {settings.base_url}"


def loops(product: Product) -> list[tuple[str, Coroutine[Any, Any, None]]]:
    """Everything that works beside requests, by name. None of it ends by a failure, nor ends the others."""
    return [
        ("dispatch", forever("dispatch", product.dispatcher.run)),
        ("lag", forever("lag", lambda: _look_at_lag(product.metrics))),
        ("queue", forever("queue", lambda: _look_at_queue(product), QUEUE_EVERY, longest=QUEUE_EVERY)),
        ("clock", forever("clock", lambda: _look_at_clock(product), CLOCK_EVERY, sleep=_sleep_by(product.clock))),
        ("settings", forever("settings", product.settings.watch)),
        ("channels", forever("channels", product.channels.run)),
        ("anchor", forever("anchor", product.anchor.run)),
    ]


def _sleep_by(clock: Clock) -> Callable[[float], Awaitable[None]]:
    return lambda seconds: clock.until(clock.now() + timedelta(seconds=seconds))


async def _look_at_lag(metrics: Metrics) -> None:
    loop = asyncio.get_running_loop()
    before = loop.time()
    await asyncio.sleep(LAG_EVERY)
    metrics.loop_lag(max(0.0, loop.time() - before - LAG_EVERY))


async def _look_at_clock(product: Product) -> None:
    """Held against the database, where there may be replicas."""
    if not product.settings.now.database_url.startswith("postgresql"):
        return
    seconds = await skew.measure(product.store, product.clock.now)
    product.metrics.clock_ahead(seconds)
    if abs(seconds) > skew.MUCH:
        log.warning("%s; replicas whose clocks differ may send each other's work twice", skew.words(seconds))


async def _look_at_queue(product: Product) -> None:
    sql = f"SELECT COUNT(*) AS depth, MIN(due_at) AS oldest{FROM_WORK}"
    try:
        row = await product.store.read(lambda tx: tx.row(sql))
    except StoreUnavailable:
        product.metrics.up("database", up=False)
        return
    oldest = row["oldest"] if row else None
    age = product.clock.now().timestamp() - oldest if oldest else 0.0
    product.metrics.queue(row["depth"] if row else 0, max(0.0, age))
    product.metrics.up("database", up=True)


# ---- parts ----------------------------------------------------------------------------------------------------------


def _clock(settings: Settings) -> Clock:
    return MovableClock() if settings.test_clock else RealClock()


def _pacing(settings: Settings, redis: RedisLink | None) -> Pacing:
    if not settings.pacing:
        return NoPacing()
    return RedisPacing(redis) if redis else MemoryPacing()


async def _store(settings: Settings, stack: AsyncExitStack) -> Store:
    store = await opened_store(settings.database_url)
    stack.push_async_callback(store.stop)
    return store


def _rules(now: Settings) -> Rules:
    return Rules(now.alerting, now.events_disabled, now.cooldown, now.chain, now.retention_days)


def _allowed(now: Settings) -> http.Allowed:
    return http.Allowed.parse(now["ALLOWED_PRIVATE_HOSTS"])


async def _sessions(
    allowed: Callable[[], http.Allowed], names: AbstractResolver | None, stack: AsyncExitStack
) -> tuple[ClientSession, ClientSession]:
    shared = http.shared_session()
    guarded = http.guarded_session(allowed, names)
    for session in (shared, guarded):
        stack.push_async_callback(session.close)
    return shared, guarded


async def _redis(settings: Settings, metrics: Metrics, stack: AsyncExitStack) -> RedisLink | None:
    """The way to Redis, if there is one; it is never needed for what must not be lost."""
    if not settings.redis_url:
        return None
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    redis = Redis.from_url(
        settings.redis_url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=0.5, socket_timeout=1.0
    )
    stack.push_async_callback(redis.aclose)
    metrics.up("redis", up=True)

    def heard(error: Exception | None) -> None:
        metrics.up("redis", up=error is None)
        if error:
            log.warning("Redis is away; cooldown, pacing and sign-in limits are kept in memory: %s", error)
        else:
            log.warning("Redis is back")

    return RedisLink(redis, heard)


def _accounts(channels: LiveChannels) -> Accounts:
    async def account(platform: str, written: str) -> str:
        channel = channels().get(platform)
        try:
            if channel is not None and isinstance(channel, KnowsPeople):
                return await channel.account_of(written)
        except ValueError as error:
            raise Unfit(str(error), "subject") from error
        raise Unfit(f"{platform} has no accounts of people", "platform")

    return account


def _application(
    faces: api.Faces, looks: admin.Faces, channels: LiveChannels, dispatcher: Dispatcher
) -> web.Application:
    application = web.Application(
        middlewares=[pages.error_pages(pages.reads_html), *api.middlewares(faces), channels.routes()],
        client_max_size=api.LARGEST_BODY,
    )
    pages.set_up(application)
    application.add_routes(api.routes(faces))
    application.add_routes(
        decision.routes(
            dispatcher, keys=looks.form_keys, now=faces.clock.now, base_url=lambda: faces.settings().base_url
        )
    )
    application.add_routes(pages.static_routes())
    rooms.hang(application, looks)
    return application
