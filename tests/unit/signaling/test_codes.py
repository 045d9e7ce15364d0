"""codes.py: text and back, and the five ways in which a code cannot be used."""

from __future__ import annotations

import time
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mayfly.errors import (
    CodeError,
    ExitCode,
    ExpiredCodeError,
    MistypedCodeError,
    TooNewCodeError,
    WrongKindCodeError,
    WrongOfferError,
)
from mayfly.signaling import bech32m
from mayfly.signaling.body import EPOCH
from mayfly.signaling.codes import Code, parse
from mayfly.signaling.description import Kind
from mayfly.signaling.finding import MAX_TEXT
from support.descriptions import MDNS, NOW, PRIVATE, PUBLIC, answer_code, codes, description, offer_code

OFFER = offer_code()
ANSWER = answer_code(OFFER)
TEXT = OFFER.text


def raw(data: bytes) -> str:
    return bech32m.encode("mf", bech32m.from_bytes(data))


def read(text: str) -> Code:
    return parse(text, wanted=None, now=NOW)


@given(codes())
def test_round_trip(code: Code) -> None:
    assert parse(code.text, wanted=code.description.kind, now=None) == code
    assert parse(code.text.upper(), wanted=None, now=None) == code


@given(codes())
def test_longest_code_fits_what_is_read(code: Code) -> None:
    assert len(code.text) < 2500


def test_offer_with_a_private_and_a_public_address_is_short() -> None:
    assert len(TEXT) == 125
    assert len(ANSWER.text) == 134


def test_text_forms() -> None:
    assert TEXT.startswith("mf1")
    assert TEXT.islower()
    assert set(TEXT.upper()) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")  # ISO/IEC 18004, alphanumeric


def test_digest_is_of_the_body() -> None:
    assert OFFER.digest == sha256(OFFER.body).digest()[:6]
    assert raw(OFFER.body) == TEXT
    assert ANSWER.offer == OFFER.digest


@pytest.mark.parametrize(("given_expiry", "carried"), [(EPOCH + 60, EPOCH + 60), (EPOCH + 61, EPOCH + 120)])
def test_expiry_is_rounded_up_to_the_minute(given_expiry: int, carried: int) -> None:
    code = Code(description(), given_expiry)
    assert code.expires == carried
    assert parse(code.text, wanted=None, now=None).expires == carried


@pytest.mark.parametrize(
    "make",
    [
        lambda: Code(description(), EPOCH - 61),
        lambda: Code(description(), EPOCH + (1 << 24) * 60),
        lambda: Code(description(), NOW, b"digest"),
        lambda: Code(description(Kind.ANSWER), NOW),
        lambda: Code(replace(description(), ufrag="a-b_"), NOW),
        lambda: Code(description(Kind.OFFER, *[PRIVATE] * 17), NOW),
    ],
)
def test_no_code_is_made_of_what_breaks_a_rule(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError):
        make()


@given(st.integers(0, len(TEXT) - 1), st.sampled_from(bech32m.ALPHABET + "bio1B.é\u212a"))
def test_one_changed_character_is_noticed(position: int, character: str) -> None:
    text = TEXT[:position] + character + TEXT[position + 1 :]
    if text.lower() == TEXT:
        return
    with pytest.raises(MistypedCodeError):
        read(text)


def test_every_changed_character_is_noticed() -> None:
    for position, old in enumerate(TEXT[3:], 3):
        new = "q" if old != "q" else "p"
        with pytest.raises(MistypedCodeError):
            read(TEXT[:position] + new + TEXT[position + 1 :])


@given(st.integers(3, len(TEXT) - 2))
def test_swapped_characters_are_noticed(position: int) -> None:
    text = TEXT[:position] + TEXT[position + 1] + TEXT[position] + TEXT[position + 2 :]
    if text != TEXT:
        with pytest.raises(MistypedCodeError, match="checksum"):
            read(text)


