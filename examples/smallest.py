"""The smallest producer. GATEBELL_API_KEY (scope events:write) is set, and GATEBELL_URL for a server elsewhere."""

from gatebell import Gatebell

told = Gatebell().event("backup.failed", "Last night's backup did not finish", severity="high", source="db-1")
print(told.result, told.reason)
