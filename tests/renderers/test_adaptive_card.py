"""What only Teams needs: actions with a fallback, cards in cards, pickers, sizes."""

import json
from dataclasses import replace
from typing import Any

import pytest

from interactions.card import Card, Choice, Input, Status
from renderers import adaptive_elements
from renderers.adaptive_card import read_action, render
from tests.renderers.oracles import card_problems, objects
from tests.renderers.samples import BLOCKED, CLARIFICATION, NOTICE, PAGE, TOKEN, WRITE, choices, ended, with_payload

Json = dict[str, Any]
WHY = Input("reason", "Reason", ("keep_blocked",), required=True)


def titles(content: Json) -> list[str]:
    return [each["title"] for each in content.get("actions", [])]


def inputs(content: Json) -> list[str]:
    return [each["id"] for each in objects(content) if str(each.get("type")).startswith("Input.")]


def test_an_alert_is_called_one_and_says_when_it_happened() -> None:
    body = render(NOTICE, "").content["body"]
    assert body[1]["text"] == "Alert: Error rate above 5 %"
    assert body[-2]["text"] == "Happened {{DATE(2026-03-04T14:02:00Z,SHORT)}} {{TIME(2026-03-04T14:02:00Z)}}"


def test_nothing_else_is_called_an_alert() -> None:
    assert render(replace(NOTICE, alert=False), "").content["body"][1]["text"] == "Error rate above 5 %"


def test_a_button_executes_and_old_clients_submit_the_same() -> None:
    first = render(BLOCKED, TOKEN).content["actions"][0]
    assert first == {
        "type": "Action.Execute",
        "title": "Approve",
        "verb": "answer",
        "data": {"token": TOKEN, "choice": "approve"},
        "fallback": {"type": "Action.Submit", "title": "Approve", "data": {"token": TOKEN, "choice": "approve"}},
    }


def test_an_action_is_read_back() -> None:
    data = render(BLOCKED, TOKEN).content["actions"][1]["data"]
    assert tuple(read_action({**data, "input.reason": "No."})) == (TOKEN, "keep_blocked", {"reason": "No."})


def test_an_action_of_somebody_else_chooses_nothing() -> None:
    assert tuple(read_action({"text": "hello"})) == ("", "", {})


def test_a_choice_that_needs_words_opens_a_card_of_its_own() -> None:
    content = render(replace(BLOCKED, inputs=(WHY,)), TOKEN).content
    opened = content["actions"][1]
    assert (opened["type"], inputs(opened["card"]), titles(opened["card"])) == (
        "Action.ShowCard",
        ["input.reason"],
        ["Keep blocked"],
    )


def test_words_that_every_choice_asks_for_stand_above_the_buttons() -> None:
    content = render(replace(BLOCKED, inputs=(Input("note", "Note"),)), TOKEN).content
    assert ([each["type"] for each in content["actions"]], inputs(content)) == (["Action.Execute"] * 2, ["input.note"])


def test_words_for_some_choices_are_read_for_the_one_that_was_taken() -> None:
    shared = Input("why", "Why", ("c1", "c2"))
    content = render(Card(title="?", choices=choices(3), inputs=(shared,)), TOKEN).content
    data = {"token": TOKEN, "choice": "c2", "input.why~c1": "left over", "input.why~c2": "this"}
    assert (inputs(content), read_action(data).inputs) == (["input.why~c1", "input.why~c2"], {"why": "this"})


def test_five_choices_are_buttons() -> None:
    assert len(render(Card(title="?", choices=choices(5)), TOKEN).content["actions"]) == 5


@pytest.mark.parametrize("count", [6, 101])
def test_more_choices_are_a_picker(count: int) -> None:
    content = render(Card(title="?", choices=choices(count)), TOKEN).content
    assert (inputs(content), titles(content), card_problems(content)) == (["choice"], ["Send answer"], [])


def test_a_picked_choice_is_read_back() -> None:
    data = {**render(CLARIFICATION, TOKEN).content["actions"][0]["data"], "choice": "other", "input.other": "Kansas"}
    assert tuple(read_action(data)) == (TOKEN, "other", {"other": "Kansas"})


