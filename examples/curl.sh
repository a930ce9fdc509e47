#!/usr/bin/env bash
# Everything with curl alone: report an event, ask for an approval, wait for it, use it.
#   GATEBELL_API_KEY=gb_… examples/curl.sh ana@example.com
set -euo pipefail

if [ $# -ne 1 ] || [ -z "${GATEBELL_API_KEY:-}" ]; then
  echo "Usage: GATEBELL_API_KEY=gb_… curl.sh ana@example.com" >&2
  exit 1
fi
url="${GATEBELL_URL:-http://127.0.0.1:8080}"
operator="$1"

call() { # VERB PATH [BODY]
  curl --silent --show-error --fail-with-body --request "$1" "$url$2" \
    --header "Authorization: Bearer $GATEBELL_API_KEY" --header "Content-Type: application/json" ${3:+--data "$3"}
}

field() { # NAME: the first text under this name in the JSON that comes in
  grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4
}

call POST /api/v1/events '{"type": "deploy.started", "severity": "info", "summary": "Version 4.2 is on its way"}'
echo

asked="$(call POST /api/v1/interactions '{
  "kind": "write_confirmation",
  "payload": {"agent": "deploy-bot", "tool": "deploy", "summary": "Deploy version 4.2", "arguments": {"version": "4.2"}},
  "audience": {"operators": ["'"$operator"'"]},
  "expires_in": 900
}')"
id="$(field id <<<"$asked")"
digest="$(field digest <<<"$asked")"

status=pending
while [ "$status" = pending ]; do
  answer="$(call GET "/api/v1/interactions/$id?wait=30")"
  status="$(field status <<<"$answer")"
done

if grep -q '"approved": *true' <<<"$answer"; then
  call POST "/api/v1/interactions/$id/consume" "{\"digest\": \"$digest\"}" >/dev/null
  echo "approved: deploying"
else
  echo "not approved: $status"
  exit 1
fi
