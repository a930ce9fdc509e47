"""The page's scenario buttons."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from bot.rehearsal.demo.agent import Agent, Wish
from bot.rehearsal.demo.runs import Run, Runs

STORM = 40

Play = Callable[[Agent, Runs, Run], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`meaning` is the line below the button's title."""

    name: str
    title: str
    meaning: str
    play: Play


DELETE = Wish(
    agent="invoice-bot",
    kind="blocked_action",
    payload={
        "agent": "invoice-bot",
        "user": "dana@example.com",
        "tool": "drive.delete_folder",
        "policy": "no-bulk-delete",
        "reason": "It would delete **1,284 files** at once and skip the bin.",
        "arguments": {"folder": "/Finance/2024", "recursive": True, "permanently": True},
    },
    asks="invoice-bot called drive.delete_folder, and a policy blocked it",
    if_approved="drive.delete_folder ran: 1,284 files are gone",
    if_not="It stays blocked: nothing was deleted",
)

WRITE = Wish(
    agent="crm-sync",
    kind="write_confirmation",
    payload={
        "agent": "crm-sync",
        "tool": "crm.update_account",
        "summary": "Move **Acme Ltd** to the *Enterprise* plan, as its order of today says.",
        "diff": (
            "--- accounts/acme\n+++ accounts/acme\n@@ -2,3 +2,3 @@\n name: Acme Ltd\n"
            "-plan: team\n-seats: 25\n+plan: enterprise\n+seats: 400\n"
        ),
    },
    asks="crm-sync wants to write to the CRM, and asks first",
    if_approved="crm.update_account ran: Acme Ltd is on the Enterprise plan",
    if_not="Nothing was written",
)

CHOOSE = Wish(
    agent="contract-bot",
    kind="clarification",
    payload={
        "agent": "contract-bot",
        "question": "There are three contracts called *Acme 2026*. Which one goes to the customer?",
        "choices": [
            {"id": "signed", "label": "The signed one", "description": "3 March, both signatures"},
            {"id": "draft", "label": "The newest draft", "description": "9 March, with the new prices"},
            {"id": "none", "label": "None of them", "description": "I shall write to the customer myself"},
        ],
        "allow_other": True,
    },
    asks="contract-bot cannot tell which contract is meant, and asks",
    if_approved="contract-bot goes on with",
    if_not="contract-bot stops here",
)

SIGNED_OUT = itertools.cycle(
    (
        ("Google Drive", "carla@example.com"),
        ("GitHub", "deniz@example.com"),
        ("Salesforce", "erik@example.com"),
        ("Jira", "fatou@example.com"),
    )
)
BROKEN = itertools.cycle(("billing-mcp", "search-mcp", "warehouse-mcp"))


def question(wish: Wish) -> Play:
    async def play(agent: Agent, runs: Runs, run: Run) -> None:
        await agent.ask(run, wish)

    return play


async def sign_in_expired(agent: Agent, runs: Runs, run: Run) -> None:
    service, user = next(SIGNED_OUT)
    run.mark = user
    runs.say(run, "ask", f"The gateway could not renew the sign-in of {user} to {service}", "POST /api/v1/events")
    told = await agent.report(
        run,
        {
            "type": "oauth.refresh_failed",
            "severity": "high",
            "summary": f"{service}: the refresh token of {user} was refused",
            "source": "mcp-gateway",
            "context": {"service": service, "user": user, "error": "invalid_grant: token expired or revoked"},
        },
    )
    runs.say(run, *_told(told.status, told["result"], told["reason"], told.words))
    if told["result"] == "deduplicated":
        runs.see("next", "server", "Held back: the same was told within the hour", words=user)
    run.over = True


async def storm(agent: Agent, runs: Runs, run: Run) -> None:
    """The same error from many requests at once: people hear of it once."""
    server = run.mark = next(BROKEN)
    said = f"{STORM} calls fail at once, all because {server} is gone"
    runs.say(run, "ask", said, f"{STORM} times POST /api/v1/events")
    event = {
        "type": "connection.broken",
        "severity": "critical",
        "summary": f"{server} does not answer",
        "source": "mcp-gateway",
        "context": {"connection": server, "error": "connect: connection refused"},
    }
    told = await asyncio.gather(*(agent.report(run, event) for _ in range(STORM)))
    fresh = sum(each["result"] == "accepted" for each in told)
    held = sum(each["result"] == "deduplicated" for each in told)
    refused = [each.words for each in told if not each.ok]
    if refused:
        runs.say(run, "fail", f"{len(refused)} were refused", refused[0])
    runs.say(run, "ok", f"{fresh} told, {held} held back: the same event, within the hour", "202 for every one")
    if held:
        more = f"{held} more were" if fresh else f"All {held} were"
        runs.see("next", "server", f"{more} held back: the same within the hour", words=server)
    run.over = True


def _told(status: int, result: Any, reason: Any, words: str) -> tuple[str, str, str]:
    match result:
        case "accepted":
            return "ok", "Accepted: Ana, who gets this installation's alerts, is being told", f"{status} · {result}"
        case "deduplicated" | "suppressed":
            return "stop", "Held back: the same event was told within the hour", f"{status} · {result} · {reason}"
    return "fail", "The server did not take it", words


SCENARIOS = (
    Scenario("blocked", "A destructive action was blocked", "Approve it, or not", question(DELETE)),
    Scenario("write", "An agent wants to write", "It shows the change and waits", question(WRITE)),
    Scenario("choose", "An agent needs to choose", "It asks which one is meant", question(CHOOSE)),
    Scenario("token", "A sign-in expired", "Ana is told, once", sign_in_expired),
    Scenario("storm", "A storm of the same error", f"{STORM} failures at once, one message", storm),
)


def scenario(name: str) -> Scenario:
    """Raises LookupError."""
    for each in SCENARIOS:
        if each.name == name:
            return each
    raise LookupError(f"there is no scenario {name!r}")
