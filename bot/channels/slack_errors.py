"""What Slack's refusals mean: the one place where its codes are known."""

import re
from collections.abc import Mapping
from typing import Any

from bot.channels.contract import DeliveryError, Reason

REASONS: Mapping[str, tuple[Reason, str]] = {
    # Our credentials: the channel is broken for everybody until an admin mends it.
    "invalid_auth": (Reason.UNAUTHORIZED, "the bot token is not valid; copy it again from OAuth & Permissions"),
    "not_authed": (Reason.UNAUTHORIZED, "no token arrived; set SLACK_BOT_TOKEN"),
    "token_revoked": (Reason.UNAUTHORIZED, "the token was revoked; install the app again and copy the new token"),
    "token_expired": (Reason.UNAUTHORIZED, "the token has expired; switch token rotation off or copy a new token"),
    "account_inactive": (Reason.UNAUTHORIZED, "the app was removed from the workspace; install it again"),
    "missing_scope": (Reason.UNAUTHORIZED, "the app lacks a scope; add it and install the app again"),
    "no_permission": (Reason.UNAUTHORIZED, "the app lacks a permission; install it again"),
    "not_allowed_token_type": (Reason.UNAUTHORIZED, "this is another kind of token; the bot token begins with xoxb-"),
    "access_denied": (Reason.UNAUTHORIZED, "the workspace denies the app access"),
    "org_login_required": (Reason.UNAUTHORIZED, "the workspace is being moved to an organisation; install again after"),
    "team_access_not_granted": (Reason.UNAUTHORIZED, "the app is not granted to this workspace"),
    "ekm_access_denied": (Reason.UNAUTHORIZED, "the workspace's key management denies messages"),
    "two_factor_setup_required": (Reason.UNAUTHORIZED, "the app's account must set up two-factor login"),
    "invalid_app": (Reason.UNAUTHORIZED, "the app does not exist any more"),
    # This reader is not known there.
    "users_not_found": (Reason.NO_ADDRESS, "no member of the workspace has this e-mail address"),
    "user_not_found": (Reason.NO_ADDRESS, "no such member in the workspace"),
    "channel_not_found": (Reason.NO_ADDRESS, "there is no such channel, or it is private and the bot is not in it"),
    "invalid_channel": (Reason.NO_ADDRESS, "this is not a channel"),
    # Known, but it does not take messages.
    "is_archived": (Reason.REFUSED, "the channel is archived"),
    "not_in_channel": (Reason.REFUSED, "the bot is not in the channel; invite it with /invite"),
    "is_inactive": (Reason.REFUSED, "the conversation is frozen"),
    "cannot_dm_bot": (Reason.REFUSED, "this is a bot, which takes no messages"),
    "user_disabled": (Reason.REFUSED, "this member was deactivated"),
    "user_not_visible": (Reason.REFUSED, "the app may not see this member"),
    "user_not_in_channel": (Reason.REFUSED, "this member is not in the channel"),
    "messages_tab_disabled": (Reason.REFUSED, "the app's messages tab is off; switch it on under App Home"),
    "restricted_action": (Reason.REFUSED, "an admin's rule keeps the bot from posting here"),
    "restricted_action_read_only_channel": (Reason.REFUSED, "the channel is read-only"),
    "restricted_action_thread_only_channel": (Reason.REFUSED, "only threads are allowed in the channel"),
    "restricted_action_thread_locked": (Reason.REFUSED, "the thread is locked"),
    "restricted_action_non_threadable_channel": (Reason.REFUSED, "threads are not allowed in the channel"),
    "slack_connect_file_link_sharing_blocked": (Reason.REFUSED, "a rule of the shared channel forbids it"),
    "duplicate_message_not_found": (Reason.REFUSED, "Slack took it for a duplicate"),
    "expired_trigger_id": (Reason.REFUSED, "the click is too old to open a window"),
    "exchanged_trigger_id": (Reason.REFUSED, "the click has opened a window already"),
    "invalid_trigger_id": (Reason.REFUSED, "the click cannot open a window"),
    # What was to be changed is no longer there, or can no longer be changed.
    "message_not_found": (Reason.GONE, "the message is no longer there"),
    "thread_not_found": (Reason.GONE, "the thread is no longer there"),
    "invalid_thread_ts": (Reason.GONE, "the thread is no longer there"),
    "cannot_reply_to_message": (Reason.GONE, "the message takes no replies"),
    "cant_update_message": (Reason.GONE, "the message cannot be changed"),
    "cant_delete_message": (Reason.GONE, "the message cannot be deleted"),
    "edit_window_closed": (Reason.GONE, "the message is too old to be changed"),
    "not_found": (Reason.GONE, "the window was closed"),
    "hash_conflict": (Reason.GONE, "the window has changed meanwhile"),
    # Too much of it.
    "msg_too_long": (Reason.TOO_LARGE, "the message is too long"),
    "msg_blocks_too_long": (Reason.TOO_LARGE, "the message's blocks are too long"),
    "too_many_attachments": (Reason.TOO_LARGE, "the message has too many attachments"),
    "attachment_payload_limit_exceeded": (Reason.TOO_LARGE, "the message's attachments are too long"),
    "view_too_large": (Reason.TOO_LARGE, "the window is too large"),
    "metadata_too_large": (Reason.TOO_LARGE, "the message's metadata is too long"),
    # Malformed: our defect.
    "invalid_blocks": (Reason.INVALID, "Slack does not accept the blocks"),
    "invalid_blocks_format": (Reason.INVALID, "Slack does not accept the blocks"),
    "invalid_attachments": (Reason.INVALID, "Slack does not accept the attachments"),
    "no_text": (Reason.INVALID, "the message is empty"),
    "invalid_arguments": (Reason.INVALID, "Slack does not accept the arguments"),
    "invalid_arg_name": (Reason.INVALID, "Slack does not accept the arguments"),
    "invalid_array_arg": (Reason.INVALID, "Slack does not accept the arguments"),
    "invalid_charset": (Reason.INVALID, "Slack does not accept the character set"),
    "invalid_form_data": (Reason.INVALID, "Slack cannot read the request"),
    "invalid_json": (Reason.INVALID, "Slack cannot read the request"),
    "json_not_object": (Reason.INVALID, "Slack cannot read the request"),
    "invalid_post_type": (Reason.INVALID, "Slack cannot read the request"),
    "missing_post_type": (Reason.INVALID, "Slack cannot read the request"),
    "unknown_method": (Reason.INVALID, "Slack does not know the method; is SLACK_API_URL right?"),
    "method_deprecated": (Reason.INVALID, "Slack has retired the method"),
    "deprecated_endpoint": (Reason.INVALID, "Slack has retired the method"),
    # These pass.
    "ratelimited": (Reason.RATE_LIMITED, "too many calls"),
    "rate_limited": (Reason.RATE_LIMITED, "too many messages to this channel"),
    "message_limit_exceeded": (Reason.RATE_LIMITED, "too many messages in the workspace"),
    "fatal_error": (Reason.UNAVAILABLE, "Slack failed"),
    "internal_error": (Reason.UNAVAILABLE, "Slack failed"),
    "service_unavailable": (Reason.UNAVAILABLE, "Slack is out of service"),
    "accesslimited": (Reason.UNAVAILABLE, "Slack limits access for now"),
    "team_added_to_org": (Reason.UNAVAILABLE, "the workspace is being moved to an organisation"),
    "external_channel_migrating": (Reason.UNAVAILABLE, "the shared channel is being moved"),
    "update_failed": (Reason.UNAVAILABLE, "Slack failed"),
    "request_timeout": (Reason.TIMED_OUT, "Slack took too long to read the request"),
}
_CODE = re.compile(r"[a-z0-9_]{1,80}")
_SCOPES = re.compile(r"[a-z0-9_.:,]{1,200}")


