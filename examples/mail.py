"""An alert and a write confirmation by e-mail alone, through your own relay. The mail links to the page that decides.

The server's settings:
    SMTP_HOST=smtp.example.com  SMTP_USERNAME=…  SMTP_PASSWORD=…  SMTP_FROM=gatebell@example.com
    ALERT_RECIPIENT_EMAIL=ana@example.com       who is told where an event names nobody
    CHAIN=email
"""

from gatebell import Gatebell

gate = Gatebell(agent="crm-bot")
gate.event(
    "oauth.refresh_failed",
    "GitHub no longer accepts Dana's refresh token",
    severity="high",
    source="gateway-1",
    context={"service": "github", "user": "dana@example.com", "error": "invalid_grant"},
)
approved = gate.approve("crm.update", {"id": 42, "discount": "30 %"}, summary="Give Example Ltd. a discount of 30 %.")
gate.consume(approved)
print("written")
