"""What the worker makes of a copy: down its chain, in place, again later, or set aside where people see it."""

import asyncio

import pytest

from bot.channels.contract import DeliveryError, Post, Reason
from bot.dispatch.health import HANGS_IN_A_ROW, PAUSE
from bot.dispatch.outbox import NewDelivery, NewPost
from bot.dispatch.posting import Posting
from bot.dispatch.worker import AT_ONCE, LEFT_TO_OTHERS, POISONED
from bot.ids import new_id
from bot.store import Store
from interactions.card import Card, Severity, Status
from tests.dispatch.working import ANA, Does, Looked, Mail, SlowMail, Told, Works, running


def refuses(reason: Reason, retry_after: float | None = None) -> Does:
    async def refuse(post: Post) -> None:
        raise DeliveryError(reason, "not today", retry_after)

    return refuse


def fails(error: Exception) -> Does:
    async def fail(post: Post) -> None:
        raise error

    return fail


async def for_ever(post: Post) -> None:
    await asyncio.Event().wait()


@pytest.fixture
def works(store: Store) -> Works:
    return Works(store, {"chat": Told(), "mail": Mail()})


async def test_the_first_channel_that_accepts_ends_the_walk(works: Works) -> None:
    copy = await works.put("A notice", "chat", "mail")
    async with running(works.worker()):
        row = await works.until(copy, "done")
    assert (row["channel"], row["shown"]) == ("chat", 0)
    assert await works.attempts(copy) == [("chat", "")]


@pytest.mark.parametrize("reason", [each for each in Reason if each is not Reason.RATE_LIMITED])
async def test_a_refusal_for_any_reason_leads_to_the_next(works: Works, reason: Reason) -> None:
    works.channels["chat"] = Told(refuses(reason))
    copy = await works.put("A notice", "chat", "mail")
    async with running(works.worker()):
        row = await works.until(copy, "done")
    assert row["channel"] == "mail"
    assert await works.attempts(copy) == [("chat", str(reason)), ("mail", "")]


@pytest.mark.parametrize("words", ["cut \0 off", "half \ud83d", "turned \u202e round"])
async def test_words_that_no_database_keeps_do_not_keep_a_result_from_being_written(works: Works, words: str) -> None:
    works.channels["chat"] = Told(fails(DeliveryError(Reason.REFUSED, words)))
    copy = await works.put("A notice", "chat", "mail")
    async with running(works.worker()):
        await works.until(copy, "done")
    [refused] = await works.store.read(lambda tx: tx.rows("SELECT detail FROM attempt WHERE reason = 'refused'"))
    assert refused["detail"] in {"cut  off", "half ", "turned  round"}


async def test_a_busy_channel_is_waited_for_where_nothing_presses(works: Works) -> None:
    works.channels["chat"] = Told(refuses(Reason.RATE_LIMITED, 30.0))
    copy = await works.put("A notice", "chat", "mail")
    async with running(works.worker()):
        row = await works.until_tried(copy, 1)
    assert row["state"] == "open"
    assert row["due_at"] - works.clock.now().timestamp() == pytest.approx(30, abs=2)
    assert await works.attempts(copy) == [("chat", "rate_limited")]


async def test_a_critical_one_does_not_wait_for_a_busy_channel(works: Works) -> None:
    works.channels["chat"] = Told(refuses(Reason.RATE_LIMITED, 30.0))
    copy = await works.put("A fire", "chat", "mail", severity=Severity.CRITICAL)
    async with running(works.worker()):
        assert (await works.until(copy, "done"))["channel"] == "mail"


async def test_a_channel_that_has_not_answered_several_times_is_spared_for_a_moment(works: Works) -> None:
    works.channels["chat"] = hanging = Told(refuses(Reason.TIMED_OUT))
    async with running(works.worker()) as worker:
        for number in range(HANGS_IN_A_ROW + 3):
            copy = await works.put(f"Notice {number}", "chat", "mail")
            worker.wake()
            await works.until(copy, "done")
        spared = len(hanging.sent)
        works.clock.forward(PAUSE.total_seconds() + 1)
        again = await works.put("A later notice", "chat", "mail")
        worker.wake()
        await works.until(again, "done")
    assert (spared, len(hanging.sent)) == (HANGS_IN_A_ROW, HANGS_IN_A_ROW + 1)


async def test_a_crowd_gathers_on_the_channel_where_it_waits(works: Works) -> None:
    works.channels = {"chat": Told(refuses(Reason.NO_ADDRESS)), "mail": SlowMail()}
    async with running(works.worker()):
        await works.until(await works.put("The first", "chat", "mail"), "done")
        await works.until_on(await works.put("The next", "chat", "mail"), "mail")
    assert works.crowded == [("mail", "ana")]


