"""A file of codes: which one is taken, when it is waited for, and what is said of one that is no good."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mayfly.errors import ConnectError
from mayfly.runtime.events import CodeReady
from mayfly.runtime.meeting import Met
from mayfly_client.pt import codefile
from mayfly_client.pt.codefile import CodeFile
from support.news import News
from unit.client.pt.relays import NOW, Relays, begin, meets


class Watched:
    """A file of codes, and what is said of it."""

    def __init__(self, relays: Relays, path: Path) -> None:
        self.path = path
        self.said: list[str] = []
        self._news = News()
        self.source = CodeFile(
            path,
            relays.meeting,
            waiting=lambda: self._say("waiting"),
            unusable=lambda error: self._say(f"{error.message} {error.hint}"),
            clock=lambda: NOW,
        )

    def _say(self, words: str) -> None:
        self.said.append(words)
        self._news.ring()

    async def says(self, words: str) -> None:
        """Wait until it was said last."""
        await self._news.until(lambda: bool(self.said) and words in self.said[-1], 10)


@pytest.fixture
def file(relays: Relays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(codefile, "POLL", 0.001)
    return Watched(relays, tmp_path / "codes.txt")


async def test_it_gives_its_newest_code_and_none_twice(relays: Relays, file: Watched) -> None:
    old, accept_old = await relays.offer()
    new, accept_new = await relays.offer()
    stale, _ = await relays.offer(expires=NOW - 60)
    file.path.write_text(f"from a friend:\n> {old}\n{new}\n{stale}\nmf1nonsense\n")
    assert (await meets(relays, begin(file.source), accept_new)).words[0] == new
    assert (await meets(relays, begin(file.source), accept_old, 2)).words[0] == old
    assert "waiting" not in file.said


async def test_a_code_is_waited_for(relays: Relays, file: Watched) -> None:
    code, accept = await relays.offer()
    task = begin(file.source)
    await file.says("waiting")
    file.path.write_text(code)
    assert (await meets(relays, task, accept)).words[0] == code


async def test_a_code_may_be_broken_into_lines_and_quoted(relays: Relays, file: Watched) -> None:
    code, accept = await relays.offer()
    file.path.write_text(f'hello\n> "{code[:50]}\n> {code[50:]}"\n> bye\n')
    assert (await meets(relays, begin(file.source), accept)).words[0] == code


@pytest.mark.parametrize("comes", ["first", "second"])
async def test_a_newer_code_is_answered_beside_one_whose_answer_is_waited_for(
    relays: Relays, file: Watched, comes: str
) -> None:
    """Whoever comes first is taken; and an older one that stood there is not answered, also if it stands last now."""
    older, _ = await relays.offer()
    first, accept_first = await relays.offer()
    second, accept_second = await relays.offer()
    file.path.write_text(f"{older}\n{first}\n")
    task = begin(file.source)
    await relays.script.code()
    file.path.write_text(f"{older}\n")
    with file.path.open("a") as more:
        more.write(f"this one, please: {second}\n")
    await relays.script.code(2)
    await (accept_first(0) if comes == "first" else accept_second(1))
    assert (await task).words[0] == (first if comes == "first" else second)
    assert len(relays.script.all(CodeReady)) == 2


async def test_an_answer_that_nobody_uses_ends_the_wait_only_if_it_is_the_newest(
    relays: Relays, file: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = await relays.offer()
    second, _ = await relays.offer()
    ends = {first: asyncio.Event(), second: asyncio.Event()}
    asked = asyncio.Queue[str]()

    async def nobody_comes(text: str | None) -> Met:
        assert text is not None
        asked.put_nowait(text)
        await ends[text].wait()
        raise ConnectError(text)

    monkeypatch.setattr(relays.meeting, "reply", nobody_comes)
    file.path.write_text(first)
    task = begin(file.source)
    assert await asked.get() == first
    file.path.write_text(second)
    assert await asked.get() == second
    ends[first].set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    ends[second].set()
    with pytest.raises(ConnectError, match=second):
        await task


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello there", "There is no code"),
        ("mf1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqq", "Only a part of the code"),
        ("{stale}", "expired"),
    ],
)
async def test_what_was_put_last_and_is_no_good_is_said_once(
    relays: Relays, file: Watched, text: str, words: str
) -> None:
    stale, _ = await relays.offer(expires=NOW - 60)
    code, accept = await relays.offer()
    file.path.write_text(text.format(stale=stale) + "\n")
    task = begin(file.source)
    await file.says(words)
    assert file.said[0] == "waiting"
    file.path.write_text(f"{text.format(stale=stale)}\n{code}\n")
    await meets(relays, task, accept)
    assert len(file.said) == 2


async def test_a_code_that_was_used_is_not_called_expired_later(
    relays: Relays, file: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, accept = await relays.offer()
    file.path.write_text(code)
    await meets(relays, begin(file.source), accept)
    monkeypatch.setattr(file.source, "_clock", lambda: NOW + 3600)
    looks = 0

    def look() -> str:
        nonlocal looks
        looks += 1
        return code

    monkeypatch.setattr(file.source, "_read", look)
    task = begin(file.source)
    async with asyncio.timeout(10):
        while looks < 4:
            await asyncio.sleep(0)
    task.cancel()
    assert file.said == ["waiting"]


async def test_one_that_is_being_written_is_not_complained_about(
    relays: Relays, file: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, accept = await relays.offer()
    growing = iter([code[:40], code[:80], code])
    monkeypatch.setattr(file.source, "_read", lambda: next(growing, code))
    await meets(relays, begin(file.source), accept)
    assert file.said == ["waiting"]


async def test_a_file_that_cannot_be_read_is_said(file: Watched) -> None:
    file.path.mkdir()
    task = begin(file.source)
    await file.says("It cannot be read: Is a directory.")
    task.cancel()


async def test_only_the_end_of_a_huge_file_is_looked_at(relays: Relays, file: Watched) -> None:
    lost, _ = await relays.offer()
    kept, accept = await relays.offer()
    file.path.write_bytes(lost.encode() + b"\n" + b"\xff\n" * codefile.MAX_FILE + kept.encode())
    assert (await meets(relays, begin(file.source), accept)).words[0] == kept
    task = begin(file.source)
    await file.says("waiting")
    task.cancel()


async def test_it_holds_nothing(file: Watched) -> None:
    await file.source.aclose()
    assert file.said == []
