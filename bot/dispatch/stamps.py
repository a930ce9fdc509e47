"""What a claim becomes for its channel: the card with this copy's own token and its reader's own page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.channels.contract import Post, ReaderKind
from bot.dispatch.outbox import Claim
from interactions.codec import Ticket, seal, unseal


@dataclass(frozen=True, slots=True)
class Stamps:
    """Two kinds of token with keys of their own: one for the buttons of a copy, one for its reader's signed page.

    `open_link` turns a card's link, which may lie sealed in the database, into what the reader gets.
    """

    base_url: Callable[[], str]
    copy_keys: Sequence[bytes]
    page_keys: Sequence[bytes]
    open_link: Callable[[str], str]

    def post(self, claim: Claim) -> Post:
        asks = bool(claim.interaction_id) and claim.reader_kind is not ReaderKind.CALLER
        ticket = Ticket(claim.id, claim.card.digest or "-")
        return Post(
            ref=claim.ref,
            version=claim.version,
            card=replace(claim.card, link=self.open_link(claim.card.link)) if claim.card.link else claim.card,
            token=seal(ticket, self.copy_keys) if asks else "",
            page=self.page(ticket) if asks else "",
            thread=claim.thread,
            record=claim.record,
        )

    def copy_ticket(self, token: str) -> Ticket | None:
        return unseal(token, self.copy_keys)

    def page_ticket(self, token: str) -> Ticket | None:
        return unseal(token, self.page_keys)

    def page(self, ticket: Ticket) -> str:
        """The signed address of a copy: whoever has it can answer as the copy's reader."""
        return f"{self.base_url()}/d/{self.page_token(ticket)}"

    def page_token(self, ticket: Ticket) -> str:
        return seal(ticket, self.page_keys)
