"""Codes from standard input."""

from __future__ import annotations

import array
import asyncio
import fcntl
import os
import pty
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mayfly.signaling.description import Kind
from mayfly_cli.pasting import CHUNK, MAX_LINE, LineCodes, Lines, PastedCodes
from mayfly_cli.running import whole
from unit.cli import samples

OFFER, ANSWER = samples.offer().text, samples.answer().text


class Input:
    """Standard input as a pipe that a test writes to."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        self.lines = Lines(self.read)
        self.prompts: list[str] = []
        self.prompted = asyncio.Event()
        self.people = PastedCodes(self.lines, self._prompt, whole, quiet=0.01)

    def _prompt(self, text: str) -> None:
        self.prompts.append(text)
        self.prompted.set()

    def type(self, text: str | bytes) -> None:
        os.write(self.write, text.encode() if isinstance(text, str) else text)

    def end(self) -> None:
        if self.write >= 0:
            os.close(self.write)
            self.write = -1


def waiting(terminal: int) -> int:
    """How many bytes of whole lines can be read from it."""
    count = array.array("i", [0])
    fcntl.ioctl(terminal, termios.FIONREAD, count)
    return count[0]


@pytest.fixture
def given() -> Iterator[Input]:
    given = Input()
    yield given
    given.lines.close()
    given.end()
    os.close(given.read)


async def test_what_was_typed_at_a_terminal_before_a_question_is_no_answer() -> None:
    ours, theirs = pty.openpty()
    lines = Lines(theirs)
    try:
        os.write(ours, b"code\nread with it\n")
        assert await lines.next() == "code"
        os.write(ours, b"y\ny")
        async with asyncio.timeout(10):
            while waiting(theirs) < len(b"read with it\ny\n"):  # the kernel carries it over in its time
                await asyncio.sleep(0)
        lines.forget_typed()
        os.write(ours, b"n\n")
        assert await lines.next() == "n"
    finally:
        lines.close()
        os.close(ours)
        os.close(theirs)


async def test_of_a_pipe_nothing_is_forgotten(given: Input) -> None:
    given.type("one\ntwo\nthr")
    assert await given.lines.next() == "one"
    given.lines.forget_typed()
    given.type("ee\n")
    assert [await given.lines.next() for _ in range(2)] == ["two", "three"]


async def test_lines_come_one_by_one(given: Input) -> None:
    given.type("one\r\ntw")
    assert await given.lines.next() == "one"
    given.type("o\n\nlast")
    given.end()
    assert [await given.lines.next() for _ in range(3)] == ["two", "", "last"]
    for _ in range(2):
        with pytest.raises(EOFError):
            await given.lines.next()


async def test_waiting_can_be_cancelled_and_nothing_is_lost(given: Input) -> None:
    waiting = asyncio.get_running_loop().create_task(given.lines.next())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    given.type("kept\n")
    assert await given.lines.next() == "kept"


async def test_closing_ends_the_thread_and_leaves_what_was_not_read(given: Input) -> None:
    given.type("a\n")
    assert await given.lines.next() == "a"
    given.lines.close()
    given.lines.close()
    assert not any(thread.name == "standard input" for thread in threading.enumerate())
    given.type("for the shell\n")
    assert os.read(given.read, 100) == b"for the shell\n"


async def test_a_huge_line_is_cut_and_the_next_is_whole(given: Input) -> None:
    feeder = threading.Thread(target=given.type, args=(b"x" * (3 * CHUNK) + b"\nnext\n",))
    feeder.start()
    assert await given.lines.next() == "x" * MAX_LINE
    assert await given.lines.next() == "next"
    feeder.join()


async def test_bytes_that_are_no_text_do_no_harm(given: Input) -> None:
    given.type(b"\xff\xfe\x00\n")
    assert await given.lines.next() == "\ufffd\ufffd\x00"


async def test_a_regular_file_and_what_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "code"
    path.write_text("from a file\n")
    with path.open() as file:
        lines = Lines(file.fileno())
        assert await lines.next() == "from a file"
        with pytest.raises(EOFError):
            await lines.next()
        lines.close()
    folder = os.open(tmp_path, os.O_RDONLY)
    lines = Lines(folder)
    with pytest.raises(EOFError):
        await lines.next()
    lines.close()
    os.close(folder)


async def test_the_descriptor_is_left_blocking(given: Input) -> None:
    given.type("a\n")
    await given.lines.next()
    assert os.get_blocking(given.read)


async def test_machines_send_a_code_a_line(given: Input) -> None:
    given.type(f"\n  \n{ANSWER}\nsecond\n")
    codes = LineCodes(given.lines)
    assert await codes.read(Kind.ANSWER) == ANSWER
    assert await codes.read(Kind.ANSWER) == "second"
    given.end()
    with pytest.raises(EOFError):
        await codes.read(Kind.ANSWER)


async def test_a_person_is_asked_and_one_line_is_enough(given: Input) -> None:
    given.type(ANSWER + "\n")
    assert await given.people.read(Kind.ANSWER) == ANSWER
    assert given.prompts == ["Paste the answer here and press Enter:"]


async def test_empty_lines_before_a_code_are_ignored(given: Input) -> None:
    given.type("\n\n" + ANSWER + "\n")
    assert await given.people.read(Kind.ANSWER) == ANSWER


async def test_a_code_broken_over_lines_with_prose_around_it(given: Input) -> None:
    given.type(f"Here is the answer:\n{ANSWER[:40]}\n{ANSWER[40:80]}\n{ANSWER[80:]}\n")
    text = await given.people.read(Kind.ANSWER)
    assert text.endswith(ANSWER[80:])
    assert whole(text, Kind.ANSWER)


async def test_our_own_offer_quoted_before_the_answer_is_passed_over(given: Input) -> None:
    given.type(f"> {OFFER}\n{ANSWER}\n")
    text = await given.people.read(Kind.ANSWER)
    assert ANSWER in text


async def test_a_code_of_the_wrong_kind_is_handed_on_to_be_refused(given: Input) -> None:
    given.type(OFFER + "\n")
    assert await given.people.read(Kind.ANSWER) == OFFER


async def test_half_a_code_is_asked_for_the_rest(given: Input) -> None:
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(given.people.read(Kind.ANSWER))
        given.type(ANSWER[:50] + "\n")
        while len(given.prompts) < 2:
            given.prompted.clear()
            await given.prompted.wait()
        assert "not a whole code" in given.prompts[1]
        given.type(ANSWER[50:] + "\n")
        assert "".join((await reading).split()) == ANSWER


async def test_half_a_code_and_an_empty_line_is_handed_on_as_it_is(given: Input) -> None:
    given.type(ANSWER[:50] + "\n\n")
    assert await given.people.read(Kind.ANSWER) == ANSWER[:50]
    given.type(ANSWER + "\n")
    assert await given.people.read(Kind.ANSWER) == ANSWER


async def test_a_bad_copy_followed_by_a_good_one(given: Input) -> None:
    bad = ANSWER[:-1] + ("q" if ANSWER[-1] != "q" else "p")
    given.type(f"{bad}\n{ANSWER}\n")
    assert ANSWER in await given.people.read(Kind.ANSWER)


async def test_the_end_of_input_hands_on_what_there_is(given: Input) -> None:
    given.type(ANSWER[:50])
    given.end()
    assert await given.people.read(Kind.ANSWER) == ANSWER[:50]
    with pytest.raises(EOFError):
        await given.people.read(Kind.ANSWER)


async def test_a_question_may_be_answered_with_enter(given: Input) -> None:
    given.type("\n" + OFFER + "\n")
    assert await given.people.ask("Well?", Kind.OFFER) == ""
    assert await given.people.ask("Well?", Kind.OFFER) == OFFER
    assert given.prompts == ["Well?", "Well?"]


async def test_a_cancelled_paste_goes_on_where_it_was(given: Input) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            given.type(ANSWER[:50] + "\n")
            await given.people.read(Kind.ANSWER)
    given.type(ANSWER[50:] + "\n")
    assert "".join((await given.people.read(Kind.ANSWER)).split()) == ANSWER
