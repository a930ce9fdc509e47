"""Every page behind the sign-in, and the way in. One line per module; imported at the first request of a page."""

from bot.admin.pages import login, me
from bot.admin.site import Page

PAGES: tuple[Page, ...] = (
    *login.PAGES,
    *me.PAGES,
)
