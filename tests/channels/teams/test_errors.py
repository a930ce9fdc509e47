"""Whatever Microsoft's services refuse has one meaning for the chain, and words that say who can mend it."""

import pytest
from aiohttp import ClientSession

from bot.channels.contract import Reason
from bot.channels.teams_errors import connector_error, login_error
from bot.rehearsal.failure import redirect
from bot.rehearsal.teams import TeamsTenant
from tests.channels.teams.world import World, world_of


@pytest.mark.parametrize(
    "status, code, reason, words",
    [
        (400, "BadSyntax", Reason.INVALID, "malformed"),
        (401, "", Reason.UNAUTHORIZED, "token"),
        (403, "", Reason.REFUSED, "removed or blocked"),
        (404, "", Reason.GONE, "no longer there"),
        (405, "", Reason.INVALID, "this kind of call"),
        (408, "", Reason.TIMED_OUT, "in time"),
        (409, "", Reason.UNAVAILABLE, "busy"),
        (410, "", Reason.GONE, "no longer there"),
        (412, "", Reason.UNAVAILABLE, "busy"),
        (413, "", Reason.TOO_LARGE, "larger"),
        (418, "", Reason.REFUSED, "did not take"),
        (429, "", Reason.RATE_LIMITED, "no more messages"),
        (500, "", Reason.UNAVAILABLE, "did not take"),
        (504, "", Reason.TIMED_OUT, "in time"),
        (307, "", Reason.UNAVAILABLE, "elsewhere"),
        (400, "MessageSizeTooBig", Reason.TOO_LARGE, "larger"),
        (400, "RequestEntityTooLarge", Reason.TOO_LARGE, "larger"),
        (400, "ConversationNotFound", Reason.GONE, "no longer there"),
        (400, "ActivityNotFoundInConversation", Reason.GONE, "no longer there"),
        (404, "BotNotInConversationRoster", Reason.REFUSED, "removed or blocked"),
        (400, "MessageWritesBlocked", Reason.REFUSED, "removed or blocked"),
        (400, "ConversationBlockedByUser", Reason.REFUSED, "removed or blocked"),
        (403, "InvalidBotApiHost", Reason.NOT_SET_UP, "TEAMS_SERVICE_URL must be that cloud's address"),
    ],
)
def test_an_answer_of_the_connector_has_one_meaning(status: int, code: str, reason: Reason, words: str) -> None:
    error = connector_error(status, code)
    assert (error.reason, words in error.detail, f"({status}{' ' if code else ''}{code})" in error.detail) == (
        reason,
        True,
        True,
    )


@pytest.mark.parametrize("code", ["<b>x</b>", "a b", "x" * 61, "\u202e"])
def test_a_code_that_is_no_code_is_not_repeated(code: str) -> None:
    assert code not in connector_error(400, code).detail


def test_only_what_passes_may_be_waited_for() -> None:
    assert (connector_error(403, "", 30.0).retry_after, connector_error(429, "", 30.0).retry_after) == (None, 30.0)


@pytest.mark.parametrize(
    "status, codes, reason",
    [
        (400, [7000215], Reason.UNAUTHORIZED),
        (400, [90033], Reason.UNAVAILABLE),
        (400, [50196], Reason.UNAVAILABLE),
        (408, [], Reason.UNAVAILABLE),
        (429, [7000215], Reason.RATE_LIMITED),
        (502, [7000215], Reason.UNAVAILABLE),
        (200, [], Reason.UNAVAILABLE),
        (302, [], Reason.UNAVAILABLE),
        (400, [], Reason.UNAUTHORIZED),
    ],
)
def test_an_answer_of_the_login_has_one_meaning(status: int, codes: list[int], reason: Reason) -> None:
    assert login_error(status, codes).reason is reason


@pytest.mark.parametrize("part", ["login", "keys"])
async def test_no_credential_and_no_trust_follows_a_redirect(
    tenant: TeamsTenant, session: ClientSession, part: str
) -> None:
    rule = tenant.fail(redirect(f"{tenant.origin}/elsewhere", status=307), part=part)
    async with world_of(tenant, session, TEAMS_CONVERSATION_ID="19:room@thread.tacv2") as world:
        await knock(world)
    assert (rule.hits > 0, [each.path for each in tenant.journal if "elsewhere" in each.path]) == (True, [])


async def knock(world: World) -> None:
    """One try to send and one to come in."""
    await world.refusal()
    chat = world.teams.chat("ana@example.com")
    await world.teams.deliver(world.teams.activities.installation(chat.thread, chat.thread.members[0], "add"))