def refused(method: str, answer: Mapping[str, Any], retry_after: float | None = None) -> DeliveryError:
    """An answer with `ok: false`. A code that nobody knows yet is a refusal: the next channel takes over."""
    code = str(answer.get("error") or "")
    if not _CODE.fullmatch(code):
        return DeliveryError(Reason.REFUSED, f"{method}: Slack refused without a reason")
    reason, words = REASONS.get(code, (Reason.REFUSED, "Slack refused"))
    needed = str(answer.get("needed") or "")
    if code == "missing_scope" and _SCOPES.fullmatch(needed):
        words = f"the app lacks the scope {needed.replace(',', ' or ')}; add it and install the app again"
    return DeliveryError(reason, f"{method}: {words} ({code})", retry_after if reason.passes else None)


def failed(method: str, status: int, answer: object, retry_after: float | None = None) -> DeliveryError:
    """Any answer that is not `ok: true`, by what is surest in it: the status for an overload, then Slack's own code."""
    if status == 429:
        return DeliveryError(Reason.RATE_LIMITED, f"{method}: {REASONS['ratelimited'][1]}", retry_after)
    if status >= 500:
        return DeliveryError(Reason.UNAVAILABLE, f"{method}: Slack answered {status}", retry_after)
    if isinstance(answer, dict) and answer.get("error"):
        return refused(method, answer, retry_after)
    if status == 413:
        return DeliveryError(Reason.TOO_LARGE, f"{method}: Slack answered 413, the message is too long")
    if status == 200:
        return DeliveryError(Reason.UNAVAILABLE, f"{method}: Slack's answer makes no sense")
    return DeliveryError(Reason.UNAVAILABLE, f"{method}: Slack answered {status}; is SLACK_API_URL right?")


def unreachable(method: str, error: Exception) -> DeliveryError:
    """No answer at all. The words never hold the address or a header."""
    if isinstance(error, TimeoutError):
        return DeliveryError(Reason.TIMED_OUT, f"{method}: Slack did not answer in time")
    return DeliveryError(Reason.UNAVAILABLE, f"{method}: no connection to Slack ({type(error).__name__})")