def test_what_does_not_fit_whole_cannot_be_approved_there() -> None:
    shown = render(with_payload(BLOCKED, "All of this must be read.\n" * 3000), TOKEN, PAGE)
    review = shown.content["actions"][-1]
    assert (shown.whole, titles(shown.content), review["type"], review["url"]) == (
        False,
        ["Keep blocked", "Review full request"],
        "Action.OpenUrl",
        PAGE,
    )


def test_what_just_fits_is_whole_to_the_last_character() -> None:
    body = "".join(f"{place:05} all of it\n" for place in range(1800))
    shown = render(with_payload(BLOCKED, body), TOKEN)
    code = [each["text"] for each in objects(shown.content) if each.get("fontType") == "Monospace"]
    assert (shown.whole, code) == (True, [body])


def test_five_denials_and_the_review_are_six_actions() -> None:
    card = Card(title="?", text="x " * 30_000, choices=(Choice("yes", "Yes", approves=True), *choices(5)))
    assert len(render(card, TOKEN, PAGE).content["actions"]) == 6


def test_a_link_for_which_there_is_no_seventh_button_stands_among_the_words() -> None:
    linked = replace(with_payload(BLOCKED, "All of this must be read.\n" * 4000), link="https://a.example/why")
    content = render(replace(linked, choices=choices(6, approving=True)), TOKEN, PAGE).content
    assert titles(content)[4:] == ["Choice 5", "Review full request"]
    assert [each["selectAction"]["url"] for each in objects(content) if each.get("text") == "Open"] == [linked.link]
    assert card_problems(content) == []


def test_an_ended_card_has_nothing_to_press() -> None:
    content = render(ended(WRITE, Status.DECIDED, "Cancelled by Ben", approved=False), TOKEN, PAGE).content
    assert ("actions" in content, inputs(content)) == (False, [])


@pytest.mark.parametrize(
    "status, approved, style",
    [
        (Status.DECIDED, True, "good"),
        (Status.DECIDED, None, "good"),
        (Status.DECIDED, False, "attention"),
        (Status.EXPIRED, None, "emphasis"),
        (Status.WITHDRAWN, None, "emphasis"),
        (Status.UNDELIVERABLE, None, "warning"),
    ],
)
def test_each_end_looks_like_what_it_is(status: Status, approved: bool | None, style: str) -> None:
    content = render(ended(NOTICE, status, "It ended", approved=approved), TOKEN).content
    assert next(each for each in content["body"] if each["type"] == "Container")["style"] == style


def test_a_moment_is_told_in_the_readers_own_time() -> None:
    stamp = "2026-03-04T14:02:00Z"
    lines = [each.get("text") for each in objects(render(BLOCKED, TOKEN).content)]
    assert f"Expires {{{{DATE({stamp},SHORT)}}}} {{{{TIME({stamp})}}}}" in lines


def test_indents_of_a_payload_stay() -> None:
    content = render(with_payload(BLOCKED, '{\n  "a": 1\n}'), TOKEN).content
    code = [each["text"] for each in objects(content) if each.get("fontType") == "Monospace"]
    assert code == ['{\n\u00a0\u00a0"a": 1\n}']


def test_screen_readers_hear_one_line() -> None:
    content = render(BLOCKED, TOKEN).content
    assert content["speak"] == content["fallbackText"] == f"[HIGH] {BLOCKED.title}. Approve or Keep blocked?"


def test_a_misspelt_property_fails() -> None:
    with pytest.raises(TypeError, match="TextBlock has no colour"):
        adaptive_elements.TextBlock(text="x", colour="Good")


def test_a_property_of_another_type_fails() -> None:
    with pytest.raises(TypeError, match="wrap must be"):
        adaptive_elements.TextBlock(text="x", wrap="yes")


def test_the_tree_is_what_the_library_writes() -> None:
    made = adaptive_elements.card(
        [adaptive_elements.Container(style="good", items=[adaptive_elements.TextBlock(text="x", wrap=True)])],
        [adaptive_elements.OpenUrl(title="Open", url=PAGE)],
    )
    assert json.loads(str(made)) == adaptive_elements.dump(made)
