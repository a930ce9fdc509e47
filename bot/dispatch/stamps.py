"""What a claim becomes for its channel: the card with this copy's own token, and apart from it its reader's rights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.channels.contract import Post, ReaderKind, Rights
from bot.dispatch.leases import Claim
from interactions.codec import Ticket, seal, unseal


@dataclass(frozen=True, slots=True)
class Stamps:
    """Two kinds of token with keys of their own: one for the buttons of a copy, one for its reader's signed page.

    `open_link` opens the link of a personal card, which lies sealed in the database.
    """

    base_url: Callable[[], str]
    copy_keys: Sequence[bytes]
    page_keys: Sequence[bytes]
    open_link: Callable[[str], str]

    def post(self, claim: Claim) -> Post:
        if not claim.interaction_id and not claim.card.link:  # nothing to answer, and nothing to open
            return Post(claim.ref, claim.version, claim.card, thread=claim.thread, record=claim.record)
        asks = bool(claim.interaction_id) and claim.reader_kind is not ReaderKind.CALLER
        ticket = Ticket(claim.id, claim.card.digest or "-")
        rights = self._rights(claim, ticket)
        return Post(
            ref=claim.ref,
            version=claim.version,
            card=replace(claim.card, link="") if claim.card.is_personal else claim.card,
            token=seal(ticket, self.copy_keys) if asks else "",
            page=self._look(claim, ticket) if asks else "",
            thread=claim.thread,
            record=claim.record,
            rights=rights if rights != Rights() else None,
        )

    def _rights(self, claim: Claim, ticket: Ticket) -> Rights:
        """Nobody's but a person's."""
        if claim.reader_kind is not ReaderKind.OPERATOR:
            return Rights()
        return Rights(
            page=self.page(ticket) if claim.interaction_id else "",
            link=self.open_link(claim.card.link) if claim.card.is_personal else "",
        )

    def _look(self, claim: Claim, ticket: Ticket) -> str:
        """A room's own page shows the request and decides for nobody; a person's asks who looks."""
        if claim.reader_kind is ReaderKind.ROOM:
            return self.page(ticket)
        return f"{self.base_url()}/admin/requests/{claim.interaction_id}"

    def copy_ticket(self, token: str) -> Ticket | None:
        return unseal(token, self.copy_keys)

    def page_ticket(self, token: str) -> Ticket | None:
        return unseal(token, self.page_keys)

    def page(self, ticket: Ticket) -> str:
        """The signed address of a copy: whoever has it can answer as the copy's reader."""
        return f"{self.base_url()}/d/{self.page_token(ticket)}"

    def page_token(self, ticket: Ticket) -> str:
        return seal(ticket, self.page_keys)
