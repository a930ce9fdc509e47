import io
import json
import logging

import pytest
from aiohttp.http_exceptions import LineTooLong

from bot.logs import HIDDEN, MANY, Mask, OnceAMinute, bound, start_logging
from bot.steady import forever
from bot.store import StoreUnavailable


@pytest.fixture
def out() -> io.StringIO:
    """What is logged."""
    return io.StringIO()


SECRETS = [
    "xoxb-1234-abcd",
    "xoxe.xoxp-1-abcd",
    "xapp-1-A2-3-abcd",
    "gb_abcdefghijklmnopqrstuvwxyz0123456789",
    "notify_abcdefghijklmnopqrstuvwxyz0123456",
    "whsec_c2VjcmV0c2VjcmV0c2VjcmV0",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    'the owner\'s "odd" sécret\\',
]


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_logged_anywhere_in_a_line(out: io.StringIO, secret: str, form: str) -> None:
    start_logging("debug", form, [SECRETS[-1]], out)
    log = logging.getLogger("third.party")
    try:
        raise ValueError(f"refused: {secret}")
    except ValueError:
        log.debug("calling with %s and %r", secret, {"h": secret}, extra={"headers": {"X": secret}}, exc_info=True)
    for written in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], repr(repr(secret))[2:-2]):
        assert written not in out.getvalue()
    assert HIDDEN in out.getvalue()


