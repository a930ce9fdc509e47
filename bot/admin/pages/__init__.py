"""Every page behind the sign-in, and the way in. One line per module; imported at the first request of a page."""

from bot.admin.pages import health, keys, login, me, operators, settings
from bot.admin.site import Page

PAGES: tuple[Page, ...] = (
    *login.PAGES,
    *me.PAGES,
    *operators.PAGES,
    *keys.PAGES,
    *settings.PAGES,
    *health.PAGES,
)
