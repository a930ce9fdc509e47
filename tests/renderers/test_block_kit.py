"""What only Slack needs: buttons and pickers, reviews, modals, colours, speed."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from interactions.card import Card, Choice, Format, Input, Severity, Status
from renderers import block_elements
from renderers.block_kit import ModalAnswer, SlackMessage, modal, read_modal, render
from tests.renderers.oracles import message_problems, mrkdwn, objects, view_problems
from tests.renderers.samples import (
    AT,
    BLOCKED,
    CLARIFICATION,
    NOTICE,
    PAGE,
    SMALL,
    TOKEN,
    WRITE,
    choices,
    ended,
    with_payload,
)

Json = dict[str, Any]


def action_ids(message: SlackMessage) -> list[str]:
    return [each["action_id"] for each in objects(message.blocks) if "action_id" in each]


def words_in(blocks: list[Json]) -> str:
    return json.dumps(blocks, ensure_ascii=False)


def inputs_of(view: Json) -> list[str]:
    return [block["block_id"] for block in view["blocks"] if block["type"] == "input"]


@pytest.mark.parametrize(
    "severity, color",
    [
        (Severity.CRITICAL, "#FF0000"),
        (Severity.HIGH, "#FF8C00"),
        (Severity.MEDIUM, "#FFD700"),
        (Severity.LOW, "#32CD32"),
        (Severity.INFO, "#87CEEB"),
    ],
)
def test_each_severity_has_its_colour(severity: Severity, color: str) -> None:
    assert render(replace(SMALL, severity=severity), "").body["attachments"][0]["color"] == color


def test_an_alert_is_called_one_in_its_title() -> None:
    assert render(NOTICE, "").blocks[0]["text"]["text"] == "MCP Alert: Error rate above 5 %"


def test_nothing_else_is_called_an_alert() -> None:
    assert render(SMALL, "").blocks[0]["text"]["text"] == "Backup finished"


def test_an_alert_has_severity_and_server_as_fields() -> None:
    fields = [block["fields"] for block in render(NOTICE, "").blocks if "fields" in block]
    assert [each["text"] for each in fields[0][:2]] == ["*Severity*\ncritical", "*Server*\ngate-1"]


def test_an_alert_says_when_it_happened_in_the_zone_of_whoever_reads_it() -> None:
    moment = f"<!date^{int(AT.timestamp())}^{{date_short_pretty}} {{time}}|4 March 2026, 14:02 UTC>"
    assert f"Happened {moment}" in render(NOTICE, "").blocks[-1]["elements"][0]["text"]


def test_the_head_stands_above_the_coloured_bar() -> None:
    message = render(NOTICE, "")
    assert (message.body["blocks"], message.body["attachments"][0]["blocks"]) == (
        message.blocks[:1],
        message.blocks[1:],
    )


def test_the_fallback_says_everything_in_one_line() -> None:
    assert render(BLOCKED, TOKEN).text == f"[HIGH] {BLOCKED.title}. Approve or Keep blocked?"


def test_the_fallback_of_an_ended_card_says_how_it_ended() -> None:
    card = ended(BLOCKED, Status.DECIDED, "Approved by Ana", approved=True)
    assert render(card, TOKEN).text == f"Approved by Ana: {BLOCKED.title}"


def test_nothing_in_the_fallback_calls_anybody() -> None:
    assert "<!channel>" not in render(Card(title="<!channel> & <@U1>"), "").text


def test_a_button_carries_its_choice_and_the_token() -> None:
    buttons = [each for each in objects(render(BLOCKED, TOKEN).blocks) if each.get("type") == "button"]
    assert [(each["action_id"], each["value"]) for each in buttons] == [
        ("choice:approve", TOKEN),
        ("choice:keep_blocked", TOKEN),
    ]


def test_an_ended_card_has_nothing_to_press() -> None:
    card = ended(BLOCKED, Status.EXPIRED, "Expired without an answer")
    assert action_ids(render(card, TOKEN)) == []


def test_the_reason_of_a_decision_is_shown() -> None:
    card = ended(BLOCKED, Status.DECIDED, "Denied by Ana", approved=False, reason="Not before Monday.")
    assert "Reason: Not before Monday." in words_in(render(card, TOKEN).blocks)


def test_a_moment_is_told_in_the_readers_own_time() -> None:
    assert "<!date^1772632920^{date_short_pretty} {time}|4 March 2026, 14:02 UTC>" in words_in(
        render(BLOCKED, "").blocks
    )


def test_five_choices_are_buttons() -> None:
    assert action_ids(render(Card(title="?", choices=choices(5)), TOKEN)) == [f"choice:c{place}" for place in range(5)]


def test_six_choices_are_a_picker_that_carries_the_token() -> None:
    message = render(Card(title="?", choices=choices(6)), TOKEN)
    assert [(block["block_id"], action_ids(message)) for block in message.blocks if block["type"] == "actions"] == [
        (f"t:{TOKEN}", ["pick"])
    ]


def test_something_else_is_a_button_beside_the_picker() -> None:
    assert action_ids(render(CLARIFICATION, TOKEN)) == ["pick", "choice:other"]


@pytest.mark.parametrize("count, offered", [(100, 100), (101, 101), (250, 250)])
def test_more_options_than_one_list_takes_are_grouped(count: int, offered: int) -> None:
    message = render(Card(title="?", choices=choices(count)), TOKEN)
    options = [option for each in objects(message.blocks) for option in each.get("options", [])]
    assert (len(options), message_problems(message)) == (offered, [])


def test_a_description_stands_in_its_option() -> None:
    options = [option for each in objects(render(CLARIFICATION, TOKEN).blocks) for option in each.get("options", [])]
    assert options[0]["description"]["text"] == "The one in Illinois"


def test_a_description_stands_above_the_buttons() -> None:
    card = Card(title="?", choices=(Choice("a", "Now", description="*Today* at noon"), Choice("b", "Later")))
    assert "*Now*: \N{ASTERISK OPERATOR}Today\N{ASTERISK OPERATOR} at noon" in words_in(render(card, TOKEN).blocks)


def test_labels_that_an_option_cuts_are_listed_whole() -> None:
    long = "The very long name of a town that has a twin of the same name and differs only at the end: "
    card = Card(title="?", choices=tuple(Choice(f"c{place}", f"{long}{place}") for place in range(6)))
    assert all(f"{long}{place}" in words_in(render(card, TOKEN).blocks) for place in range(6))


# ---- nobody approves what cannot be seen ----------------------------------------------------------------------------

LONG = "All of <this> & more must be read.\n"


@pytest.mark.parametrize(
    "card",
    [
        with_payload(BLOCKED, LONG * 320),
        with_payload(BLOCKED, LONG * 320, Format.DIFF),
        replace(BLOCKED, text=LONG * 320),
        replace(BLOCKED, facts=(("Path", LONG * 320),)),
        replace(BLOCKED, facts=tuple((f"Fact {place}", "x" * 100) for place in range(60))),
    ],
    ids=["payload", "diff", "text", "a fact", "many facts"],
)
def test_what_does_not_fit_whole_cannot_be_approved_there(card: Card) -> None:
    message = render(card, TOKEN, PAGE)
    assert (message.whole, action_ids(message)) == (False, ["choice:keep_blocked", "review"])


def test_a_choice_among_equals_waits_for_the_review_too() -> None:
    message = render(replace(CLARIFICATION, text=LONG * 320), TOKEN)
    assert (message.whole, action_ids(message)) == (False, ["review"])


def test_what_just_fits_is_whole_to_the_last_character() -> None:
    body = "".join(f"{place:05} & <all>\n" for place in range(400))
    message = render(with_payload(BLOCKED, body), TOKEN)
    shown = [block["text"]["text"] for block in message.blocks if "```" in str(block)]
    inside = "\n".join(text.removeprefix("```\n").removesuffix("\n```") for text in shown)
    assert (message.whole, inside.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")) == (True, body[:-1])


@pytest.mark.parametrize(
    "card", [BLOCKED, WRITE, CLARIFICATION, with_payload(BLOCKED, "x\n" * 900)], ids=lambda card: card.title
)
def test_slack_folds_nothing_of_what_somebody_is_to_approve(card: Card) -> None:
    shown = (render(card, TOKEN).blocks, modal(card, TOKEN)["blocks"])
    sections = [block for blocks in shown for block in blocks if block["type"] == "section"]
    assert [block.get("expand") for block in sections] == [True] * len(sections)


@pytest.mark.parametrize("card", [NOTICE, ended(BLOCKED, Status.EXPIRED, "Expired")], ids=lambda card: card.title)
def test_slack_may_fold_what_nobody_is_asked(card: Card) -> None:
    assert [block for block in render(card, TOKEN).blocks if "expand" in block] == []


def test_a_review_shows_what_the_message_could_not() -> None:
    card = with_payload(BLOCKED, LONG * 2000 + "the end")
    view = modal(card, TOKEN)
    assert ("the end" in words_in(view["blocks"]), inputs_of(view)) == (True, ["choice"])


def test_what_no_modal_holds_can_only_be_denied_there() -> None:
    view = modal(with_payload(BLOCKED, LONG * 10_000), TOKEN, page=PAGE)
    options = [option["value"] for each in objects(view) for option in each.get("options", [])]
    assert (options, f"<{PAGE}|" in words_in(view["blocks"])) == (["keep_blocked"], True)


def test_what_no_modal_holds_and_nobody_can_deny_has_no_submit() -> None:
    view = modal(replace(CLARIFICATION, text=LONG * 10_000), TOKEN, page=PAGE)
    assert ("submit" in view, view_problems(view)) == (False, [])


def test_an_ended_card_is_short() -> None:
    card = ended(with_payload(BLOCKED, LONG * 320), Status.DECIDED, "Approved by Ana", approved=True)
    message = render(card, TOKEN)
    assert (message.whole, len(words_in(message.blocks)) < 4000) == (True, True)


# ---- modals ---------------------------------------------------------------------------------------------------------

WHY = Input("reason", "Reason", ("keep_blocked",), required=True)
NOTE = Input("note", "Note")


def submitted(view: Json, **values: Json) -> Json:
    """The view as Slack sends it back, with each input's state by block id."""
    state = {block: {block: value} for block, value in values.items()}
    return {**view, "state": {"values": state}}


