"""Redis as something that may be away: every call either answers soon or says so, and nobody waits for it twice."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")

ASK_AGAIN = 1.0  # seconds between tries while it is away


class RedisLink:
    """`heard` is told of each failure, and of None when Redis answers again."""

    def __init__(self, redis: Any, heard: Callable[[Exception | None], None]) -> None:
        self.redis = redis
        self._heard = heard
        self._away_until = 0.0
        self._away = False

    def script(self, source: str) -> Callable[..., Awaitable[Any]]:
        """A script that Redis runs as one step."""
        registered: Callable[..., Awaitable[Any]] = self.redis.register_script(source)
        return registered

    async def ask(self, call: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """What Redis answers; `otherwise` while it is away."""
        from redis.exceptions import RedisError

        if time.monotonic() < self._away_until:
            return otherwise
        try:
            answer = await call()
        except (RedisError, OSError, TimeoutError) as error:
            self._away, self._away_until = True, time.monotonic() + ASK_AGAIN
            self._heard(error)
            return otherwise
        if self._away:
            self._away = False
            self._heard(None)
        return answer
