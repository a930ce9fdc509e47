"""Operators, keys and the audit log: what an admin's key may see and change."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, Field, JsonValue

from bot.api.operation import Call, Reply, op
from bot.api.problem import unfit
from bot.api.shapes import Name, Page, PageOut, Strict
from bot.audit.ledger import Entry
from bot.dispatch.notice import Unknown
from bot.keys import ApiKey, Scope
from bot.operators import Operator
from interactions.model import Role

LAST = 2**31 - 1


class OperatorIn(Strict):
    email: Name = Field(max_length=254)
    name: Name = Field(default="", max_length=200)
    role: Role = Role.OPERATOR


class OperatorChange(Strict):
    name: Name | None = Field(default=None, min_length=1, max_length=200)
    role: Role | None = None


class IdentityIn(Strict):
    """What a platform calls this person, such as a Slack member id."""

    platform: Name = Field(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_-]*$")
    subject: Name = Field(min_length=1, max_length=300)


class OperatorOut(BaseModel):
    id: str
    email: str
    name: str
    role: Role
    created_at: datetime
    identities: list[IdentityIn]


class OperatorsOut(BaseModel):
    items: list[OperatorOut]


class KeyIn(Strict):
    name: Name = Field(min_length=1, max_length=200)
    scopes: list[Scope] = Field(min_length=1, max_length=20)
    operator: Name = Field(
        default="", max_length=254, description="Whose answers it may give: an e-mail address or id."
    )


class KeyOut(BaseModel):
    id: str
    name: str
    scopes: list[Scope]
    operator_id: str | None = None
    created_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class NewKeyOut(BaseModel):
    id: str
    name: str
    key: str = Field(description="Shown this once.")
    scopes: list[Scope]


class KeysOut(BaseModel):
    items: list[KeyOut]


class AuditFilter(Page):
    cursor: Annotated[str, Field(pattern=r"^\d{0,10}$")] = ""
    subject: Name = Field(default="", max_length=300)


class EntryOut(BaseModel):
    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    place: str
    on_behalf: str
    detail: dict[str, JsonValue]


class EntriesOut(PageOut):
    items: list[EntryOut]


@op("GET", "/api/v1/operators", Scope.ADMIN, answers={200: OperatorsOut})
async def operators(call: Call) -> Reply:
    """List the people who may be asked."""
    return Reply({"items": [_operator(each) for each in await call.faces.operators.everybody()]})


@op(
    "POST",
    "/api/v1/operators",
    Scope.ADMIN,
    body=OperatorIn,
    answers={201: OperatorOut},
    examples={"ana": {"email": "ana@example.com", "name": "Ana", "role": "admin"}},
    problems=(409,),
)
async def add_operator(call: Call, body: OperatorIn) -> Reply:
    """Add a person. One that was removed comes back with the same id."""
    added = await call.faces.operators.add(body.email, body.name, body.role, by=call.actor)
    call.faces.people_changed()
    return Reply(_operator(added), 201)


@op("GET", "/api/v1/operators/{id}", Scope.ADMIN, answers={200: OperatorOut}, problems=(404,))
async def operator(call: Call) -> Reply:
    """Look at one person, by id or e-mail address."""
    return Reply(_operator(await call.faces.operators.get(await _id(call, call.path["id"]))))


@op(
    "PATCH",
    "/api/v1/operators/{id}",
    Scope.ADMIN,
    body=OperatorChange,
    answers={200: OperatorOut},
    examples={"admin": {"role": "admin"}},
    problems=(404, 409),
)
async def change_operator(call: Call, body: OperatorChange) -> Reply:
    """Change a person's name or role.

    Somebody has to be an admin: 409 for the last one.
    """
    who = await _id(call, call.path["id"])
    changed = await call.faces.operators.change(who, name=body.name, role=body.role, by=call.actor)
    call.faces.people_changed()
    return Reply(_operator(changed))


@op("DELETE", "/api/v1/operators/{id}", Scope.ADMIN, answers={204: None}, problems=(404, 409))
async def remove_operator(call: Call) -> Reply:
    """Remove a person, who from now on decides nothing and is told nothing.

    Somebody has to be an admin: 409 for the last one.
    """
    await call.faces.operators.remove(await _id(call, call.path["id"]), by=call.actor)
    call.faces.people_changed()
    return Reply(status=204)


@op(
    "POST",
    "/api/v1/operators/{id}/identities",
    Scope.ADMIN,
    body=IdentityIn,
    answers={200: OperatorOut},
    examples={"slack": {"platform": "slack", "subject": "U012AB3CD"}},
    problems=(404,),
)
async def link_operator(call: Call, body: IdentityIn) -> Reply:
    """Say what a platform calls this person, where its e-mail address does not tell."""
    who = await _id(call, call.path["id"])
    await call.faces.operators.link(who, body.platform, body.subject, by=call.actor)
    call.faces.people_changed()
    return Reply(_operator(await call.faces.operators.get(who)))


@op("GET", "/api/v1/keys", Scope.ADMIN, answers={200: KeysOut})
async def keys(call: Call) -> Reply:
    """List the API keys, without the keys themselves."""
    return Reply({"items": [_key(each) for each in await call.faces.keys.list()]})


@op(
    "POST",
    "/api/v1/keys",
    Scope.ADMIN,
    body=KeyIn,
    answers={201: NewKeyOut},
    examples={"monitor": {"name": "monitor", "scopes": ["events:write"]}},
)
async def create_key(call: Call, body: KeyIn) -> Reply:
    """Make an API key. It is shown this once."""
    owner = await _owner(call, body.operator) if body.operator else None
    new = await call.faces.keys.create(body.name, body.scopes, by=call.actor, operator_id=owner)
    return Reply({"id": new.id, "name": new.name, "key": new.key, "scopes": [scope.value for scope in new.scopes]}, 201)


@op("DELETE", "/api/v1/keys/{id}", Scope.ADMIN, answers={204: None}, problems=(404,))
async def revoke_key(call: Call) -> Reply:
    """Revoke an API key: at once here, within five seconds on other replicas."""
    await call.faces.keys.revoke(call.path["id"], by=call.actor)
    return Reply(status=204)


@op("GET", "/api/v1/audit", Scope.ADMIN, query=AuditFilter, answers={200: EntriesOut})
async def audit(call: Call, query: AuditFilter) -> Reply:
    """Read the audit log, the newest entries first."""
    before = min(int(query.cursor), LAST) if query.cursor else LAST
    found = await call.faces.ledger.list(limit=query.limit + 1, before=before, subject=query.subject)
    more = str(found[query.limit - 1].seq) if len(found) > query.limit else None
    return Reply({"items": [_entry(each) for each in found[: query.limit]], "next_cursor": more})


async def _id(call: Call, name: str) -> str:
    if "@" not in name:
        return name
    found = await call.faces.operators.by_email(name)
    if found is None:
        raise Unknown(f"there is no operator {name}", "id")
    return found.id


async def _owner(call: Call, name: str) -> str:
    try:
        return await _id(call, name)
    except Unknown as error:
        raise unfit("operator", error.words, "Name one that GET /api/v1/operators lists.") from error


def _operator(found: Operator) -> dict[str, JsonValue]:
    return {
        "id": found.id,
        "email": found.email,
        "name": found.name,
        "role": found.role.value,
        "created_at": _iso(found.created_at),
        "identities": [{"platform": platform, "subject": subject} for platform, subject in found.identities],
    }


def _key(found: ApiKey) -> dict[str, JsonValue]:
    return {
        "id": found.id,
        "name": found.name,
        "scopes": [str(scope) for scope in sorted(found.scopes)],
        "operator_id": found.operator_id,
        "created_at": _iso(found.created_at),
        "last_used_at": _iso(found.last_used_at),
        "revoked_at": _iso(found.revoked_at),
    }


def _entry(found: Entry) -> dict[str, JsonValue]:
    return {
        "seq": found.seq,
        "at": found.at.isoformat(),
        "actor": found.actor,
        "action": found.action,
        "subject": found.subject,
        "place": found.place,
        "on_behalf": found.on_behalf,
        "detail": dict(found.detail or {}),
    }


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


OPERATIONS = (
    operators,
    add_operator,
    operator,
    change_operator,
    remove_operator,
    link_operator,
    keys,
    create_key,
    revoke_key,
    audit,
)
