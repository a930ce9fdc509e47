"""The time line: what the platforms themselves saw, in words."""

import json
from collections.abc import Iterator
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bot.rehearsal.demo.cast import ANA, CAST, known_by
from bot.rehearsal.demo.runs import Runs, span
from bot.rehearsal.demo.stage import WEBHOOK_SECRET, Stage
from bot.rehearsal.http_platform import HttpPlatform
from bot.rehearsal.platform import Entry, Platform

Told = tuple[str, str, str]  # kind, sentence, detail

NOTICED = 100.0  # milliseconds
SLACK_SENDS = {
    "chat.postMessage": "Slack took the message for {who}",
    "chat.update": "{whose} copy in Slack was updated in place",
    "chat.postEphemeral": "Slack showed {who} a private note",
    "views.open": "Slack opened a window for {who}",
    "views.push": "Slack opened a second window for {who}",
    "views.update": "The window in Slack was updated",
}
SLACK_NEEDS = {"users.lookupByEmail": "when asked who {who} is", "conversations.open": "to a message for {who}"}


class Chronicle:
    """Reads on in every platform's journal from where it was."""

    def __init__(self, stage: Stage, runs: Runs) -> None:
        self._stage = stage
        self._runs = runs
        self._read: dict[str, int] = {}

    def watch(self) -> None:
        for platform in self._stage.platforms:
            platform.on_change(self._read_on)

    def _read_on(self, platform: Platform) -> None:
        start = self._read.get(platform.name, 0)
        fresh = platform.journal[start:]
        self._read[platform.name] = start + len(fresh)
        for entry in fresh:
            for kind, text, detail in self._told(platform, entry):
                thing, words = self._thing(platform, entry), self._words(platform, entry)
                stray = kind == "ok" and _is_new(platform, entry)
                self._runs.see(kind, platform.name, text, detail, at=entry.at, thing=thing, words=words, stray=stray)

    def _thing(self, platform: Platform, entry: Entry) -> str:
        """What the entry is about: the message, mail or callback, by the name under which it comes up again."""
        answer = entry.answer if isinstance(entry.answer, dict) else {}
        match platform.name:
            case "slack":
                body = entry.body if isinstance(entry.body, dict) else {}
                return str(body.get("ts") or answer.get("ts") or "")
            case "teams":
                return entry.path.rpartition("/")[2] if entry.method == "PUT" else str(answer.get("id") or "")
            case "mail" if entry.status == 250 and entry.path == "DATA":
                letter = self._stage.mail.letters[-1]
                return letter.references[0] if letter.references else letter.message_id
            case "caller":
                return entry.path.rpartition("/")[2]
        return ""

    def _words(self, platform: Platform, entry: Entry) -> str:
        if platform.name == "mail" and entry.path == "DATA" and entry.status == 250:
            return self._stage.mail.letters[-1].text
        return json.dumps(entry.body, default=str, ensure_ascii=False)

    def _told(self, platform: Platform, entry: Entry) -> Iterator[Told]:
        match platform.name:
            case "slack":
                yield from self._slack(entry)
            case "teams":
                yield from self._teams(entry)
            case "mail":
                yield from self._mail(entry)
            case "caller":
                yield self._callback()
            case "agent":
                yield _outcome(entry, "The message went to the agent behind the bot", "The agent did not answer", "")

    def _callback(self) -> Told:
        told = self._stage.caller.last
        try:
            Webhook(WEBHOOK_SECRET).verify(told.raw, told.headers)
        except WebhookVerificationError as wrong:
            return "fail", "The agent's callback was called, and its signature is wrong", str(wrong)
        return "ok", "The agent's callback was called", "its signature was verified"

    def _slack(self, entry: Entry) -> Iterator[Told]:
        method = entry.path.rpartition("/")[2]
        who = ANA.first if method.startswith("views.") else self._whom(self._stage.slack, entry)
        words = {"who": who, "whose": _whose(who)}
        answer = entry.answer if isinstance(entry.answer, dict) else {}
        if entry.status == 200 and answer.get("ok"):
            if method in SLACK_SENDS:
                kind = "update" if method in {"chat.update", "views.update"} else "ok"
                yield kind, SLACK_SENDS[method].format(**words), _took(entry)
        elif answer.get("error") == "users_not_found":
            yield "next", f"{who} is not in this Slack workspace, so the next channel is tried", "users_not_found"
        elif method in SLACK_SENDS or method in SLACK_NEEDS:
            what = SLACK_NEEDS.get(method, "to the message for {who}").format(**words)
            yield "fail", f"Slack {_refused(entry)} {what}", " · ".join(filter(None, (method, _took(entry))))

    def _teams(self, entry: Entry) -> Iterator[Told]:
        who = self._whom(self._stage.teams, entry)
        if entry.path.endswith("/oauth2/v2.0/token"):
            if entry.status != 200:
                yield "fail", f"Microsoft's login {_refused(entry)} to the bot's secret", _took(entry)
            return
        if "/activities" not in entry.path:
            return
        if entry.status not in {200, 201, 202}:
            yield "fail", f"Teams {_refused(entry)} to the message for {who}", _took(entry)
        elif entry.method == "PUT":
            yield "update", f"{_whose(who)} copy in Teams was updated in place", _took(entry)
        elif isinstance(entry.body, dict) and entry.body.get("type") == "message":
            yield "ok", f"Teams took the message for {who}", _took(entry)

    def _mail(self, entry: Entry) -> Iterator[Told]:
        if entry.status == 250 and entry.path == "DATA":
            letter = self._stage.mail.letters[-1]
            who = _name(letter.recipients[0])
            if letter.in_reply_to:
                yield "update", f"{who} got a second mail in the same thread", letter.subject
            else:
                if self._has_removed(letter.recipients[0]):
                    yield "next", f"{who} has removed the app from Teams, so the next channel is tried", ""
                yield "ok", f"The mail server took the mail for {who}", _only_mail(letter.recipients[0])
        elif entry.status >= 400 or entry.status == 0:
            yield "fail", f"The mail server {_refused(entry)} to the mail for {_name(_first(entry.body))}", entry.path

    def _has_removed(self, email: str) -> bool:
        player = known_by(email)
        return player is not None and player.in_teams and not self._stage.teams.chat(email).thread.installed

    def _whom(self, platform: HttpPlatform, entry: Entry) -> str:
        names = {name.casefold() for name in platform.destinations(entry.method, entry.path, entry.body)}
        if isinstance(entry.body, dict) and entry.body.get("email"):
            names.add(str(entry.body["email"]).casefold())
        return next((player.first for player in CAST if player.email in names), "somebody")


