"""What shows nothing, held against Unicode's own data where Python has it."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from mayfly.characters import BLANK, FILLERS, UNPRINTABLE, is_variation_selector

EVERY = [chr(number) for number in range(sys.maxunicode + 1)]


def test_variation_selectors_are_those_that_unicode_names_so() -> None:
    named = {each for each in EVERY if "VARIATION SELECTOR" in unicodedata.name(each, "")}
    # U+180E is an old separator, and U+180F is newer than the Unicode of our oldest Python.
    assert {each for each in EVERY if is_variation_selector(each)} == named | {"\u180e", "\u180f"}


@pytest.mark.parametrize("character", sorted(BLANK))
def test_each_blank_would_otherwise_pass(character: str) -> None:
    assert unicodedata.category(character) not in UNPRINTABLE
    assert not is_variation_selector(character)


def test_fillers_are_the_letters_and_marks_among_them() -> None:
    assert {unicodedata.category(each) for each in FILLERS} <= {"Lo", "Mn"}
    assert {"\N{BRAILLE PATTERN BLANK}"} == BLANK - FILLERS


@pytest.mark.parametrize("character", "\0\x1b\x7f\x9b\u202e\u2066\u200b\ufeff\u2028\u2029\ue000\ud800\U000e0041\ufdd0")
def test_what_a_terminal_obeys_is_unprintable(character: str) -> None:
    assert unicodedata.category(character) in UNPRINTABLE
