"""Calling others over HTTP: what every channel may use of it."""

from bot.channels.http_addresses import NOTHING, Allowed, check_form, check_url, server_of
from bot.channels.http_session import check_resolved, guarded_session, shared_session
from bot.channels.http_signed import message_id, post_signed, retry_after, signed, signing_secret, signing_secrets

__all__ = [
    "NOTHING",
    "Allowed",
    "check_form",
    "check_resolved",
    "check_url",
    "guarded_session",
    "message_id",
    "post_signed",
    "retry_after",
    "server_of",
    "shared_session",
    "signed",
    "signing_secret",
    "signing_secrets",
]