def test_a_modal_for_a_choice_asks_only_what_that_choice_needs() -> None:
    card = replace(BLOCKED, inputs=(WHY, NOTE))
    assert [inputs_of(modal(card, TOKEN, each)) for each in ("approve", "keep_blocked")] == [
        ["input.note"],
        ["input.reason", "input.note"],
    ]


def test_a_modal_for_a_choice_remembers_it() -> None:
    view = modal(replace(BLOCKED, inputs=(WHY,)), TOKEN, "keep_blocked")
    answer = submitted(view, **{"input.reason": {"type": "plain_text_input", "value": "No."}})
    assert read_modal(answer) == ModalAnswer(TOKEN, "keep_blocked", {"reason": "No."})


def test_a_review_is_answered_with_the_option_that_was_chosen() -> None:
    answer = submitted(modal(BLOCKED, TOKEN), choice={"type": "radio_buttons", "selected_option": {"value": "approve"}})
    assert read_modal(answer) == ModalAnswer(TOKEN, "approve", {})


def test_a_review_without_an_answer_chooses_nothing() -> None:
    assert read_modal(submitted(modal(BLOCKED, TOKEN), choice={"selected_option": None})) == ModalAnswer(TOKEN, "", {})


def test_a_review_says_which_choice_an_input_belongs_to() -> None:
    view = modal(replace(BLOCKED, inputs=(WHY,)), TOKEN)
    hints = [(block["hint"]["text"], block["optional"]) for block in view["blocks"] if "hint" in block]
    assert hints == [("Only for: Keep blocked", True)]


