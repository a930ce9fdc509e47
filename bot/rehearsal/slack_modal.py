"""A modal on one person's screen: fill it in, submit it, close it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from bot.rehearsal.delivery import Delivery
from bot.rehearsal.platform import Json
from bot.rehearsal.slack_api import RefusedError
from bot.rehearsal.slack_message import Element, elements_in
from bot.rehearsal.slack_state import View
from bot.rehearsal.slack_text import words_of

if TYPE_CHECKING:
    from bot.rehearsal.slack import SlackWorkspace

REQUIRED = "Please complete this required field."
TROUBLE = "We had some trouble connecting. Try again?"


@dataclass(frozen=True, slots=True)
class Submitted:
    """What came of a submission; no delivery means that the client held it back."""

    delivery: Delivery | None
    errors: Mapping[str, str]
    modal: "Modal | None" = None

    @property
    def status(self) -> int | None:
        return None if self.delivery is None else self.delivery.status

    @property
    def body(self) -> Any:
        return None if self.delivery is None else self.delivery.body


class Modal:
    def __init__(self, workspace: "SlackWorkspace", view: View) -> None:
        self._workspace = workspace
        self.view = view

    @property
    def title(self) -> str:
        return str(self.view.content["title"]["text"])

    @property
    def is_open(self) -> bool:
        return self.view.open

    @property
    def errors(self) -> dict[str, str]:
        return self.view.errors

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.view.content["blocks"]
        return blocks

    @property
    def inputs(self) -> list[Element]:
        return [each for each in elements_in(self.blocks) if each.type != "button"]

    @property
    def labels(self) -> list[str]:
        return [each.label for each in self.inputs]

    def shown_text(self) -> str:
        return f"{self.title}\n{words_of(self.blocks)}"

    def fill(self, answers: Mapping[str, str | Sequence[str]]) -> Self:
        """By the input's label, block id or action id; a choice by its label or value."""
        for name, answer in answers.items():
            element = self._input(name)
            self.view.filled.setdefault(element.block_id, {})[element.action_id] = _state(element, answer)
        return self

    def _input(self, name: str) -> Element:
        for element in self.inputs:
            if name in {element.label, element.block_id, element.action_id}:
                return element
        raise LookupError(f"{self.title!r} has {self.labels}, not {name!r}")

    async def submit(self) -> Submitted:
        """Presses the modal's submit button."""
        self._start_values()
        self.view.errors = self._held_back()
        if self.view.errors:
            return Submitted(None, self.view.errors)
        person = self._workspace.state.person(self.view.user)
        delivery = await self._workspace.push.interaction(self._workspace.payloads.view_submission(self.view, person))
        following = self._obey(delivery)
        self._workspace.changed()
        return Submitted(delivery, self.view.errors, following)

    async def close(self, *, cleared: bool = False) -> Delivery | None:
        """The app hears of it only when the view asks for that."""
        self.view.open = False
        self._workspace.changed()
        if not self.view.content.get("notify_on_close"):
            return None
        person = self._workspace.state.person(self.view.user)
        return await self._workspace.push.interaction(self._workspace.payloads.view_closed(self.view, person, cleared))

    def _start_values(self) -> None:
        for element in self.inputs:
            actions = self.view.filled.setdefault(element.block_id, {})
            actions.setdefault(element.action_id, _state(element, _initial(element)))

    def _held_back(self) -> dict[str, str]:
        """What the client itself refuses to send."""
        problems = {}
        for block in self.blocks:
            if block["type"] != "input":
                continue
            for state in self.view.filled.get(block["block_id"], {}).values():
                if problem := _problem(block, state):
                    problems[block["block_id"]] = problem
        return problems

    def _obey(self, delivery: Delivery) -> "Modal | None":
        if not delivery.acknowledged:
            self.view.errors = {"": TROUBLE}
            return None
        answer = delivery.body if isinstance(delivery.body, dict) else {}
        try:
            return self._answered(answer)
        except RefusedError as refused:
            self.view.errors = {"": f"{TROUBLE} {refused.answer}"}
            return None

    def _answered(self, answer: Json) -> "Modal | None":
        match answer.get("response_action"):
            case "errors":
                known = {block["block_id"] for block in self.blocks if block["type"] == "input"}
                right = answer["errors"] and set(answer["errors"]) <= known
                self.view.errors = dict(answer["errors"]) if right else {"": TROUBLE}
            case "update":
                self._workspace.api.updated_view(self.view, answer["view"])
            case "push":
                return self._pushed(answer["view"])
            case "clear":
                for view in self._workspace.state.views.values():
                    view.open = view.open and view.user != self.view.user
            case None:
                self.view.open = False
            case unknown:
                self.view.errors = {"": f"{TROUBLE} {unknown}"}
        return None

    def _pushed(self, content: Json) -> "Modal":
        state = self._workspace.state
        trigger = state.new_trigger(self.view.user)
        opened = self._workspace.api.call("views.push", state.app.bot_token, {"trigger_id": trigger, "view": content})
        return Modal(self._workspace, state.views[opened["view"]["id"]])


def _state(element: Element, answer: str | Sequence[str] | None) -> Json:
    match element.type:
        case "static_select" | "radio_buttons":
            chosen = None if not isinstance(answer, str) else element.option(answer)
            return {"type": element.type, "selected_option": chosen}
        case "checkboxes" | "multi_static_select":
            labels = [answer] if isinstance(answer, str) else list(answer or [])
            return {"type": element.type, "selected_options": [element.option(label) for label in labels]}
        case _:
            return {"type": element.type, "value": answer or None}


def _initial(element: Element) -> str | list[str] | None:
    raw = element.raw
    if "initial_options" in raw:
        return [option["value"] for option in raw["initial_options"]]
    option = raw.get("initial_option")
    return option["value"] if option else raw.get("initial_value")


def _problem(block: Json, state: Json) -> str | None:
    given = state.get("value") or state.get("selected_option") or state.get("selected_options")
    if not given:
        return None if block.get("optional") else REQUIRED
    limits = block["element"]
    if isinstance(given, str) and len(given) > limits.get("max_length", 3000):
        return f"Must be less than {limits.get('max_length', 3000) + 1} characters."
    if isinstance(given, str) and len(given) < limits.get("min_length", 0):
        return f"Must be at least {limits['min_length']} characters."
    return None
