"""What each pane shows now, as JSON for the page."""

import time
from email.utils import parsedate_to_datetime

from bot.rehearsal.demo.cast import ANA, CAST, Player
from bot.rehearsal.demo.stage import Stage
from bot.rehearsal.letter import Letter
from bot.rehearsal.platform import Json
from bot.rehearsal.slack_message import Message
from bot.rehearsal.slack_modal import Modal
from bot.rehearsal.teams_state import Posted

SHOWN = 30  # messages of one conversation


def slack_pane(stage: Stage) -> Json:
    conversation = stage.slack.dm(ANA.email)
    together = sorted([*conversation.messages, *conversation.ephemerals], key=lambda each: float(each.ts))
    open_windows = stage.slack.modals(ANA.email)
    return {
        "owner": ANA.name,
        "messages": [_message(each) for each in together][-SHOWN:],
        "status": conversation.status,
        "modal": _modal(open_windows[-1]) if open_windows else None,
    }


def _message(message: Message) -> Json:
    return {
        "id": message.ts,
        "at": float(message.ts),
        "bot": message.from_bot,
        "text": message.text,
        "blocks": message.blocks,
        "attachments": message.attachments,
        "edited": message.edited,
        "private": message.ephemeral_for is not None,
    }


def _modal(modal: Modal) -> Json:
    content = modal.view.content
    return {
        "id": modal.view.id,
        "hash": modal.view.hash,
        "title": modal.title,
        "submit": _words(content.get("submit")),
        "close": _words(content.get("close")) or "Cancel",
        "blocks": modal.blocks,
        "errors": modal.errors,
    }


def _words(text: Json | None) -> str:
    return str(text["text"]) if text else ""


def teams_pane(stage: Stage) -> Json:
    return {"chats": [_chat(stage, player) for player in CAST if player.in_teams]}


def _chat(stage: Stage, player: Player) -> Json:
    chat = stage.teams.chat(player.email)
    return {
        "key": player.key,
        "owner": player.name,
        "installed": chat.thread.installed,
        "typing": chat.is_typing,
        "messages": [_post(stage, player, post) for post in chat.messages][-SHOWN:],
    }


def _post(stage: Stage, player: Player, post: Posted) -> Json:
    return {
        "id": post.id,
        "at": int(post.id) / 1000 if post.id.isdigit() else 0,
        "bot": post.by_bot,
        "text": post.text,
        "card": post.card_for(stage.teams.state.person(player.email)),
        "edited": post.edited,
    }


def mail_pane(stage: Stage) -> Json:
    letters = list(enumerate(stage.mail.letters))[-SHOWN:]
    return {"letters": [_letter(number, each) for number, each in letters]}


def _letter(number: int, letter: Letter) -> Json:
    return {
        "id": number,
        "to": [_reader(address) for address in letter.recipients],
        "from": letter.sender,
        "subject": letter.subject,
        "text": letter.text,
        "at": _date(letter),
        "thread": letter.references[0] if letter.references else letter.message_id,
        "again": bool(letter.in_reply_to),
    }


def _reader(address: str) -> str:
    return next((player.name for player in CAST if player.email == address.casefold()), address)


def _date(letter: Letter) -> float:
    written = letter.header("Date")
    return parsedate_to_datetime(written).timestamp() if written else time.time()