def test_more_choices_than_radio_buttons_are_a_menu() -> None:
    view = modal(Card(title="?", choices=choices(101)), TOKEN)
    kinds = [block["element"]["type"] for block in view["blocks"] if block["type"] == "input"]
    assert (kinds, view_problems(view)) == (["static_select"], [])


def test_words_for_the_reader_stand_at_the_top() -> None:
    assert modal(BLOCKED, TOKEN, words="You were not asked.")["blocks"][0]["text"]["text"] == "You were not asked."


def test_a_review_of_an_ended_card_only_shows() -> None:
    view = modal(ended(WRITE, Status.DECIDED, "Cancelled by Ben", approved=False), TOKEN)
    assert (inputs_of(view), "submit" in view) == ([], False)


# ---- markup ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "markdown, shown",
    [
        ("**bold** and *italic* and ~~gone~~", "*bold* and _italic_ and ~gone~"),
        ("# Head", "*Head*"),
        ("- a\n- b\n  - c", "• a\n• b\n    • c"),
        ("3. c\n4. d", "3. c\n4. d"),
        ("> said\n> twice", "> said\n> twice"),
        ("`a*b*c <d>`", "`a*b*c &lt;d&gt;`"),
        ("```\na < b\n```", "```\na &lt; b\n```"),
        ("[gate.example](https://gate.example)", "<https://gate.example|gate.example>"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("R&D <now>", "R&amp;D &lt;now&gt;"),
        ("~5 minutes", "~5 minutes"),
    ],
)
def test_markdown_becomes_mrkdwn(markdown: str, shown: str) -> None:
    assert mrkdwn(markdown) == shown