async def test_what_nobody_takes_now_is_tried_again_later(works: Works) -> None:
    works.channels["chat"] = chat = Told(refuses(Reason.UNAVAILABLE))
    copy = await works.put("A notice", "chat")
    async with running(works.worker()) as worker:
        assert (await works.until_tried(copy, 1))["state"] == "open"
        works.channels["chat"] = back = Told()
        works.clock.forward(10)
        worker.wake()
        await works.until(copy, "done")
    assert (len(chat.sent), len(back.sent)) == (1, 1)


async def test_what_can_never_be_taken_is_closed_and_its_question_reached_nobody(works: Works) -> None:
    works.channels["chat"] = Told(refuses(Reason.NO_ADDRESS))
    copy = await works.put("A question", "chat", asks="question-1")
    async with running(works.worker()):
        row = await works.until(copy, "failed")
    assert (row["reason"], row["detail"]) == ("no_address", "not today")
    assert works.ended == [("question-1", Status.UNDELIVERABLE)]
    assert works.counted.given_up == ["chat"]


async def test_the_cooldown_is_given_back_where_the_whole_chain_refused(works: Works) -> None:
    works.channels["chat"] = Told(refuses(Reason.NO_ADDRESS))
    copy = await works.put("A notice", "chat")
    ref = (await works.row(copy))["ref"]
    assert await works.cooldown.reserve("same", ref, works.clock.now(), 3600)
    await works.store.write(lambda tx: tx.run("UPDATE post SET cooldown = 'same'"))
    async with running(works.worker()):
        await works.until(copy, "failed")
    assert await works.cooldown.reserve("same", "another", works.clock.now(), 3600)


async def test_a_copy_that_lies_somewhere_is_changed_in_place(works: Works) -> None:
    copy = await works.put("A question", "chat", "mail")
    async with running(works.worker()) as worker:
        await works.until(copy, "done")
        await works.change(copy, "Decided")
        worker.wake()
        row = await works.until(copy, "done")
    chat, mail = works.channels["chat"], works.channels["mail"]
    assert (chat.sent, chat.updated, mail.sent) == (["A question"], [1], [])
    assert row["shown"] == 1


async def test_a_card_that_has_changed_before_it_was_sent_goes_out_as_it_is_now(works: Works) -> None:
    copy = await works.put("A question", "chat")
    await works.change(copy, "Decided")
    async with running(works.worker()):
        row = await works.until(copy, "done")
    chat = works.channels["chat"]
    assert (chat.sent, row["shown"]) == (["Decided"], 1)


async def test_a_card_that_changes_while_it_is_being_sent_is_brought_up_to_date(works: Works) -> None:
    sending, go = asyncio.Event(), asyncio.Event()

    async def slowly(post: Post) -> None:
        sending.set()
        await go.wait()

    works.channels["chat"] = chat = Told(slowly)
    copy = await works.put("A question", "chat")
    async with running(works.worker()):
        await sending.wait()
        await works.change(copy, "Decided")
        go.set()
        row = await works.until(copy, "done")
    assert (chat.sent, chat.updated, row["shown"]) == (["A question"], [1], 1)


async def test_a_channel_that_hangs_holds_its_own_places_only(works: Works) -> None:
    works.channels["chat"] = Told(for_ever)
    stuck = [await works.put(f"Stuck {number}", "chat") for number in range(AT_ONCE + 5)]
    other = await works.put("Another", "mail")
    async with running(works.worker()):
        await works.until(other, "done")
        held = [bool((await works.row(copy))["lease"]) for copy in stuck]
    assert held.count(True) == AT_ONCE


async def test_what_comes_while_the_worker_stops_is_held_by_nobody(works: Works) -> None:
    at, worker = works.clock.now(), works.worker()
    copy = NewDelivery(new_id(at), ANA, ("chat",))
    await worker.drain(0)
    await Posting(works.store, worker).put(NewPost(new_id(at), Card("A notice"), {}), [copy], at)
    assert ((await works.row(copy.id))["lease"], works.channels["chat"].sent) == ("", [])


async def test_what_another_has_taken_over_meanwhile_is_not_overwritten(works: Works) -> None:
    sending, go = asyncio.Event(), asyncio.Event()

    async def slowly(post: Post) -> None:
        sending.set()
        await go.wait()

    works.channels["chat"] = Told(slowly)
    copy = await works.put("A notice", "chat")
    worker = works.worker()
    async with running(worker):
        await sending.wait()
        await works.store.write(lambda tx: tx.run("UPDATE delivery SET lease = 'another'"))
        go.set()
        await worker.drain(10)
    row = await works.row(copy)
    assert (row["lease"], row["state"], row["receipt"]) == ("another", "open", None)