@given(
    st.text(max_size=60).map(lambda text: text.replace("1", "") + " "),
    st.text(max_size=60),
    st.sampled_from([".", ",", ")", "\n\n", " ", "!"]),
)
@example("the mf1 code of mf1 is: ", "mf1", " ")
def test_prose_around_does_not_matter(before: str, after: str, mark: str) -> None:
    assert read(f"{before}{TEXT}{mark}{after}") == OFFER


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("7-copper-tulip", "This is a short code", "--broker URL"),
        (" 12 Copper Tulip\n", "This is a short code", "--broker URL"),
        (f"come to {'a' * 56}.onion!", "This is an onion address", "mayfly client --onion"),
        ("7-copper-tulip, I said", "no code in this text", "Copy the whole code"),
    ],
)
def test_what_others_meet_by_is_called_what_it_is(text: str, words: str, hint: str) -> None:
    with pytest.raises(MistypedCodeError, match=words) as caught:
        parse(text, wanted=None, now=None)
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["", "hello", "what is an mf1 code?", '{"type":"offer","sdp":"v=0"}'])
def test_no_code_in_the_text(text: str) -> None:
    with pytest.raises(MistypedCodeError, match=r"no code in this text.*mf1") as caught:
        read(text)
    assert caught.value.hint
    assert caught.value.exit_code is ExitCode.BAD_CODE


@pytest.mark.parametrize("size", [4, 10, 20, 60, 98])
def test_a_part_is_missing(size: int) -> None:
    with pytest.raises(MistypedCodeError, match="part"):
        read(TEXT[:size])


@pytest.mark.parametrize("text", [TEXT[:-1], TEXT + "q", TEXT[:40] + TEXT[41:]])
def test_checksum_does_not_fit(text: str) -> None:
    with pytest.raises(MistypedCodeError, match="checksum"):
        read(text)


@pytest.mark.parametrize("text", ["mf1" + "q" * 10_000_000, "x" * 10_000_000, "mf1 " * 2_500_000, TEXT * 80_000])
def test_ten_megabytes_are_refused_at_once(text: str) -> None:
    begin = time.process_time()
    with pytest.raises(MistypedCodeError, match="too long"):
        read(text)
    assert time.process_time() - begin < 0.1


def test_a_text_is_read_up_to_its_greatest_length() -> None:
    longest = TEXT + " " * (MAX_TEXT - len(TEXT))
    assert read(longest) == OFFER
    with pytest.raises(MistypedCodeError, match="too long"):
        read(longest + " ")


@pytest.mark.parametrize(
    "data",
    [
        OFFER.body + b"\0",
        OFFER.body[:-1],
        OFFER.body[:20],
        bytes([0x20]),
        bytes([OFFER.body[0] | 3]) + OFFER.body[1:],
        b"\0" + OFFER.body[1:],  # version 0, which never was
    ],
)
def test_intact_text_that_makes_no_sense(data: bytes) -> None:
    with pytest.raises(MistypedCodeError, match="makes no sense"):
        read(raw(data))


def test_padding_of_the_text_is_canonical() -> None:
    symbols = bech32m.from_bytes(OFFER.body)
    for other in ([*symbols[:-1], symbols[-1] | 1], [*symbols, 0]):
        with pytest.raises(MistypedCodeError, match="makes no sense"):
            read(bech32m.encode("mf", other))


@pytest.mark.parametrize("version", range(2, 8))
@pytest.mark.parametrize("symbols", [[0], [3, 31, 7], [1] * 300], ids=["shortest", "odd padding", "long"])
def test_later_versions(version: int, symbols: list[int]) -> None:
    text = bech32m.encode("mf", [version << 2 | symbols[0], *symbols[1:]])
    with pytest.raises(TooNewCodeError) as caught:
        read(f"here: {text}.")
    assert "newer" in caught.value.message
    assert caught.value.hint
    with pytest.raises(MistypedCodeError):  # the checksum comes first
        read(text[:-1] + ("q" if text[-1] != "q" else "p"))


@pytest.mark.parametrize("kind", range(2, 8))
def test_later_kinds(kind: int) -> None:
    with pytest.raises(TooNewCodeError, match="kind"):
        read(raw(bytes([1 << 5 | kind << 2]) + b"whatever"))


@pytest.mark.parametrize(
    ("late", "words"),
    [
        (0, "less than a minute"),
        (61, "1 minute ago"),
        (59 * 60, "59 minutes"),
        (3600, "1 hour ago"),
        (3 * 3600, "3 hours"),
        (50 * 3600, "2 days"),
    ],
)
def test_expired(late: int, words: str) -> None:
    with pytest.raises(ExpiredCodeError, match=words) as caught:
        parse(TEXT, wanted=Kind.OFFER, now=OFFER.expires + late)
    assert "this computer's clock" in caught.value.message
    assert "new code" in caught.value.hint


