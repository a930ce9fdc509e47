"""Questions as rows: asked, voted on, ended. Every function is part of a store's job; the rules are interactions'."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from bot.dispatch import outbox
from bot.dispatch.notice import Ask, Conflict
from bot.dispatch.records import interaction_from, interaction_row, record_of
from bot.ids import new_id
from bot.store import Row, Tx
from interactions import codec, desk
from interactions.card import Status
from interactions.model import Interaction
from interactions.registry import Registry

EXPIRE = "expire"


class Ledger(Protocol):
    """Where what people did is written down, in the same transaction as its effect."""

    async def record(
        self,
        tx: Tx,
        at: datetime,
        actor: str,
        action: str,
        subject: str,
        place: str,
        detail: Mapping[str, JsonValue],
        on_behalf: str = "",
    ) -> None: ...

    async def queue_up(self, tx: Tx) -> None:
        """Called before anything is locked by a job that will write something down."""
        ...


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions of this installation, in the database. `address` gives the URL of one."""

    kinds: Registry
    address: Callable[[str], str]
    ledger: Ledger

    def record(self, interaction: Interaction) -> dict[str, JsonValue]:
        return record_of(interaction, self.address(interaction.id))

    async def earlier(self, tx: Tx, ask: Ask) -> Row | None:
        """What the same key has asked before. Raises Conflict if that was something else."""
        if not ask.idempotency_key:
            return None
        row = await tx.row(
            "SELECT * FROM interaction WHERE producer = :producer AND idempotency_key = :key",
            {"producer": ask.producer, "key": ask.idempotency_key},
        )
        if row and row["fingerprint"] != ask.fingerprint:
            raise Conflict(
                "this idempotency key was used for another request before; take a new key", "idempotency_key"
            )
        return row

    async def put(self, tx: Tx, interaction: Interaction, ask: Ask, ref: str) -> None:
        await tx.run(
            "INSERT INTO interaction (id, kind, payload, digest, requester, audience, approvals, reason_rule,"
            " created_at, expires_at, callback_url, producer, idempotency_key, fingerprint, ref, thread)"
            " VALUES (:id, :kind, :payload, :digest, :requester, :audience, :approvals, :reason_rule, :created_at,"
            " :expires_at, :callback_url, :producer, :idempotency_key, :fingerprint, :ref, :thread)",
            interaction_row(interaction, ask, ref),
        )
        if interaction.expires_at:
            await tx.run(
                "INSERT INTO timer (id, kind, subject, due_at) VALUES (:id, :kind, :subject, :due)",
                {
                    "id": new_id(interaction.created_at),
                    "kind": EXPIRE,
                    "subject": interaction.id,
                    "due": interaction.expires_at.timestamp(),
                },
            )

    async def load(self, tx: Tx, interaction_id: str, lock: bool = False) -> tuple[Interaction, Row] | None:
        sql = "SELECT * FROM interaction WHERE id = :id "
        row = await tx.row(sql + tx.for_update if lock else sql, {"id": interaction_id})
        return (interaction_from(row, self.kinds), row) if row else None

    async def stand(self, tx: Tx, before: Interaction, after: Interaction, ref: str, at: datetime) -> bool:
        """Make a change stand: only over exactly what it was decided on. Every copy is then to be updated."""
        changed = await tx.run(
            "UPDATE interaction SET status = :status, votes = :votes, ruling = :ruling, ended_at = :ended,"
            " ended_because = :because WHERE id = :id AND status = 'pending' AND votes = :seen",
            {
                "id": after.id,
                "status": str(after.status),
                "votes": codec.dump_votes(after.votes),
                "ruling": codec.dump_ruling(after.ruling),
                "ended": after.ended_at.timestamp() if after.ended_at else None,
                "because": after.ended_because,
                "seen": codec.dump_votes(before.votes),
            },
        )
        if not changed:
            return False
        ended = after.status is not Status.PENDING
        if ended:
            await tx.run("DELETE FROM timer WHERE subject = :id AND kind = :kind", {"id": after.id, "kind": EXPIRE})
        await outbox.raise_version(tx, ref, desk.card_of(after), self.record(after), at, tell_caller=ended)
        return True

    async def expire(self, tx: Tx, interaction_id: str, at: datetime) -> bool:
        return await self._end(tx, interaction_id, at, lambda found: desk.expire(found, at))

    async def lost(self, tx: Tx, ref: str, interaction_id: str, because: str, at: datetime) -> bool:
        """A copy that nobody took was closed; a question without any copy left has reached nobody."""
        if not interaction_id:
            return False
        await self.ledger.queue_up(tx)  # two replicas that each close one of the last two would both see the other's
        if await outbox.any_copy_left(tx, ref):
            return False
        return await self.give_up(tx, interaction_id, at, because[:500])

    async def give_up(self, tx: Tx, interaction_id: str, at: datetime, because: str) -> bool:
        return await self._end(tx, interaction_id, at, lambda found: desk.give_up(found, at, because))

    async def withdraw(
        self,
        tx: Tx,
        interaction_id: str,
        at: datetime,
        because: str,
        by: str = "gatebell",
        place: str = "",
        on_behalf: str = "",
    ) -> bool:
        return await self._end(
            tx, interaction_id, at, lambda found: desk.withdraw(found, at, because), by, place, on_behalf
        )

    async def _end(
        self,
        tx: Tx,
        interaction_id: str,
        at: datetime,
        rule: Callable[[Interaction], Interaction | None],
        by: str = "gatebell",
        place: str = "",
        on_behalf: str = "",
    ) -> bool:
        await self.ledger.queue_up(tx)
        loaded = await self.load(tx, interaction_id, lock=True)
        if loaded is None:
            return False
        interaction, row = loaded
        ended = rule(interaction)
        if ended is None or not await self.stand(tx, interaction, ended, row["ref"], at):
            return False
        detail: dict[str, JsonValue] = {"kind": row["kind"], "because": ended.ended_because}
        await self.ledger.record(tx, at, by, f"interaction.{ended.status}", interaction_id, place, detail, on_behalf)
        return True
