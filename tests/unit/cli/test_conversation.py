"""Chat and transfers in words for people."""

from __future__ import annotations

import pytest
from rich.text import Text

from mayfly.runtime.events import (
    Delivered,
    Event,
    Joined,
    Left,
    MessageReceived,
    Offered,
    Progress,
    TransferChanged,
    Undelivered,
)
from mayfly_cli.conversation import HERE, Conversation, describe

NOW = 1_800_000_000.0
EVIL = "\x1b[2J\u202e[bold]x\n:boom:"


class Told(Conversation):
    """A conversation whose lines are kept, without their time where it is now."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        super().__init__(self._keep, now=lambda: NOW)

    def _keep(self, text: Text) -> None:
        self.lines.append(text.plain)

    def hear(self, *events: Event) -> list[str]:
        self.lines.clear()
        for event in events:
            self.tell[type(event)](event)
        return [line[6:] if line[2] == ":" else line for line in self.lines]


def message(text: str = "hi", sender: str = "anna", to: str | None = None, time: float = NOW) -> MessageReceived:
    return MessageReceived(sender, to, text, int(time * 1000), "ff-1")


def offered(
    kind: str = "files", size: int | None = 2000, files: int = 1, name: str = "film.mkv", *, only_files: bool = False
) -> Offered:
    return Offered("ab", 1, "anna", kind, name, size, files, only_files)


def test_messages_say_who_and_when() -> None:
    told = Told()
    assert told.hear(message(), message("psst", to="me")) == ["anna: hi", "anna (to you alone): psst"]
    assert told.lines[0][2] == ":"


def test_a_message_of_another_day_has_its_date() -> None:
    told = Told()
    assert told.hear(message(time=NOW - 10 * 86400))[0].startswith("2027-01-0")


@pytest.mark.parametrize("time", [-(2**62), 2**62, 10**300])
def test_no_clock_of_a_peer_breaks_ours(time: int) -> None:
    told = Told()
    told.hear(MessageReceived("anna", None, "hi", time, "x"))
    assert told.lines[0].endswith("anna: hi")


def test_lines_of_a_message_cannot_pass_for_others() -> None:
    assert Told().hear(message("one\n08:00 bob: two")) == ["anna: one", "      | 08:00 bob: two"]


def test_own_messages_are_shown_with_their_mark() -> None:
    told = Told()
    told.said("1", "hi", None, ["anna", "bob"])
    assert told.lines == []
    assert told.hear(Delivered("1", "anna")) == []
    assert told.hear(Delivered("1", "bob")) == ["you: hi  ✓ anna, bob"]
    told.said("2", "psst\nyes", "anna", ["anna"])
    assert told.hear(Delivered("2", "anna")) == ["you (to anna alone): psst", "      | yes  ✓"]
    told.said("3", "hi", None, ["anna"])
    assert told.hear(Undelivered("3", "anna", False, True)) == ["you: hi  ✗ not delivered to anna"]
    assert told.hear(Delivered("3", "anna")) == ["you: hi  ✓"]


def test_an_early_receipt_counts() -> None:
    told = Told()
    told.hear(Delivered("1", "anna"))
    told.said("1", "hi", None, ["anna"])
    assert told.lines[0].endswith("you: hi  ✓")


def test_what_is_under_way_at_the_end_is_said() -> None:
    told = Told()
    told.said("1", "hi", None, ["anna", "bob"])
    told.hear(Delivered("1", "bob"))
    told.settle()
    assert told.lines[-1].endswith("you: hi  ✓ bob  … anna has not confirmed it")


def test_a_message_for_nobody() -> None:
    told = Told()
    told.said("1", "hi", None, [])
    assert told.lines[0].endswith("not delivered, nobody else is here: hi")


def test_who_comes_and_goes() -> None:
    assert Told().hear(Joined("anna"), Left("anna")) == ["anna is here", "anna has left"]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (offered(), "film.mkv (2.0 kB, 1 file)"),
        (offered(files=2, only_files=True), "film.mkv (2.0 kB, 2 files)"),
        (offered(files=3), "film.mkv (2.0 kB, 3 files and directories)"),
        (offered("directory", files=20), "the directory film.mkv (2.0 kB, 20 entries)"),
        (offered("stdin", None), "the output of a program, film.mkv (of unknown size)"),
        (offered("text", 5), "a text (5 B)"),
        (offered(name=EVIL), "\\x1b[2J\\u202e[bold]x\\n:boom: (2.0 kB, 1 file)"),
    ],
)
def test_offers_are_described(event: Offered, text: str) -> None:
    assert describe(event) == text


def test_an_offer_says_how_to_take_it() -> None:
    told = Told()
    assert told.hear(offered())[1].strip().startswith("`mayfly receive`")
    told.offer_hint = HERE
    assert told.hear(offered()) == [
        "anna offers film.mkv (2.0 kB, 1 file)",
        "      /accept 1 takes it, /decline 1 refuses it.",
    ]
    told.offer_hint = None
    assert len(told.hear(offered())) == 1


def test_a_transfer_s_states() -> None:
    told = Told()
    told.offered_by_us("ab", 1, "film.mkv", "anna")
    assert told.lines[0].endswith("film.mkv to anna: offered, waiting for an answer")
    assert told.hear(TransferChanged("ab", 1, "accepted", ""), Progress("ab", 1, 2000, 2000, 5.0)) == [
        "film.mkv to anna: accepted"
    ]
    assert told.hear(TransferChanged("ab", 1, "paused", EVIL))[0].endswith("paused: \\x1b[2J\\u202e[bold]x\\n:boom:")
    assert told.hear(TransferChanged("ab", 1, "interrupted", "the link is lost")) == [
        "film.mkv to anna: interrupted: the link is lost. The same command goes on from there."
    ]
    assert told.hear(TransferChanged("ab", 1, "completed", "")) == [
        "film.mkv to anna: complete, 2.0 kB; all hashes are right"
    ]


def test_a_text_that_was_sent_is_shown_escaped_unless_another_does() -> None:
    told = Told()
    told.hear(offered("text"))
    assert told.hear(TransferChanged("ab", 1, "completed", "", "a\nb\x1b"))[1:] == ["      | a", "      | b\\x1b"]
    told.show_texts = False
    assert len(told.hear(TransferChanged("ab", 1, "completed", "", "a"))) == 1


def test_transfers_of_other_commands_are_not_told() -> None:
    assert Told().hear(TransferChanged("zz", 1, "completed", ""), Progress("zz", 1, 1, 1, 1.0)) == []


def test_changes_without_a_line_are_announced() -> None:
    told = Told()
    changes: list[int] = []
    told.changed = lambda: changes.append(1)
    told.hear(offered(), Progress("ab", 1, 1, 2, 3.0), TransferChanged("ab", 1, "accepted", ""))
    told.said("1", "hi", None, ["anna"])
    told.hear(Delivered("1", "anna"))
    assert len(changes) == 5


CHARACTERS = [chr(number) for number in (*range(0x20), *range(0x7F, 0xA0))]
CHARACTERS += list("\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


@pytest.mark.parametrize("character", CHARACTERS, ids=lambda value: f"{ord(value):04x}")
def test_no_control_or_direction_character_of_a_peer_is_shown(character: str) -> None:
    told, evil = Told(), f"a{character}b"
    told.offered_by_us("own", 1, "film.mkv", evil)
    told.said("1", "hi", None, [evil])
    lines = told.hear(
        message(evil, evil),
        Joined(evil),
        Left(evil),
        Undelivered("1", evil, True, True),
        Offered("ab", 1, evil, "files", evil, 1, 1),
        TransferChanged("ab", 1, "cancelled", evil),
        TransferChanged("own", 1, "declined", evil),
    )
    assert len(lines) >= 7
    assert all(line.isprintable() for line in told.lines)
