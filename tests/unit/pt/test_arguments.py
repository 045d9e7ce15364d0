r"""Bridge line arguments. `joined` here is how tor itself puts them together: `\` before `\` and `;` only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.pt.arguments import from_socks, parse
from mayfly.pt.errors import ArgumentsError
from support.spoilt import spoilt

KEYS = st.text(st.characters(codec="utf-8", exclude_characters="=;\\"), min_size=1, max_size=10)
PAIRS = st.lists(st.tuples(KEYS, st.text(st.characters(codec="utf-8"), max_size=20)), max_size=6)


def joined(pairs: list[tuple[str, str]]) -> str:
    """As tor's own code does it; in the configuration a value may hold whatever a torrc line can."""
    return ";".join(f"{key}={value}".replace("\\", "\\\\").replace(";", "\\;") for key, value in pairs)


@given(PAIRS)
def test_what_tor_joins_comes_apart_again(pairs: list[tuple[str, str]]) -> None:
    assert parse(joined(pairs)) == tuple(pairs)


@given(PAIRS, st.integers(1, 255))
def test_the_text_may_be_cut_anywhere_between_user_name_and_password(pairs: list[tuple[str, str]], cut: int) -> None:
    text = joined(pairs).encode()
    assert from_socks(text[:cut], text[cut:] or b"\0") == tuple(pairs)


LOGINS = st.binary(max_size=255) | spoilt(PAIRS.map(lambda pairs: joined(pairs).encode()[:255]))


@given(LOGINS, st.binary(max_size=255) | st.just(b"\0"))
def test_any_login_gives_arguments_or_the_documented_error(username: bytes, password: bytes) -> None:
    try:
        found = from_socks(username, password)
    except ArgumentsError:
        return
    assert sum(len(key) + len(value) for key, value in found) <= 2 * 255
    assert all(key for key, _ in found)


def test_the_specification_s_own_example() -> None:
    assert parse("shared-secret=rahasia;secrets-file=/etc/blob") == (
        ("shared-secret", "rahasia"),
        ("secrets-file", "/etc/blob"),
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"key=a\=b", "a=b"),
        ("key=a=b", "a=b"),
        (r"key=a\;b", "a;b"),
        (r"key=a\\", "a\\"),
        (r"k\ey=v", "v"),
        ("key=", ""),
    ],
)
def test_escapes(text: str, value: str) -> None:
    assert parse(text) == (("key", value),)


@pytest.mark.parametrize("text", ["key", "=value", ";", "a=1;", "a=1;;b=2", "a=1\\"])
def test_what_is_not_pairs_is_refused(text: str) -> None:
    with pytest.raises(ArgumentsError):
        parse(text)


def test_no_arguments_are_none() -> None:
    assert from_socks(b"", b"\0") == from_socks(b"", b"") == ()


def test_an_error_does_not_repeat_what_was_given() -> None:
    with pytest.raises(ArgumentsError) as raised:
        parse("code")
    assert "code" not in raised.value.message
