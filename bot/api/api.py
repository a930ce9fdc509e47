"""The API as the composition root sees it: what it needs, what it serves, and what stands in front of it."""

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.api import deliveries, docs, events, health, interactions, people, thresholds
from bot.api.edge import middleware
from bot.api.faces import Faces, State
from bot.api.operation import LIMIT as LARGEST_BODY
from bot.api.operation import Operation, route

__all__ = ["LARGEST_BODY", "OPERATIONS", "Faces", "State", "middlewares", "routes"]

OPERATIONS: tuple[Operation, ...] = (
    *events.OPERATIONS,
    *interactions.OPERATIONS,
    *deliveries.OPERATIONS,
    *thresholds.OPERATIONS,
    *people.OPERATIONS,
)


def routes(faces: Faces) -> list[web.RouteDef]:
    served = [route(operation, faces) for operation in OPERATIONS]
    return [*served, *docs.routes(OPERATIONS, faces), *health.routes(faces)]


def middlewares(faces: Faces) -> list[Middleware]:
    return [middleware(faces)]