async def test_somebody_who_is_gone_is_told_nothing(works: Works) -> None:
    copy = await works.put("A notice", "chat", who="cleo")
    async with running(works.worker()):
        assert (await works.until(copy, "failed"))["reason"] == "no_reader"
    assert works.counted.attempts == {}


async def test_a_defect_of_one_channel_leads_to_the_next(works: Works) -> None:
    works.channels["chat"] = Told(fails(ZeroDivisionError()))
    copy = await works.put("A notice", "chat", "mail")
    async with running(works.worker()):
        assert (await works.until(copy, "done"))["channel"] == "mail"
    assert (await works.attempts(copy))[0] == ("chat", "invalid")


async def test_what_nobody_can_work_on_is_tried_some_times_and_set_aside_while_the_rest_flows(works: Works) -> None:
    class Poison(Told):
        def missing(self) -> tuple[str, ...]:
            raise KeyError("a defect")

    works.channels["chat"] = Poison()
    copy = await works.put("Poison", "chat")
    behind = await works.put("Behind it", "mail")
    async with running(works.worker()) as worker:
        await works.until(behind, "done")
        for tries in range(1, POISONED):
            assert (await works.until_tried(copy, tries))["state"] == "open"
            works.clock.forward(700)
            worker.wake()
        row = await works.until(copy, "failed")
    assert row["detail"] == "unexpected failure (KeyError)"


async def test_refused_credentials_turn_the_channels_health_once(works: Works) -> None:
    works.channels["chat"] = Told(refuses(Reason.UNAUTHORIZED))
    copies = [await works.put(f"Notice {number}", "chat", "mail") for number in range(3)]
    async with running(works.worker()):
        for copy in copies:
            await works.until(copy, "done")
    assert [str(each.condition) for each in works.turned] == ["broken"]


async def test_a_change_long_after_the_sending_is_tried_again_like_any_other(works: Works) -> None:
    copy = await works.put("A question", "chat")
    async with running(works.worker()) as worker:
        await works.until(copy, "done")
        works.clock.forward(25 * 3600)
        works.channels["chat"] = Told(refuses(Reason.UNAVAILABLE))
        await works.change(copy, "Decided")
        worker.wake()
        assert (await works.until_tried(copy, 1))["state"] == "open"
        works.channels["chat"] = back = Told()
        works.clock.forward(10)
        worker.wake()
        await works.until(copy, "done")
    assert back.updated == [1]


@pytest.mark.parametrize(
    "does, reason",
    [
        (refuses(Reason.UNAUTHORIZED), "unauthorized"),
        (refuses(Reason.NOT_SET_UP), "not_set_up"),
        (refuses(Reason.UNAVAILABLE), "unavailable"),
        (fails(ImportError()), "invalid"),
    ],
    ids=["unauthorized", "not set up", "unavailable", "a defect"],
)
async def test_a_copy_is_brought_up_to_date_once_its_channel_works_again(works: Works, does: Does, reason: str) -> None:
    copy = await works.put("A question", "chat", "mail")
    async with running(works.worker()) as worker:
        await works.until(copy, "done")
        works.channels["chat"] = Told(does)
        await works.change(copy, "Decided")
        worker.wake()
        assert (await works.until_tried(copy, 1))["reason"] == reason
        works.channels["chat"] = back = Told()
        works.clock.forward(10)
        worker.wake()
        await works.until(copy, "done")
    assert back.updated == [1]


async def test_what_a_defect_alone_kept_from_its_reader_is_tried_again(works: Works) -> None:
    works.channels = {"chat": Told(fails(ImportError())), "mail": Mail(refuses(Reason.NO_ADDRESS))}
    copy = await works.put("A question", "chat", "mail", asks="q")
    async with running(works.worker()) as worker:
        assert (await works.until_tried(copy, 1))["state"] == "open"
        works.channels["chat"] = back = Told()
        works.clock.forward(10)
        worker.wake()
        await works.until(copy, "done")
    assert (back.sent, works.lost) == (["A question"], [])


