"""finding.py: a code in what people paste."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.signaling import bech32m
from mayfly.signaling.finding import MAX_SYMBOLS, MAX_TEXT, find

SYMBOLS = bech32m.from_bytes(bytes(range(70)))
TEXT = bech32m.encode("mf", SYMBOLS)
SEPARATORS = " \t\n\r\u00a0\u2028-\u2010\u2011\u2013\u200b\u00ad\ufeff\u2060"


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.upper(),
        "M" + TEXT[1:],
        f"  {TEXT}\n",
        f"{TEXT}.",
        f"({TEXT}), please!",
        f"`{TEXT}`",
        f"see https://example.com/#{TEXT}",
        f"this is my code: {TEXT} use it fast",
        f"the mf1 code is {TEXT} thanks",
        f"mf1 {TEXT} mf1",
        f"{TEXT}\nthen paste yours, mf1 and all",
        "\n".join(TEXT[i : i + 20] for i in range(0, len(TEXT), 20)),
        "\r\n".join(TEXT[i : i + 20] for i in range(0, len(TEXT), 20)) + "\r\nsee you",
        "> Hello,\n> " + TEXT[:50] + "\n> " + TEXT[50:] + "\n> seen",
        ">> > | " + TEXT[:50] + "\n>> > | " + TEXT[50:],
        " ".join(TEXT[i : i + 4] for i in range(0, len(TEXT), 4)),
        "-".join(TEXT[i : i + 4] for i in range(0, len(TEXT), 4)),
        " ".join(TEXT),
        TEXT[:2] + "\n" + TEXT[2:],
        "\u200b".join(TEXT),
        f"代码{TEXT}这是",
        f"\u043a\u043e\u0434{TEXT}\u0441\u043f",
    ],
)
def test_found(text: str) -> None:
    assert find(text).codes == [SYMBOLS]


def test_several() -> None:
    other = bech32m.encode("mf", [1, 2, 3])
    assert find(f"{TEXT}\n{other}, {TEXT}").codes == [SYMBOLS, [1, 2, 3], SYMBOLS]


@pytest.mark.parametrize(
    "text", ["", "hello", "mf1", "mf1 code", "what is mf1?", "mf", "1", "m f 1 x", "mf2qqqqqqqqqqqqqqqqqq"]
)
def test_nothing_there(text: str) -> None:
    assert find(text) == ([], 0)


@pytest.mark.parametrize(
    "text",
    [
        TEXT[:-1],
        TEXT[:60],
        TEXT + "q",
        TEXT + "1",
        TEXT + "b",
        TEXT[:50] + "\u043e" + TEXT[51:],  # Cyrillic
        TEXT[:50] + "\uff51" + TEXT[51:],  # full width
        TEXT[:50] + "\u212a" + TEXT[51:],  # the Kelvin sign, whose lower case is k
        TEXT[:50] + "." + TEXT[50:],
        TEXT[:50] + TEXT[51:],
        TEXT[:50] + "q" + TEXT[50:],
    ],
)
def test_damaged(text: str) -> None:
    found = find(text)
    assert not found.codes
    assert 16 <= found.damaged <= len(TEXT)


def test_kelvin_sign_is_no_k() -> None:
    position = TEXT.index("k", 3)
    assert not find(TEXT[:position] + "\u212a" + TEXT[position + 1 :]).codes


def test_bech32_checksum_alone_is_no_code() -> None:
    assert not find(bech32m.encode("mf", [])).codes


def test_longest() -> None:
    longest = [7] * (MAX_SYMBOLS - 6)
    assert find(bech32m.encode("mf", longest)).codes == [longest]
    assert not find(bech32m.encode("mf", [*longest, 7])).codes


@given(
    st.text(st.characters(exclude_characters="1", exclude_categories=["Cs"]), max_size=80).map(lambda t: t + " "),
    st.text(max_size=80),
)
def test_prose_around_does_not_matter(before: str, after: str) -> None:
    # A letter or digit right behind a code is part of it, and so are invisible characters before one.
    assert SYMBOLS in find(f"{before}{TEXT}. {after}").codes


@given(st.data())
def test_breaks_do_not_matter(data: st.DataObject) -> None:
    cuts = data.draw(st.dictionaries(st.integers(3, len(TEXT)), st.text(SEPARATORS, max_size=5), max_size=12))
    text = "".join(cuts.get(index, "") + character for index, character in enumerate(TEXT))
    assert find(text).codes == [SYMBOLS]


pieces = st.sampled_from([TEXT, TEXT.upper(), TEXT[:-1], TEXT[3:], "mf1", "m", "q", " ", "\n> ", "."])


@given(st.text() | st.text("mf1 qpzry-\n>") | st.lists(pieces, max_size=8).map("".join))
def test_no_text_holds_a_code_that_nobody_put_there(text: str) -> None:
    codes = find(text).codes
    assert all(symbols == SYMBOLS for symbols in codes)
    assert len(codes) <= text.lower().count(TEXT[3:])


@pytest.mark.parametrize(
    "unit", ["mf1", "m ", "mf1q ", "q", "mf1" + "q" * 4096, ">", " ", "m    f    ", "\u200b", "\n> "]
)
def test_time_grows_with_the_length_alone(unit: str) -> None:
    text = (unit * (MAX_TEXT // len(unit) + 1))[:MAX_TEXT]
    begin = time.process_time()
    find(text)
    assert time.process_time() - begin < 2
