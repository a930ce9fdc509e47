"""The channels' conditions as rows: kept over a restart, told by every replica, and told to a person once."""

from datetime import datetime

from bot.dispatch.health import ChannelHealth, Condition
from bot.dispatch.notice import Audience
from bot.dispatch.outbox import NewDelivery, NewPost
from bot.dispatch.posting import Posting
from bot.dispatch.records import moment
from bot.dispatch.route import readers_for
from bot.dispatch.setting import Setting
from bot.dispatch.tools import Tools
from bot.ids import new_id
from bot.store import StoreUnavailable, Tx
from interactions.card import Card, Severity


class Conditions:
    def __init__(self, tools: Tools, setting: Setting, posting: Posting) -> None:
        self._tools = tools
        self._setting = setting
        self._posting = posting

    async def recall(self) -> None:
        """What was broken before a restart is broken until it is seen to work, and nobody is told of it twice."""
        try:
            rows = await self._tools.store.read(lambda tx: tx.rows("SELECT * FROM channel_health"))
        except StoreUnavailable:
            return
        for row in rows:
            self._tools.board.put(
                ChannelHealth(
                    row["channel"], Condition(row["state"]), moment(row["since"]), row["reason"], row["detail"]
                )
            )
            self._tools.observer.broken(row["channel"], broken=row["state"] == Condition.BROKEN)

    async def turned(self, health: ChannelHealth) -> None:
        """Keep a channel's turn, and tell the recipient once, on another channel, that somebody has to mend it.

        Both or neither: what cannot be written down now is news again with the channel's next answer.
        """
        at = self._tools.clock.now()
        self._tools.observer.broken(health.channel, broken=health.condition is Condition.BROKEN)
        try:
            post, copies = await self._word(health, at)
            if copies:
                await self._posting.put_unless(post, copies, at, lambda tx: _put(tx, health, at))
            else:
                await self._tools.store.write(lambda tx: _put(tx, health, at))
        except StoreUnavailable:
            self._tools.board.unkept(health.channel)

    async def _word(self, health: ChannelHealth, at: datetime) -> tuple[NewPost, list[NewDelivery]]:
        """What is told of it, and to whom: nobody, where nobody has to mend it or nobody can be told."""
        channel = self._tools.channels().get(health.channel)
        page = f"{self._tools.stamps.base_url()}/admin/notifications#{health.channel}"
        card = _broken(channel.title if channel else health.channel, health, page)
        post = NewPost(new_id(at), card, {"channel": health.channel, "reason": health.reason})
        chain = tuple(name for name in self._setting.rules().chain if name != health.channel)
        if health.condition is not Condition.BROKEN or not chain:
            return post, []
        readers = await readers_for(Audience(), self._setting.directory)
        return post, [NewDelivery(new_id(at), reader, chain) for reader in readers]


async def _put(tx: Tx, health: ChannelHealth, at: datetime) -> bool:
    """Keep it; false if the row said the same already, as where another replica has seen it before."""
    written = await tx.run(
        "INSERT INTO channel_health (channel, state, reason, detail, since)"
        " VALUES (:channel, :state, :reason, :detail, :since)"
        " ON CONFLICT (channel) DO UPDATE SET state = excluded.state, reason = excluded.reason,"
        " detail = excluded.detail, since = excluded.since WHERE channel_health.state <> excluded.state",
        {
            "channel": health.channel,
            "state": str(health.condition),
            "reason": health.reason,
            "detail": health.detail,
            "since": (health.since or at).timestamp(),
        },
    )
    return written > 0


def _broken(title: str, health: ChannelHealth, page: str) -> Card:
    return Card(
        title=f"{title} does not take our messages",
        severity=Severity.HIGH,
        text=f"{title} refuses our credentials. Until that is fixed, people are told on the next channel."
        f" Copy the credentials again under General → Notifications → {title}, then send a test.",
        link=page,
        link_label="Open Notifications",
        facts=(("Channel", title), ("Answer", health.detail or health.reason)),
    )