@pytest.mark.parametrize("was_shown", [False, True])
async def test_a_defect_that_stays_closes_a_copy_after_some_tries(works: Works, was_shown: bool) -> None:
    copy = await works.put("A question", "chat", asks="q")
    defective = Told(fails(ZeroDivisionError()))
    if not was_shown:
        works.channels["chat"] = defective
    async with running(works.worker()) as worker:
        if was_shown:
            await works.until(copy, "done")
            works.channels["chat"] = defective
            await works.change(copy, "Decided")
            worker.wake()
        for tries in range(1, POISONED):
            assert (await works.until_tried(copy, tries))["state"] == "open"
            works.clock.forward(700)
            worker.wake()
        row = await works.until(copy, "failed")
    assert row["detail"] == "unexpected failure (ZeroDivisionError)"
    assert len(await works.attempts(copy)) == POISONED + was_shown
    assert works.lost == ([] if was_shown else ["q"])


async def test_a_copy_that_could_not_be_changed_gets_the_next_change(works: Works) -> None:
    copy = await works.put("A question", "chat")
    async with running(works.worker()) as worker:
        await works.until(copy, "done")
        works.channels["chat"] = Told(refuses(Reason.GONE))
        await works.change(copy, "One of two")
        worker.wake()
        await works.until(copy, "failed")
        works.channels["chat"] = back = Told()
        await works.change(copy, "Decided")
        worker.wake()
        await works.until(copy, "done")
    assert back.updated == [2]


async def test_a_change_that_comes_while_the_last_one_is_being_refused_is_shown(works: Works) -> None:
    updating, go = asyncio.Event(), asyncio.Event()

    async def too_large(post: Post) -> None:
        updating.set()
        await go.wait()
        raise DeliveryError(Reason.TOO_LARGE)

    copy = await works.put("A question", "chat")
    async with running(works.worker()) as worker:
        await works.until(copy, "done")
        works.channels["chat"] = Told(too_large)
        await works.change(copy, "One of two")
        worker.wake()
        await updating.wait()
        works.channels["chat"] = back = Told()
        await works.change(copy, "Decided")
        go.set()
        row = await works.until(copy, "done")
    assert (back.updated, row["shown"]) == ([2], 2)


async def test_no_platform_can_ask_for_a_silence_of_years(works: Works) -> None:
    works.channels["chat"] = Told(refuses(Reason.UNAVAILABLE, 999_999_999_999.0))
    copy = await works.put("A notice", "chat")
    async with running(works.worker()):
        row = await works.until_tried(copy, 1)
    assert row["due_at"] - works.clock.now().timestamp() <= 3600


async def test_a_channel_that_this_version_does_not_have_is_passed_over(works: Works) -> None:
    copy = await works.put("A notice", "pager", "mail")
    async with running(works.worker()):
        works.clock.forward(LEFT_TO_OTHERS.total_seconds() + 1)
        row = await works.until(copy, "done")
    assert (row["channel"], works.channels["mail"].sent) == ("mail", ["A notice"])


async def test_a_copy_for_such_a_channel_alone_is_closed_as_failed(works: Works) -> None:
    copy = await works.put("A question", "pager", asks="question-1")
    async with running(works.worker()):
        works.clock.forward(LEFT_TO_OTHERS.total_seconds() + 1)
        row = await works.until(copy, "failed")
    assert (row["reason"], row["detail"]) == ("not_set_up", "pager is not part of this version")
    assert works.ended == [("question-1", Status.UNDELIVERABLE)]


async def test_a_copy_that_lies_on_such_a_channel_cannot_be_brought_up_to_date(works: Works) -> None:
    copy = await works.put("A question", "chat", "mail")
    async with running(works.worker()) as worker:
        await works.until(copy, "done")
        del works.channels["chat"]
        await works.change(copy, "Decided")
        works.clock.forward(LEFT_TO_OTHERS.total_seconds() + 1)
        worker.wake()
        row = await works.until(copy, "failed")
    assert (row["detail"], row["shown"]) == ("chat is not part of this version", 0)
    assert works.channels["mail"].sent == []


async def test_what_another_version_may_still_send_is_left_to_it(works: Works) -> None:
    copy = await works.put("A notice", "pager", "mail")
    works.clock.forward(LEFT_TO_OTHERS.total_seconds() - 10)
    async with running(works.worker()):
        await works.until(await works.put("Another", "mail"), "done")
        assert (await works.row(copy))["state"] == "open"


async def test_what_nobody_here_can_take_keeps_the_worker_no_busier(works: Works) -> None:
    """It is due all the time, and yet there is nothing to do about it."""
    await works.put("A notice", "pager")
    works.store = looked_at = Looked(works.store)
    async with running(works.worker()):
        await asyncio.sleep(0.5)
    assert looked_at.writes < 5
