"""Everything that the API serves."""

from aiohttp import web

from bot.api import docs, events, health, interactions, people
from bot.api.faces import Faces
from bot.api.operation import Operation, route

OPERATIONS: tuple[Operation, ...] = (*events.OPERATIONS, *interactions.OPERATIONS, *people.OPERATIONS)


def routes(faces: Faces) -> list[web.RouteDef]:
    served = [route(operation, faces) for operation in OPERATIONS]
    return [*served, *docs.routes(OPERATIONS, faces), *health.routes(faces)]
