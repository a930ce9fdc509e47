"""Questions for the page, from the plain to the hostile."""

from datetime import timedelta

from pydantic import JsonValue

from interactions.kinds.blocked_action import BlockedAction
from interactions.kinds.clarification import Clarification, Option
from interactions.kinds.write_confirmation import WriteConfirmation
from interactions.model import Interaction, Question, ReasonRule, Requester
from tests.admin.desk import ANA, BEN, NOON

ARGUMENTS: JsonValue = {
    "folder": "Quarterly reports",
    "recursive": True,
    "files": [f"2026-Q{number}.xlsx" for number in range(1, 5)],
}
DIFF = """--- a/config/payments.yaml
+++ b/config/payments.yaml
@@ -1,6 +1,6 @@
 provider: stripe
-retries: 3
+retries: 10
 currency: EUR

-timeout: 30s
+timeout: 120s
"""


def ask(question: Question, reason: ReasonRule = ReasonRule.NONE, approvals: int = 1) -> Interaction:
    return Interaction(
        id="int_1",
        question=question,
        digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        requester=Requester(email="cleo@example.com", agent="report-bot"),
        audience=frozenset({ANA.id, BEN.id}),
        created_at=NOON,
        expires_at=NOON + timedelta(minutes=30),
        approvals=approvals,
        reason=reason,
    )


def blocked(reason: ReasonRule = ReasonRule.NONE, approvals: int = 1) -> Interaction:
    question = BlockedAction(
        agent="report-bot",
        tool="drive.delete",
        user="cleo@example.com",
        arguments=ARGUMENTS,
        policy="destructive-actions",
        reason="The policy **destructive-actions** stops every `delete` on shared drives.",
    )
    return ask(question, reason, approvals)


def diff() -> Interaction:
    return ask(WriteConfirmation(agent="deploy-bot", tool="git.push", summary="Raise the limits.", diff=DIFF))


def clarification() -> Interaction:
    options = (
        Option(id="emea", label="EMEA", description="Europe, Middle East, Africa; 412 customers"),
        Option(id="apac", label="APAC", description="Asia and Pacific; 167 customers"),
        Option(id="all", label="Everybody", description="579 customers"),
    )
    return ask(
        Clarification(agent="mail-bot", question="Who gets the *price* mail?", choices=options, allow_other=True)
    )


def hostile() -> Interaction:
    return ask(
        BlockedAction(
            agent="<script>document.title='owned'</script>",
            tool="a\u202eb\x00c",
            policy="<img src=x onerror=alert(1)>",
            reason="<script>document.title='owned'</script> [click](javascript:alert(1)) [bank](https://evil.example/) "
            "![pixel](https://evil.example/p.png) </div><form action=https://evil.example><button>Approve</button>",
            arguments={"</code></pre><script>": "x\u202ecod.exe\u202c\x00", "q": "'\"><b>"},
        )
    )
