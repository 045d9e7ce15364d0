"""What tor is told of what goes on, and that answers are in their file alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mayfly.errors import CodeError
from mayfly.runtime.events import Closed, CodeReady, Connected, Event, Leaving, Listening, Warned, Words
from mayfly_client.pt.teller import STAGES, LineTeller, Tor
from unit.client.pt.tor import Heard

ANSWER = CodeReady(kind="answer", code="mf1answer", expires=0, discloses=("203.0.113.7 (host)",), role="active")
CONNECTED = Connected(peer=1, role="relay", words=("w",) * 5, local="host", remote="srflx", rtt_ms=12.0)


@pytest.fixture
async def heard() -> Heard:
    return Heard()


def teller(heard: Heard, path: Path) -> LineTeller:
    return LineTeller(Tor(heard), 2, path / "answers.txt")


@pytest.mark.parametrize(
    ("event", "stage", "words"),
    [
        (ANSWER, "answer", "Send the last line of"),
        (CONNECTED, "connected", "Connected to a relay (through a NAT, 12 ms)."),
        (Leaving(1, 30.0, "late\x1b[1m"), "leaving", r"within 30 seconds (late\\x1b[1m)"),
        (Closed(1, "the link\x07"), "closed", r"The relay is gone (the link\\x07)"),
        (Warned("connect", "No path.", "Ask again."), "failed", "No path. Ask again."),
    ],
)
async def test_events_become_a_log_line_and_a_status_line(
    heard: Heard, tmp_path: Path, event: Event, stage: str, words: str
) -> None:
    teller(heard, tmp_path).report(event)
    log, status = heard.lines
    assert log.startswith("LOG SEVERITY=")
    assert 'MESSAGE="Bridge line 2: ' in log
    assert words in log
    assert status.startswith(f'STATUS TRANSPORT=mayfly STAGE="{stage}" LINE="2" MESSAGE="')
    assert stage in STAGES


async def test_an_answer_goes_into_a_file_of_the_owner_s_and_nowhere_else(heard: Heard, tmp_path: Path) -> None:
    told = teller(heard, tmp_path)
    told.report(ANSWER)
    told.report(ANSWER)
    path = tmp_path / "answers.txt"
    assert path.read_text() == "mf1answer\nmf1answer\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    said = "\n".join(heard.lines)
    assert "mf1answer" not in said
    assert "203.0.113.7" not in said
    assert str(path) in said


async def test_an_answer_that_cannot_be_written_is_said(heard: Heard, tmp_path: Path) -> None:
    teller(heard, tmp_path / "missing").report(ANSWER)
    assert "cannot be written" in heard.lines[0]
    assert "SEVERITY=error" in heard.lines[0]


async def test_a_link_in_the_place_of_the_file_is_not_followed(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "answers.txt").symlink_to(tmp_path / "elsewhere")
    teller(heard, tmp_path).report(ANSWER)
    assert not (tmp_path / "elsewhere").exists()


async def test_what_is_wrong_with_a_file_of_codes_is_said_with_its_name(heard: Heard, tmp_path: Path) -> None:
    teller(heard, tmp_path).unusable(tmp_path / "codes.txt", CodeError("This code expired.", hint="Ask for another."))
    assert (
        f"What was put last into {tmp_path / 'codes.txt'} cannot be used. This code expired. Ask for another."
        in (heard.lines[0])
    )
    assert f'FILE="{tmp_path / "codes.txt"}" AT="code"' in heard.lines[1]
    assert 'STAGE="failed"' in heard.lines[1]


async def test_waiting_says_for_which_file(heard: Heard, tmp_path: Path) -> None:
    teller(heard, tmp_path).waiting(tmp_path / "codes.txt")
    assert str(tmp_path / "codes.txt") in heard.lines[0]
    assert 'STAGE="waiting"' in heard.lines[1]


async def test_words_are_shown_and_other_events_are_not(heard: Heard, tmp_path: Path) -> None:
    told = teller(heard, tmp_path)
    told.report(Listening("socks5", "127.0.0.1:1"))
    assert heard.lines == []
    told.report(Words(("scarf", "ruler", "juice", "typhoon", "visitor")))
    assert "scarf ruler juice typhoon visitor" in heard.lines[0]


async def test_a_reader_that_is_gone_is_noticed(heard: Heard) -> None:
    gone: list[bool] = []
    tor = Tor(heard)
    tor.on_gone(lambda: gone.append(True))
    heard.broken = True
    tor.say("LOG\n")
    assert gone == [True]