def test_good_until_the_second_it_expires() -> None:
    assert parse(TEXT, wanted=Kind.OFFER, now=OFFER.expires - 0.5) == OFFER


def test_expired_codes_can_be_inspected() -> None:
    old = offer_code(expires=NOW - 10**7)
    assert parse(old.text, wanted=None, now=None) == old


def test_offer_where_an_answer_is_due() -> None:
    with pytest.raises(WrongKindCodeError, match=r"is an offer.*due here is the answer"):
        parse(TEXT, wanted=Kind.ANSWER, now=NOW, offers=[OFFER])


def test_answer_where_an_offer_is_due() -> None:
    with pytest.raises(WrongKindCodeError, match=r"is an answer.*due here is an offer"):
        parse(ANSWER.text, wanted=Kind.OFFER, now=NOW)


def test_answer_to_one_of_the_offers() -> None:
    other = offer_code(MDNS)
    assert parse(ANSWER.text, wanted=Kind.ANSWER, now=NOW, offers=[other, OFFER]) == ANSWER
    assert parse(ANSWER.text, wanted=Kind.ANSWER, now=NOW) == ANSWER


def test_answer_to_another_offer() -> None:
    with pytest.raises(WrongOfferError, match="another offer"):
        parse(ANSWER.text, wanted=Kind.ANSWER, now=NOW, offers=[offer_code(MDNS), offer_code(PUBLIC)])


def test_offers_do_not_matter_to_an_offer() -> None:
    assert parse(TEXT, wanted=None, now=NOW, offers=[offer_code(MDNS)]) == OFFER


def test_the_code_that_is_due_is_taken_from_a_whole_chat() -> None:
    chat = f"[12:01] Ann: {TEXT}\n[12:05] Ben: old one {answer_code(OFFER, expires=NOW - 60).text}\n> {ANSWER.text}!"
    assert parse(chat, wanted=Kind.ANSWER, now=NOW, offers=[OFFER]) == ANSWER
    assert parse(chat, wanted=Kind.OFFER, now=NOW) == OFFER


def test_an_answer_to_an_offer_that_waits_is_good_whatever_the_clocks_say() -> None:
    """It was made after the offer, and lasts as long as that."""
    for expires in (NOW - 60, NOW - 10**6):
        behind = answer_code(OFFER, expires=expires)
        assert parse(behind.text, wanted=Kind.ANSWER, now=NOW, offers=[OFFER]) == behind
        with pytest.raises(ExpiredCodeError):
            parse(behind.text, wanted=Kind.ANSWER, now=NOW)
        with pytest.raises(ExpiredCodeError):
            parse(behind.text, wanted=Kind.ANSWER, now=NOW, offers=[offer_code(MDNS)])


def test_what_is_wrong_with_the_answer_is_said_rather_than_that_the_offer_is_there_too() -> None:
    expired = answer_code(offer_code(MDNS), expires=NOW - 60)
    for answer, error in ((expired.text, ExpiredCodeError), (ANSWER.text[:-3], MistypedCodeError)):
        with pytest.raises(error):
            parse(f"{TEXT}\n{answer}", wanted=Kind.ANSWER, now=NOW, offers=[OFFER])


@settings(max_examples=300)
@given(st.text() | st.binary().map(raw) | st.binary(max_size=40).map(lambda tail: raw(OFFER.body[:58] + tail)))
def test_any_text_is_a_code_in_its_one_form_or_an_error(text: str) -> None:
    try:
        code = read(text)
    except CodeError as error:
        assert error.message
        assert error.hint
        return
    assert code.text in text


def test_messages_hold_nothing_of_the_text() -> None:
    for text in (TEXT[:-1], "secret " + TEXT[:50], ANSWER.text):
        with pytest.raises(CodeError) as caught:
            parse(text, wanted=Kind.OFFER, now=NOW)
        assert TEXT[5:25] not in caught.value.message + caught.value.hint
        assert "secret" not in caught.value.message + caught.value.hint
