"""An agent that does nothing dangerous alone: it asks which one is meant, and acts after a person has said yes.

Set GATEBELL_API_KEY (scopes interactions:write and events:write) and GATEBELL_URL, then: agent_loop.py ana@example.com
"""

import sys

from gatebell import Denied, Gatebell, NotApproved

if len(sys.argv) != 2:
    sys.exit("Usage: agent_loop.py ana@example.com")
OPERATOR = sys.argv[1]
gate = Gatebell(agent="tidy-bot")


@gate.requires_approval(to=OPERATOR, expires_in=600)
def delete_files(folder: str, names: list[str]) -> int:
    """Delete old reports."""
    print(f"deleting {len(names)} files in {folder}")
    return len(names)


folder = gate.choose("Which reports shall I tidy up?", ["/reports/2024", "/reports/2025"], to=OPERATOR)
try:
    deleted = delete_files(folder, ["january.pdf", "february.pdf"])
    gate.event("reports.tidied", f"Deleted {deleted} reports in {folder}", severity="info", source="tidy-bot")
except Denied as denied:
    print(f"left alone: {denied}")
except NotApproved as ended:  # expired, withdrawn, or nobody could be reached: none of them is a yes
    print(f"left alone for now: {ended}")
