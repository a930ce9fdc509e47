"""Receives Gatebell's webhooks and callbacks, and believes only those that are signed (https://www.standardwebhooks.com).

    WEBHOOK_SECRET=whsec_… python examples/webhook_receiver.py 9000

The server has the same WEBHOOK_SECRET, WEBHOOK_URL=http://127.0.0.1:9000/, and ALLOWED_PRIVATE_HOSTS=127.0.0.1.
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

if len(sys.argv) != 2 or "WEBHOOK_SECRET" not in os.environ:
    sys.exit("Usage: WEBHOOK_SECRET=whsec_… webhook_receiver.py 9000")
signed = Webhook(os.environ["WEBHOOK_SECRET"])
seen: set[str] = set()  # the same message may come again; a real receiver remembers its ids for longer than it runs


def in_words(told: dict[str, Any]) -> str:
    """A webhook brings a notice, a callback what became of a question."""
    if "message" in told:
        return f"{told['severity']}: {told['message']}"
    return f"{told.get('status')} {told.get('id')} {told.get('decision', '')}"


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            told = signed.verify(body, {name.lower(): value for name, value in self.headers.items()})
        except WebhookVerificationError:
            self.send_response(401)
        else:
            self.send_response(204)
            if self.headers["webhook-id"] not in seen:
                seen.add(self.headers["webhook-id"])
                print(in_words(told), flush=True)
        self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
