from datetime import UTC, datetime, timedelta

from bot.ids import new_id

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def test_ids_sort_by_the_moment_they_were_made() -> None:
    moments = [AT + timedelta(milliseconds=step) for step in (0, 1, 7, 31, 1000, 10**9, 10**12)]
    ids = [new_id(at) for at in moments]
    assert ids == sorted(ids)


def test_ids_of_one_moment_differ_in_all_but_the_moment() -> None:
    ids = [new_id(AT) for _ in range(2000)]
    assert len(set(ids)) == 2000
    assert {(len(each), each[:10]) for each in ids} == {(26, ids[0][:10])}
    assert all(len({each[place] for each in ids}) == 32 for place in range(10, 26))