@pytest.mark.parametrize(
    "line, masked",
    [
        ("Authorization: Bearer abcdef123", f"Authorization: {HIDDEN} {HIDDEN}"),
        ("POST /d/01hq.abcdef.ghijkl 200", f"POST /d/{HIDDEN} 200"),
        ("GET /login/q3vYx0m2bS9d8f7g6h5j4k3l2z1 303", f"GET /login/{HIDDEN} 303"),
        ("GET /setup/q3vYx0m2bS9d8f7g6h5j4k3l2z1 200", f"GET /setup/{HIDDEN} 200"),
        ("{'client_secret': 'hunter22'}", f"{{'client_secret': '{HIDDEN}'}}"),
        ("client_secret=hunter22&scope=x", f"client_secret={HIDDEN}&scope=x"),
        ("postgresql://u:hunter22@db/x", f"postgresql://u:{HIDDEN}@db/x"),
        ("POST https://hooks.slack.com/actions/T1/2/abc", f"POST https://hooks.slack.com/{HIDDEN}"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(line: str, masked: str) -> None:
    assert Mask().text(line) == masked


@pytest.mark.parametrize(
    "line",
    [
        "the token was refused: invalid_auth",
        "notify_user told ana@example.com",
        "GET /docs 200",
        "GET /setup/channel/webhook 200",
    ],
)
def test_what_only_sounds_like_one_stays(line: str) -> None:
    assert Mask().text(line) == line


def test_a_line_for_machines_is_json_with_its_facts(out: io.StringIO) -> None:
    start_logging("info", "json", [], out)
    with bound(request="r1"):
        logging.getLogger("bot.x").info("told %s", "ana", extra={"channel": "slack"})
    line = json.loads(out.getvalue())
    line.pop("at")
    assert line == {"level": "info", "logger": "bot.x", "message": "told ana", "request": "r1", "channel": "slack"}


def test_what_went_wrong_is_logged_with_its_trace(out: io.StringIO) -> None:
    start_logging("info", "json", [], out)
    try:
        raise ValueError("no such luck")
    except ValueError:
        logging.getLogger("bot.x").exception("a send failed")
    trace = json.loads(out.getvalue())["trace"]
    assert trace.startswith("Traceback")
    assert trace.endswith("ValueError: no such luck")


def test_a_line_break_from_outside_forges_no_line(out: io.StringIO) -> None:
    start_logging("info", "text", [], out)
    logging.getLogger("bot.x").info("asked by %s", "ana\n12:00:00 INFO bot: approved")
    assert len(out.getvalue().splitlines()) == 1


def test_a_line_break_in_a_fault_forges_no_line_either(out: io.StringIO) -> None:
    start_logging("info", "text", [], out)
    try:
        raise ValueError("asked by ana\n12:00:00 INFO    bot: approved")
    except ValueError:
        logging.getLogger("bot.x").exception("a send failed")
    assert [each for each in out.getvalue().splitlines()[1:] if not each.startswith("    ")] == []


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(
    "odd", ["\x1b[2J", "\x9b2J", "\x7f", "\N{RIGHT-TO-LEFT OVERRIDE}", "\N{LINE SEPARATOR}"], ids=repr
)
def test_nothing_from_outside_acts_on_the_terminal_of_who_reads(out: io.StringIO, form: str, odd: str) -> None:
    start_logging("info", form, [], out)
    try:
        raise ValueError(f"no such {odd}")
    except ValueError:
        logging.getLogger("bot.x").exception("asked by %s", odd, extra={"who": odd})
    assert odd not in out.getvalue()


def test_machines_read_what_is_shown_as_an_escape(out: io.StringIO) -> None:
    start_logging("info", "json", [], out)
    logging.getLogger("bot.x").info("asked by %s", "ana \x9b \N{LINE SEPARATOR} \U000e0001")
    assert json.loads(out.getvalue())["message"] == "asked by ana \x9b \N{LINE SEPARATOR} \U000e0001"


def test_what_is_not_http_is_not_quoted(out: io.StringIO) -> None:
    start_logging("info", "json", [], out)
    for _ in range(3):
        try:
            raise LineTooLong(b"GET /" + b"a" * 9000, 8190)
        except LineTooLong:
            logging.getLogger("aiohttp.server").exception("Error handling request from %s", "192.0.2.1")
    (line,) = map(json.loads, out.getvalue().splitlines())
    assert (line["level"], line["message"]) == ("warning", "refused what is not HTTP: LineTooLong")


def test_what_fails_while_answering_is_told_with_its_trace(out: io.StringIO) -> None:
    start_logging("info", "json", [], out)
    try:
        raise KeyError("ours")
    except KeyError:
        logging.getLogger("aiohttp.server").exception("Unhandled exception")
    assert "KeyError" in json.loads(out.getvalue())["trace"]


def test_less_than_the_level_is_not_logged(out: io.StringIO) -> None:
    start_logging("warning", "auto", [], out)
    logging.getLogger("bot.x").info("nothing to see")
    assert out.getvalue() == ""


def test_a_secret_that_is_learnt_later_is_hidden_from_then_on() -> None:
    mask = Mask()
    mask.learn(["hunter22"])
    assert mask.value({"words": "my hunter22", "n": [1, None, True]}) == {"words": f"my {HIDDEN}", "n": [1, None, True]}


AWAY = "nothing could be written: the database is away"


def written(*moments: float, words: str = AWAY, name: str = "bot.store.postgres") -> list[tuple[float, int]]:
    """At which of these moments a line is written, each with how many were left out before it."""
    through, lines = OnceAMinute(), []
    for moment in moments:
        record = logging.makeLogRecord({"name": name, "msg": words, "levelno": logging.WARNING, "created": moment})
        if through.filter(record):
            lines.append((moment, int(record.__dict__.get("left_out", 0))))
    return lines


def test_what_fails_every_second_is_said_at_once_and_then_every_minute() -> None:
    assert written(*range(150)) == [(0, 0), (60, 59), (120, 59)]


def test_what_fails_again_after_it_went_well_is_said_at_once() -> None:
    assert written(0, 1, 2, 13, 14) == [(0, 0), (13, 2)]


def test_a_clock_that_is_set_back_silences_nobody() -> None:
    assert written(7200, 7201, 3600) == [(7200, 0), (3600, 1)]


def test_another_trouble_is_said_at_once() -> None:
    through = OnceAMinute()
    records = [
        logging.makeLogRecord({"name": "bot.steady", "msg": "taking up work: %s", "args": (why,), "created": 1.0})
        for why in ("full", "full", "away")
    ]
    assert [through.filter(record) for record in records] == [True, False, True]


def test_another_defect_is_said_at_once() -> None:
    through = OnceAMinute()
    records = [
        logging.makeLogRecord(
            {"name": "bot.steady", "msg": "this failed", "exc_info": (type(e), e, None), "created": 1}
        )
        for e in (ValueError("one"), ValueError("one"), ValueError("another"))
    ]
    assert [through.filter(record) for record in records] == [True, False, True]


def test_what_is_told_once_each_is_never_left_out() -> None:
    assert written(0, 0, 0, words="Redis is back", name="bot.app") == [(0, 0)] * 3


def test_so_many_troubles_are_remembered_and_no_more() -> None:
    through = OnceAMinute()
    for number in range(3 * MANY):
        through.filter(logging.makeLogRecord({"name": "bot.steady", "msg": f"{number}", "created": 0.0}))
    assert len(through._said) <= MANY


async def test_a_loop_without_its_database_writes_one_line(out: io.StringIO) -> None:
    start_logging("info", "json", [], out)
    rounds = list(range(5))

    async def step() -> None:
        rounds.pop()
        raise StoreUnavailable("the database is away")

    await forever("taking up work", step, over=lambda: not rounds, sleep=at_once)
    assert [json.loads(line)["message"] for line in out.getvalue().splitlines()] == [
        "taking up work: the database is away"
    ]


async def at_once(seconds: float) -> None:
    return
