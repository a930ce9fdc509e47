"""What a payload may hold, and what is wrong with it in words that name the field."""

import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from bot.signing import digest
from interactions.card import Card, Choice, Format
from interactions.model import Decision, Question, Requester, payload_of
from interactions.registry import Registry, UnknownKind
from tests.interactions.scene import BLOCKED, PICK, WRITE

REGISTRY = Registry()
ONE = [{"id": "a", "label": "A"}]
LOUD = "\u202e\u2066\u200b\x00\x1b[31m\U000e0041"


def places(kind: str, payload: dict[str, Any]) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        REGISTRY.question(kind, payload)
    return {".".join(map(str, error["loc"])) for error in caught.value.errors()}


@pytest.mark.parametrize(
    "kind, payload, field",
    [
        ("blocked_action", {"tool": "t"}, "agent"),
        ("blocked_action", {"agent": "a"}, "tool"),
        ("blocked_action", {"agent": " ", "tool": "t"}, "agent"),
        ("blocked_action", {"agent": "a", "tool": "\u200b\u202e\n"}, "tool"),
        ("blocked_action", {"agent": "a", "tool": "t", "tol": "x"}, "tol"),
        ("blocked_action", {"agent": "a", "tool": "t" * 301}, "tool"),
        ("blocked_action", {"agent": 7, "tool": "t"}, "agent"),
        ("blocked_action", {"agent": "a", "tool": "t", "reason": "x" * 8001}, "reason"),
        ("blocked_action", {"agent": "a", "tool": "t", "policy": "\ud800"}, "policy"),
        ("blocked_action", {"agent": "a", "tool": "t", "arguments": "x" * 262_144}, "arguments"),
        ("write_confirmation", {"agent": "a", "tool": "t"}, "summary"),
        ("write_confirmation", {"agent": "a", "tool": "t", "summary": ""}, "summary"),
        ("write_confirmation", {"agent": "a", "tool": "t", "summary": "s", "diff": "x" * 262_145}, "diff"),
        ("clarification", {"choices": ONE}, "question"),
        ("clarification", {"question": "q"}, "choices"),
        ("clarification", {"question": "q", "choices": []}, "choices"),
        ("clarification", {"question": "q", "choices": ONE * 101}, "choices"),
        ("clarification", {"question": "q", "choices": [{"id": "a"}]}, "choices.0.label"),
        ("clarification", {"question": "q", "choices": [{"id": "a b", "label": "A"}]}, "choices.0.id"),
        ("clarification", {"question": "q", "choices": [{"id": "x" * 76, "label": "A"}]}, "choices.0.id"),
    ],
)
def test_a_wrong_payload_names_its_field(kind: str, payload: dict[str, Any], field: str) -> None:
    assert field in places(kind, payload)


@pytest.mark.parametrize(
    "kind, payload, words",
    [
        ("clarification", {"question": "q", "choices": ONE * 2}, "choices must have different ids"),
        (
            "clarification",
            {"question": "q", "choices": [{"id": "other", "label": "O"}], "allow_other": True},
            'the id "other" is taken',
        ),
        (
            "write_confirmation",
            {"agent": "a", "tool": "t", "summary": "s", "diff": "+x", "arguments": {}},
            "give either arguments or diff, not both",
        ),
    ],
)
def test_parts_that_contradict_each_other_are_named(kind: str, payload: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        REGISTRY.question(kind, payload)


def test_an_unknown_kind_is_told_which_ones_there_are() -> None:
    with pytest.raises(UnknownKind, match="blocked_action, write_confirmation, clarification"):
        REGISTRY.question("approve_everything", {})


class Handover(Question):
    kind: ClassVar[str] = "handover"

    to: str

    def card(self) -> Card:
        return Card(f"Take over from {self.to}?", choices=(Choice("take", "Take", approves=True),))

    def decide(self, choice: str, actor: str) -> Decision:
        return Decision(choice, f"Taken by {actor}")


def test_a_fourth_kind_is_one_more_entry() -> None:
    registry = Registry((type(BLOCKED), Handover))
    assert registry.question("handover", {"to": "Ben"}) == Handover(to="Ben")


@pytest.mark.parametrize("question", [BLOCKED, WRITE, PICK])
def test_a_stored_payload_becomes_the_same_question(question: Question) -> None:
    assert REGISTRY.question(question.kind, payload_of(question)) == question


# ---- text from outside ----------------------------------------------------------------------------------------------


def test_a_name_cannot_hide_break_or_turn_round() -> None:
    question = REGISTRY.question("blocked_action", {"agent": f"Clea{LOUD}ner\r\nBcc: x", "tool": "t"})
    assert question.card().title == "Clea[31mner Bcc: x was blocked from t"


def test_a_reason_keeps_its_paragraphs_and_nothing_hidden() -> None:
    question = REGISTRY.question("blocked_action", {"agent": "a", "tool": "t", "reason": f"One{LOUD}\r\n\r\nTwo\u2028"})
    assert question.card().text == "One[31m\n\nTwo"


@pytest.mark.parametrize("name", ["Zoë", "王芳", "می‌خواهم", "👩‍👩‍👧", "O'Brien <ops>"])
def test_names_of_all_scripts_stay_as_they_are(name: str) -> None:
    assert payload_of(REGISTRY.question("blocked_action", {"agent": name, "tool": "t"}))["agent"] == name


@given(st.text(max_size=50))
def test_cleaning_a_payload_again_changes_nothing(text: str) -> None:
    try:
        question = REGISTRY.question("write_confirmation", {"agent": text, "tool": text, "summary": text, "diff": text})
    except ValidationError:
        return
    assert REGISTRY.question("write_confirmation", payload_of(question)) == question


def test_arguments_are_stored_exactly_as_they_were_said() -> None:
    arguments: JsonValue = {" a\u202e ": ["\x00", " b ", 1.5, None, True]}
    question = REGISTRY.question("blocked_action", {"agent": "a", "tool": "t", "arguments": arguments})
    assert payload_of(question)["arguments"] == arguments


def shown(arguments: JsonValue) -> str:
    payload = REGISTRY.question("blocked_action", {"agent": "a", "tool": "t", "arguments": arguments}).card().payload
    assert payload is not None
    return payload.body


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a\u202eb", r"a\u202eb"),
        ("a\u200bb", r"a\u200bb"),
        ("a\x00b", r"a\u0000b"),
        ("a\x9bb", r"a\u009bb"),
        ("a\U000e0041b", r"a\udb40\udc41b"),
        ("Zoë 王", "Zoë 王"),
    ],
)
def test_arguments_show_what_cannot_be_seen(text: str, expected: str) -> None:
    assert shown({"to": text}) == f'{{\n  "to": "{expected}"\n}}'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(json_values.filter(lambda value: value is not None))
