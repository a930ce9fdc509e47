import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from bot import canonical
from bot.canonical import NotCanonical
from bot.signing import derive, digest, fingerprint

ANA: Mapping[str, JsonValue] = {"email": "ana@example.com"}


@pytest.mark.parametrize(
    "body, place",
    [
        (b'{"a": {"b": [1, NaN]}}', "a.b[1]"),
        (b'{"a": -Infinity}', "a"),
        (b'{"a": 1e999}', "a"),
        (b'{"a": ["\\ud800"]}', "a[0]"),
        (b'{"a": {"\\udc00": 1}}', "a"),
        (b'{"a": {"x": 1, "x": 2}}', "x"),
        (b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", ""),
        (b"[" * 10_000 + b"]" * 10_000, ""),
        (b"[" * 200_000, ""),
        (b'{"a": ' + b"9" * 5000 + b"}", ""),
        (b'{"a": "\xff"}', ""),
        (b'{"a": ', ""),
        (b"", ""),
    ],
)
def test_a_body_that_readers_disagree_about_is_refused_with_its_place(body: bytes, place: str) -> None:
    with pytest.raises(NotCanonical) as caught:
        canonical.read(body)
    assert caught.value.place == place


def test_ordinary_json_is_read(tmp_path: object) -> None:
    assert canonical.read('\ufeff{"a": [1, 2.5, null, "é", "\\ud83d\\ude00"]}'.encode()) == {
        "a": [1, 2.5, None, "é", "😀"]
    }


@pytest.mark.parametrize("number", [2**53, -(2**53), 10**30])
def test_a_number_that_readers_would_round_has_no_canonical_form(number: int) -> None:
    with pytest.raises(NotCanonical, match=r"payload\.arguments\[0\]: is beyond 2\^53"):
        digest("blocked_action", {"arguments": [number]}, {})


def test_the_digest_does_not_care_how_json_was_written() -> None:
    one = canonical.read(b'{"b": 1.0, "a": [true]}')
    two = canonical.read(b'{"a":[true],"b":1}')
    assert fingerprint(one) == fingerprint(two)


@pytest.mark.parametrize(
    "kind, payload, requester",
    [
        ("other", {"a": 1}, ANA),
        ("kind", {"a": 2}, ANA),
        ("kind", {"a": "1"}, ANA),
        ("kind", {"a": 1, "b": None}, ANA),
        ("kind", {"a": 1}, {"email": "ben@example.com"}),
        ("kind", {"a": 1}, {**ANA, "session": "s"}),
    ],
)
def test_the_digest_changes_with_whatever_changes(
    kind: str, payload: Mapping[str, JsonValue], requester: Mapping[str, JsonValue]
) -> None:
    assert digest(kind, payload, requester) != digest("kind", {"a": 1}, ANA)


def test_a_digest_is_the_sha256_of_rfc_8785_json() -> None:
    canonical_form = b'{"a":"\xc3\xa9","b":1}'
    assert fingerprint({"b": 1.0, "a": "é"}) == hashlib.sha256(canonical_form).hexdigest()


def test_each_purpose_has_keys_of_its_own_newest_first() -> None:
    both = derive("new secret 12345678, old secret 12345678", "links")
    assert both == (*derive("new secret 12345678", "links"), *derive("old secret 12345678", "links"))
    assert derive("new secret 12345678", "audit") != derive("new secret 12345678", "links")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", ":", '"', "Infinity", "\ud800", "é"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(st.sampled_from("ab"), inner), max_size=3).map(tuple)
    ),
    max_leaves=8,
)


@given(JSON)
def test_what_is_read_the_quick_way_is_read_as_the_long_way_would(value: Any) -> None:
    """Tuples are objects here, whose keys may stand twice."""
    raw = _written(value).encode()
    assert all(repr(plain) == repr(json.loads(raw, object_pairs_hook=_each_once)) for plain in canonical._plain(raw))


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return "{" + ", ".join(f"{json.dumps(key)}: {_written(inner)}" for key, inner in value) + "}"
    return "[" + ",".join(map(_written, value)) + "]" if isinstance(value, list) else json.dumps(value)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), "a key stands twice, and nobody said so"
    return dict(pairs)
