"""The same things for machines: interactions as the API and callbacks tell them, and rows as nouns and back."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from bot.dispatch.notice import Ask, Event
from interactions import codec
from interactions.card import Status
from interactions.model import Interaction, ReasonRule, payload_of
from interactions.registry import Registry


def moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record_of(interaction: Interaction, url: str) -> dict[str, JsonValue]:
    """The interaction as JSON. `decision` is there once there is one; every end has a status of its own."""
    record: dict[str, JsonValue] = {
        "id": interaction.id,
        "kind": interaction.question.kind,
        "status": str(interaction.status),
        "digest": interaction.digest,
        "url": url,
        "created_at": iso(interaction.created_at),
        "expires_at": iso(interaction.expires_at),
        "ended_at": iso(interaction.ended_at),
        "requested_by": _requester(interaction),
        "approvals": {"needed": interaction.approvals, "given": _given(interaction)},
    }
    if interaction.ruling:
        record["decision"] = _decision(interaction)
    if interaction.ended_because:
        record["because"] = interaction.ended_because
    return record


def event_record(event: Event, event_id: str, received_at: datetime) -> dict[str, JsonValue]:
    return {
        "id": event_id,
        "type": event.type,
        "severity": str(event.severity),
        "status": str(event.phase),
        "summary": event.summary,
        "source": event.source,
        "context": dict(event.context),
        "labels": dict(event.labels),
        "occurred_at": iso(event.occurred_at or received_at),
    }


def interaction_row(interaction: Interaction, ask: Ask, ref: str) -> dict[str, Any]:
    return {
        "id": interaction.id,
        "kind": interaction.question.kind,
        "payload": json.dumps(payload_of(interaction.question)),
        "digest": interaction.digest,
        "requester": codec.dump_requester(interaction.requester),
        "audience": json.dumps(sorted(interaction.audience)),
        "approvals": interaction.approvals,
        "reason_rule": str(interaction.reason),
        "created_at": interaction.created_at.timestamp(),
        "expires_at": interaction.expires_at.timestamp() if interaction.expires_at else None,
        "callback_url": ask.callback_url,
        "producer": ask.producer,
        "idempotency_key": ask.idempotency_key,
        "fingerprint": ask.fingerprint,
        "ref": ref,
        "thread": ask.thread,
    }


def interaction_from(row: Mapping[str, Any], kinds: Registry) -> Interaction:
    created = moment(row["created_at"])
    if created is None:
        raise ValueError(f"interaction {row['id']} has no time of creation")
    return Interaction(
        id=row["id"],
        question=kinds.stored(row["kind"], row["payload"]),
        digest=row["digest"],
        requester=codec.load_requester(row["requester"]),
        audience=frozenset(json.loads(row["audience"])),
        created_at=created,
        expires_at=moment(row["expires_at"]),
        approvals=row["approvals"],
        reason=ReasonRule(row["reason_rule"]),
        status=Status(row["status"]),
        votes=codec.load_votes(row["votes"]),
        ruling=codec.load_ruling(row["ruling"]),
        ended_at=moment(row["ended_at"]),
        ended_because=row["ended_because"],
    )


def _requester(interaction: Interaction) -> dict[str, JsonValue]:
    who = interaction.requester
    return {
        name: value for name, value in (("email", who.email), ("agent", who.agent), ("session", who.session)) if value
    }


def _given(interaction: Interaction) -> list[JsonValue]:
    return [vote.name for vote in interaction.votes]


def _decision(interaction: Interaction) -> dict[str, JsonValue]:
    ruling = interaction.ruling
    if ruling is None:
        return {}
    decision: dict[str, JsonValue] = {
        "choice": ruling.choice,
        "approved": ruling.approved,
        "by": ruling.by,
        "channel": ruling.channel,
        "decided_at": iso(ruling.at),
    }
    if ruling.reason:
        decision["reason"] = ruling.reason
    if others := {name: value for name, value in ruling.inputs.items() if name != "reason"}:
        decision["inputs"] = dict(others)
    return decision
