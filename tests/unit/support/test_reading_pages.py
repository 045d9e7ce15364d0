"""How pages are read: what a line may look like in a run, and what an example that is typed stands for."""

from __future__ import annotations

import pytest

from support.pages import CODE, Block, Kind, argv_of, blocks, filled_in, said

OFFER, ANSWER = "mf1" + "q" * 100, "mf1" + "p" * 100


@pytest.mark.parametrize(
    ("page", "run"),
    [
        ("SOCKS5 on 127.0.0.1:1080", "SOCKS5 on 127.0.0.1:40123"),
        ("Connected to client 1: …, round trip 48 ms.", "  Connected to client 12: directly, round\ntrip 2.5 ms."),
        ("08:54 you: hello  ✓", "21:07 you: hello  ✓"),
        (CODE, f"{OFFER}\n"),
        ("…7-copper-tulip…", "Your code: 12-needle-orange (15 minutes)"),
        ("Verification words: squirrel juice helmet banana whisper", "Verification words: one two three four five"),
    ],
)
def test_numbers_and_examples_vary(page: str, run: str) -> None:
    assert said(page).search(f"before\n{run}\nafter")


@pytest.mark.parametrize(
    ("page", "run"),
    [
        ("SOCKS5 on 127.0.0.1:1080", "SOCKS4 on 127.0.0.1:1080"),
        ("SOCKS5 on 127.0.0.1:1080", "the SOCKS5 on 127.0.0.1:1080"),
        ("Verification words: squirrel juice helmet banana whisper", "Verification words: one two three four"),
        (CODE, "mf1qqq\n"),
    ],
)
def test_words_and_lines_do_not(page: str, run: str) -> None:
    assert said(page).search(f"before\n{run}\nafter") is None


def test_an_example_stands_for_what_another_terminal_has_shown_and_this_one_has_not() -> None:
    assert filled_in(CODE, "", ["nothing yet"]) is None
    assert filled_in(CODE, "", [f"{OFFER}\n"]) == OFFER
    assert filled_in(CODE, f"{OFFER}\n", [f"> {OFFER}\n"]) is None
    assert filled_in(CODE, f"{OFFER}\n", [f"> {OFFER}\n\n{ANSWER}\n"]) == ANSWER
    assert filled_in(CODE, "", [OFFER[:80]]) is None  # the rest is still on its way
    assert filled_in("mayfly stop", "", []) == "mayfly stop"


def test_a_block_s_lines() -> None:
    block = Block("page", "section", "console", "", "$ mayfly chat \\\n--once\n> hello\n^C\nsaid\n")
    assert [(line.kind, line.text) for line in block.lines] == [
        (Kind.COMMAND, "mayfly chat --once"),
        (Kind.TYPED, "hello"),
        (Kind.INTERRUPT, ""),
        (Kind.SAID, "said"),
    ]
    assert block.commands == ["mayfly chat --once"]


def test_blocks_know_their_section_and_terminal() -> None:
    (first, second, *_) = [block for block in blocks("README.md") if block.section == "I need a way out"]
    assert (first.language, first.where) == ("console", "friend")
    assert second.where == "friend-programs"


def test_a_test_takes_only_commands_that_the_page_shows() -> None:
    assert argv_of("README.md", "mayfly relay --upstream tor") == ["relay", "--upstream", "tor"]
    with pytest.raises(ValueError, match="does not show"):
        argv_of("README.md", "mayfly relay --upstream mars")
