"""A choice as an Adaptive Card in Microsoft Teams. The same call as for every channel: only the settings differ.

The server's settings (scripts/teams_bot_bootstrap.sh makes the first three):
    TEAMS_APP_ID=…  TEAMS_CLIENT_SECRET=…  TEAMS_TENANT_ID=…
    BASE_URL=https://gatebell.example.com       Microsoft calls it, so it has to be reachable
    CHAIN=teams,email                           Teams first; e-mail where it does not take the card
The app is installed for Ana, who is an operator under her address in the tenant.
"""

from gatebell import Gatebell

gate = Gatebell(agent="deploy-bot")
stages = {"staging": "Staging", "eu": "Production, Europe", "us": "Production, United States"}
where = gate.choose("Where shall version 4.2 go first?", stages, to="ana@example.com", expires_in=1800)
print("deploying to", where)
