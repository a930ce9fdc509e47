"""Every page behind the sign-in, and the way in. One line per module; imported at the first request of a page."""

from bot.admin.pages import (
    audit,
    deliveries,
    events,
    health,
    keys,
    login,
    me,
    notifications,
    operators,
    overview,
    requests,
    settings,
    setup,
    thresholds,
)
from bot.admin.site import Page

PAGES: tuple[Page, ...] = (
    *overview.PAGES,
    *requests.PAGES,
    *events.PAGES,
    *deliveries.PAGES,
    *audit.PAGES,
    *login.PAGES,
    *setup.PAGES,
    *me.PAGES,
    *operators.PAGES,
    *keys.PAGES,
    *notifications.PAGES,
    *thresholds.PAGES,
    *settings.PAGES,
    *health.PAGES,
)
