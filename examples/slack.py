"""A blocked tool call as a direct message in Slack, and its answer.

The server's settings:
    SLACK_BOT_TOKEN=xoxb-…          the bot's token, with chat:write, users:read and users:read.email
    SLACK_SIGNING_SECRET=…          so that clicks are believed (or SLACK_APP_TOKEN=xapp-… where Slack cannot reach you)
Ana is an operator (gatebell operator add ana@example.com) under the address by which Slack knows her.
"""

from gatebell import Gatebell

gate = Gatebell(agent="deploy-bot")
blocked = {"agent": "deploy-bot", "tool": "drive.delete", "arguments": {"path": "/reports"}, "policy": "no-deletes"}
asked = gate.ask("blocked_action", blocked, to="ana@example.com", expires_in=900, reason="required_on_denial")
print("asked:", asked.url)

answer = gate.wait(asked)
if answer.approved:
    gate.consume(answer)  # once, and only for what was shown
    print("approved by", answer.decision.by if answer.decision else "somebody", "- going on")
else:
    print("not approved:", answer.not_approved())
