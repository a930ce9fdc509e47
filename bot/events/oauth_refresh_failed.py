from datetime import datetime
from typing import ClassVar

from bot.dispatch.notice import Event, Notice
from bot.events.contract import Context, ContextClass, read
from bot.events.story import Story, card_of
from bot.events.words import ErrorText, Named
from interactions.text import code, literal


class Refusal(Context):
    service: Named
    user: Named
    error: ErrorText


class OAuthRefreshFailed:
    type: ClassVar[str] = "oauth.refresh_failed"
    title: ClassVar[str] = "Sign-in could not be renewed"
    meaning: ClassVar[str] = "A refresh token has expired or was revoked, so a person has to sign in again."
    context: ClassVar[ContextClass] = Refusal

    def notice(self, event: Event, at: datetime | None = None) -> Notice:
        told = read(Refusal, event)
        service, user = literal(told.service), literal(told.user)
        story = Story(
            title=f"{told.user} is signed out of {told.service}",
            happened=f"{service} refused to renew the sign-in of {user}: {code(told.error)}.",
            matters=f"Until that is fixed, everything that works for {user} in {service} fails.",
            do=f"Ask {user} to sign in to {service} again.",
            resolved=f"The sign-in of {user} to {service} works again. There is nothing to do.",
            facts=(("Service", told.service), ("User", told.user), ("Error", told.error)),
        )
        return Notice(event, card_of(event, story, told, at))