@pytest.mark.parametrize("value", ["__init__.py", "*.log *.txt", "a :fire: b", "~/x ~/y"])
def test_a_value_that_slack_would_format_is_shown_as_code(value: str) -> None:
    assert f"*Path*\\n`{value}`" in words_in(render(Card(title="t", facts=(("Path", value),)), "").blocks)


@pytest.mark.parametrize(
    ("ours", "model"),
    [
        (block_elements.header("a <b>"), HeaderBlock(text=PlainTextObject(text="a <b>", emoji=False))),
        (block_elements.section("*a*"), SectionBlock(text=MarkdownTextObject(text="*a*", verbatim=True))),
        (
            block_elements.fields(["a", "b"]),
            SectionBlock(fields=[MarkdownTextObject(text=each, verbatim=True) for each in "ab"]),
        ),
        (block_elements.context("_a_"), ContextBlock(elements=[MarkdownTextObject(text="_a_", verbatim=True)])),
    ],
)
def test_what_is_words_alone_is_what_slacks_model_makes_of_it(ours: Json, model: Block) -> None:
    assert ours == model.to_dict()


@pytest.mark.parametrize("refused", ["x" * 3001, ""])
def test_a_text_that_slack_would_refuse_is_no_section(refused: str) -> None:
    with pytest.raises(SlackObjectFormationError, match="cannot exceed 3000, nor be none"):
        block_elements.section(refused)


def test_more_fields_than_slack_takes_are_no_section() -> None:
    with pytest.raises(SlackObjectFormationError, match="cannot exceed 10"):
        block_elements.fields(["x"] * 11)


@pytest.mark.parametrize("choice, submit", [("other", "Send answer"), ("approve", "Approve")])
def test_the_button_of_a_window_says_what_it_does(choice: str, submit: str) -> None:
    card = Card("Which one?", choices=(Choice("approve", "Approve"), Choice("other", "Something else")))
    asking = replace(card, inputs=(Input("other", "What else?", ("other",)), Input("reason", "Reason")))
    assert modal(asking, TOKEN, choice)["submit"]["text"] == submit


# ---- cost -----------------------------------------------------------------------------------------------------------


def test_a_small_notice_costs_well_below_a_third_of_a_millisecond() -> None:
    assert min(_cpu_per_render(SMALL) for _ in range(5)) < 0.0003


def _cpu_per_render(card: Card) -> float:
    rounds, start = 100, time.process_time()
    for _ in range(rounds):
        render(card, TOKEN)
    return (time.process_time() - start) / rounds


@pytest.mark.parametrize("module", ["email", "text"])
def test_importing_a_renderer_brings_no_platform_with_it(module: str) -> None:
    assert _comes_with(f"renderers.{module}") == set()


@pytest.mark.parametrize(
    "renderer, channel, library",
    [("block_kit", "slack", "slack_sdk"), ("adaptive_card", "teams", "adaptivecards")],
)
def test_a_renderer_brings_the_models_that_it_is_made_of_and_the_channel_does_not(
    renderer: str, channel: str, library: str
) -> None:
    assert _comes_with(f"renderers.{renderer}") == {library}
    assert _comes_with(f"bot.channels.{channel}") == set()


def _comes_with(module: str) -> set[str]:
    heavy = ["slack_sdk", "adaptivecards", "jinja2", "css_inline", "markdown_it"]
    code = f"import sys, {module}; print(*(name for name in {heavy} if name in sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
