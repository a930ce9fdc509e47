"""What is counted. No label holds what comes from outside, so that nobody can blow up the number of series."""

from collections.abc import Iterable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """One registry per process, made once by the composition root."""

    def __init__(self, event_types: Iterable[str] = ()) -> None:
        self._event_types = frozenset(event_types)
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        # A series that was looked up once is kept: finding it by its labels costs more than counting.
        self._events = cache(
            Counter("gatebell_events", "Events by what became of them", ["type", "result"], registry=registry).labels
        )
        self._attempts = cache(
            Counter(
                "gatebell_delivery_attempts",
                "Attempts to show a card: shown, or the reason why not",
                ["channel", "reason"],
                registry=registry,
            ).labels
        )
        self._send = cache(
            Histogram(
                "gatebell_send_seconds", "How long a channel took", ["channel"], buckets=_SECONDS, registry=registry
            ).labels
        )
        self._shown = Histogram(
            "gatebell_shown_seconds", "From accepting to the first copy shown", buckets=_SECONDS, registry=registry
        )
        self._asked = Counter("gatebell_interactions", "Questions that were put to people", ["kind"], registry=registry)
        self._ended = Counter("gatebell_interactions_ended", "How questions ended", ["status"], registry=registry)
        self._refused = Counter("gatebell_clicks_refused", "Clicks without effect", ["why"], registry=registry)
        self._given_up = Counter(
            "gatebell_deliveries_failed", "Copies that were given up", ["channel"], registry=registry
        )
        self._queue = Gauge("gatebell_queue_depth", "Copies that wait to be shown or updated", registry=registry)
        self._oldest = Gauge("gatebell_queue_oldest_seconds", "How long the oldest of them waits", registry=registry)
        self._broken = Gauge(
            "gatebell_channel_broken", "1 where a channel's credentials are refused", ["channel"], registry=registry
        )
        self._up = Gauge("gatebell_up", "1 where what the server leans on answers", ["what"], registry=registry)
        self._ahead = Gauge(
            "gatebell_clock_ahead_seconds", "By how much this clock is ahead of PostgreSQL's", registry=registry
        )
        self._lag = Gauge("gatebell_loop_lag_seconds", "How late the event loop was, last time", registry=registry)
        self._requests = cache(
            Counter("gatebell_http_requests", "Requests", ["method", "route", "status"], registry=registry).labels
        )
        self._request = cache(
            Histogram(
                "gatebell_http_seconds", "How long requests took", ["route"], buckets=_SECONDS, registry=registry
            ).labels
        )

    def told(self, event_type: str, result: str) -> None:
        """An event and what became of it. Types that no class knows are counted together."""
        self._events(event_type if event_type in self._event_types else "other", result).inc()

    def attempted(self, channel: str, reason: str, seconds: float) -> None:
        """`reason` is "" where the copy was shown."""
        self._attempts(channel, reason or "shown").inc()
        self._send(channel).observe(seconds)

    def gave_up(self, channel: str) -> None:
        self._given_up.labels(channel).inc()

    def shown(self, seconds: float) -> None:
        """From accepting to the first copy shown."""
        self._shown.observe(seconds)

    def asked(self, kind: str) -> None:
        self._asked.labels(kind).inc()

    def decided(self, status: str) -> None:
        """A question has ended."""
        self._ended.labels(status).inc()

    def refused(self, why: str) -> None:
        self._refused.labels(why).inc()

    def queue(self, depth: int, oldest_seconds: float) -> None:
        self._queue.set(depth)
        self._oldest.set(oldest_seconds)

    def broken(self, channel: str, *, broken: bool) -> None:
        self._broken.labels(channel).set(broken)

    def up(self, what: str, *, up: bool) -> None:
        """`what` is database, redis and the like."""
        self._up.labels(what).set(up)

    def clock_ahead(self, seconds: float) -> None:
        """Of the database's; negative where it is behind."""
        self._ahead.set(seconds)

    def loop_lag(self, seconds: float) -> None:
        self._lag.set(seconds)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is the pattern, never the address that was asked for."""
        self._requests(method, route, status).inc()
        self._request(route).observe(seconds)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)