def _is_new(platform: Platform, entry: Entry) -> bool:
    """A message of its own: it belongs to the scenario whose mark it bears, or to none."""
    return platform.name in {"teams", "mail", "agent"} or entry.path.endswith("chat.postMessage")


def _outcome(entry: Entry, well: str, badly: str, detail: str) -> Told:
    if 200 <= entry.status < 300:
        return "ok", well, detail
    return "fail", badly, f"{entry.status}"


def _refused(entry: Entry) -> str:
    code = entry.answer.get("error") if isinstance(entry.answer, dict) else None
    if entry.status == 0:
        return "gave no answer"
    if entry.status < 300 and isinstance(code, str):
        return f"answered “{code}”"
    return f"answered {entry.status}"


def _took(entry: Entry) -> str:
    """Empty where nobody would notice it."""
    return span(entry.took_ms) if entry.took_ms >= NOTICED else ""


def _first(about: Any) -> str:
    return str(about[0]) if isinstance(about, tuple | list) and about else str(about)


def _name(email: str) -> str:
    player = known_by(email)
    return player.first if player else "somebody"


def _only_mail(address: str) -> str:
    """Why somebody got a mail at once: of people who are in neither chat the platforms see nothing else."""
    player = known_by(address)
    return "in neither Slack nor Teams" if player and not player.in_slack and not player.in_teams else ""


def _whose(name: str) -> str:
    return f"{name}'s"
