from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from mayfly.runtime.event import Event, sentence


@dataclass(frozen=True, slots=True)
class Seen(Event):
    event: ClassVar[str] = "seen"

    first: int
    rest: tuple[str, ...]


def test_the_name_comes_first_and_tuples_become_lists() -> None:
    assert list(Seen(1, ("a", "b")).to_json().items()) == [("event", "seen"), ("first", 1), ("rest", ["a", "b"])]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port 1080 on 127.0.0.1 is in use", "Port 1080 on 127.0.0.1 is in use."),
        ("exchange new codes", "Exchange new codes."),
        ("tor's log says why", "Tor's log says why."),
        ("It is mistyped.", "It is mistyped."),
        ("--for: the value is not a time.", "--for: the value is not a time."),
        ("mayfly.toml is not TOML", "mayfly.toml is not TOML."),
        ("`mayfly status` shows it", "`mayfly status` shows it."),
        ("for example --turn turn:turn.example.org:3478", "For example --turn turn:turn.example.org:3478"),
        ("choose one of: auto, wrtc", "Choose one of: auto, wrtc."),
        ("taken", "Taken."),
        ("", ""),
    ],
)
def test_what_went_wrong_is_told_in_whole_sentences(text: str, told: str) -> None:
    assert sentence(text) == told
