"""What only a mail needs: a subject, a button, a complete text, an end that looks like one."""

import re
from dataclasses import replace

import pytest

from interactions.card import Card, Format, Severity, Status
from renderers.email import render
from tests.renderers.oracles import mail_problems
from tests.renderers.samples import BLOCKED, CLARIFICATION, NOTICE, PAGE, SMALL, WRITE, ended, with_payload


def test_the_subject_of_an_alert_is_its_severity_and_its_name() -> None:
    assert render(NOTICE).subject == "[CRITICAL] Alert: Error rate above 5 %"


def test_the_subject_of_anything_else_calls_it_no_alert() -> None:
    assert render(Card(title="Backup finished", severity=Severity.LOW)).subject == "[LOW] Backup finished"


@pytest.mark.parametrize("title", ["a\r\nBcc: cleo@example.com", "a\nBcc: cleo@example.com", "a\x00\x0bBcc:\u2028b"])
def test_a_title_cannot_become_another_header(title: str) -> None:
    assert render(Card(title=title)).subject.isprintable()


def test_a_question_has_a_button_to_its_page() -> None:
    assert f'href="{PAGE}"' in render(BLOCKED, PAGE).html
    assert ">Review and decide</a>" in render(BLOCKED, PAGE).html


def test_a_mail_without_a_page_offers_no_button() -> None:
    assert "Review and decide" not in render(BLOCKED).html


def test_an_ended_request_offers_no_button() -> None:
    card = ended(BLOCKED, Status.DECIDED, "Approved by Ana", approved=True)
    assert 'class="button"' not in render(card, PAGE).html


def test_an_ended_request_says_how_it_ended_before_anything_else() -> None:
    html = render(ended(BLOCKED, Status.DECIDED, "Approved by Ana", approved=True), PAGE).html
    assert html.index("Approved by Ana</strong>") < html.index("wiki.example.com")


def test_the_text_is_complete() -> None:
    text = render(CLARIFICATION, PAGE).text
    assert all(choice.label in text and choice.description in text for choice in CLARIFICATION.choices)


def test_the_text_holds_all_of_a_payload_that_the_page_shortens() -> None:
    mail = render(with_payload(BLOCKED, "All of this must be read.\n" * 4000 + "the end"), PAGE)
    assert ("the end" in mail.text, "the end" in mail.html, mail_problems(mail)) == (True, False, [])


def test_a_change_is_coloured() -> None:
    html = render(WRITE, PAGE).html
    assert 'class="del"' in html
    assert 'class="add"' in html


def test_only_a_change_is_coloured() -> None:
    assert 'class="add"' not in render(with_payload(BLOCKED, "+ 1\n- 2", Format.TEXT), PAGE).html


def test_styles_are_inlined_for_programs_that_drop_style_tags() -> None:
    assert '<h1 style="' in render(SMALL).html


def test_dark_mode_is_offered() -> None:
    html = render(SMALL).html
    assert "@media (prefers-color-scheme: dark)" in html
    assert '<meta name="color-scheme" content="light dark">' in html


def test_a_link_is_a_button_that_says_where_it_leads() -> None:
    html = render(NOTICE).html
    assert re.search(r'<a class="button" href="https://grafana\.example\.com/d/abc"[^>]*>Open</a>', html)
    assert ">Leads to grafana.example.com</p>" in html


def test_beside_a_question_its_page_is_the_only_button() -> None:
    html = render(replace(BLOCKED, link="https://wiki.example.com/why"), PAGE).html
    assert html.count('class="button"') == 1
    assert ">Open (wiki.example.com)</a>" in html


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", 'https://a.example/"onclick="x'])
def test_no_other_link_gets_out(link: str) -> None:
    assert mail_problems(render(replace(NOTICE, link=link))) == []


def test_what_looks_like_html_is_words() -> None:
    html = render(Card(title="<b>hi</b>", text="<script>x</script>", facts=(("<i>", "<img src=x>"),))).html
    assert ("&lt;b&gt;hi&lt;/b&gt;" in html, "<script" in html, "<img" in html) == (True, False, False)