def test_what_is_shown_is_the_whole_truth(arguments: JsonValue) -> None:
    assert json.loads(shown(arguments)) == arguments


@pytest.mark.parametrize(
    "nothing, is_shown", [(None, False), ({}, True), ([], True), ("", True), (0, True), (False, True)]
)
def test_only_null_arguments_are_nothing_to_show(nothing: JsonValue, is_shown: bool) -> None:
    card = REGISTRY.question("blocked_action", {"agent": "a", "tool": "t", "arguments": nothing}).card()
    assert (card.payload is not None) is is_shown


def test_arguments_of_a_quarter_of_a_megabyte_are_shown_whole() -> None:
    text = "x" * (256 * 1024 - 2)
    assert text in shown(text)


DIFF = " unchanged\n-old\n+new\u202e\n \n"


def test_a_diff_is_stored_to_the_last_blank() -> None:
    question = REGISTRY.question("write_confirmation", {"agent": "a", "tool": "t", "summary": "s", "diff": DIFF})
    assert payload_of(question)["diff"] == DIFF


def test_a_diff_shows_what_cannot_be_seen() -> None:
    payload = REGISTRY.question("write_confirmation", {"agent": "a", "tool": "t", "summary": "s", "diff": DIFF}).card()
    assert payload.payload is not None
    assert (payload.payload.body, payload.payload.format) == (" unchanged\n-old\n+new\\u202e\n \n", Format.DIFF)


# ---- the digest -----------------------------------------------------------------------------------------------------

ASKED = Requester("cleo@example.com", "Cleaner", "s1")


@dataclass(frozen=True)
class Said:
    kind: str = "blocked_action"
    tool: str = "drive.delete"
    arguments: JsonValue = None
    requester: Requester = ASKED

    @property
    def digest(self) -> str:
        payload: dict[str, JsonValue] = {"agent": "a", "tool": self.tool, "arguments": self.arguments}
        if self.kind == "write_confirmation":
            payload["summary"] = "s"
        return digest(self.kind, payload_of(REGISTRY.question(self.kind, payload)), asdict(self.requester))


SAME = Said(arguments={"path": "/reports", "deep": {"a": 1, "b": [1, 2]}})


@pytest.mark.parametrize(
    "other",
    [
        Said(arguments={"path": "/reports/", "deep": {"a": 1, "b": [1, 2]}}),
        Said(arguments={"path": "/reports", "deep": {"a": 1, "b": [2, 1]}}),
        Said(arguments={"path": "/reports", "deep": {"a": "1", "b": [1, 2]}}),
        Said(arguments={"path": "/reports\u200b", "deep": {"a": 1, "b": [1, 2]}}),
        Said(tool="drive.list", arguments=SAME.arguments),
        Said(kind="write_confirmation", arguments=SAME.arguments),
        Said(arguments=SAME.arguments, requester=Requester("ben@example.com", "Cleaner", "s1")),
        Said(arguments=SAME.arguments, requester=Requester("cleo@example.com", "Cleaner", "s2")),
    ],
    ids=str,
)
def test_another_request_has_another_digest(other: Said) -> None:
    assert other.digest != SAME.digest


def test_the_order_of_keys_makes_no_other_request() -> None:
    assert Said(arguments={"deep": {"b": [1, 2], "a": 1}, "path": "/reports"}).digest == SAME.digest
