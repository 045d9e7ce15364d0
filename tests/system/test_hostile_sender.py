"""A sender that means harm, on a real link, before the real command: nothing of it reaches a path or a terminal."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from mayfly.files.records import Cancel, Reason
from mayfly.wire.hello import Role
from support.foreign_sender import CONTENT, foreign_sender
from support.homes import Home
from support.mayfly import LOOPBACK, Event, MayflyProcess

BAD_NAME = "a name cannot be used"
RULES = "a side broke the rules of the transfer"
LIMIT = "it is more than the receiver takes"

REFUSED = [
    (("..", "evil"), RULES),  # a directory comes before what is in it, and would be refused for its own name
    (("..",), BAD_NAME),
    ((".",), BAD_NAME),
    (("",), BAD_NAME),
    (("/etc/cron.d/evil",), BAD_NAME),
    (("../../evil",), BAD_NAME),
    (("evil\0.txt",), BAD_NAME),
    (("top",) * 100, LIMIT),
]

MADE_SAFE = {
    "clear\x1b[2J\x1b]0;owned\x07.txt": "clear_[2J_]0;owned_.txt",
    "photo\u202egnp.exe": "photo_gnp.exe",
    "C:\\Windows\\evil.dll": "C__Windows_evil.dll",
    "\\\\server\\share\\evil": "__server_share_evil",
    "nul": "_nul",
    "COM1.txt": "_COM1.txt",
    "notes.txt": "notes.txt",
    "NOTES.TXT": "NOTES-2.TXT",
    unicodedata.normalize("NFC", "r\u00e9sum\u00e9.txt"): unicodedata.normalize("NFC", "r\u00e9sum\u00e9.txt"),
    unicodedata.normalize("NFD", "r\u00e9sum\u00e9.txt"): unicodedata.normalize("NFD", "r\u00e9sum\u00e9-2.txt"),
    "x" * 400 + ".txt": "x" * 241 + ".txt",
    "new\nline\rfeed": "new_line_feed",
    "tail. ": "tail_",
    "film.mkv.part": "film.mkv.part",
    "film.mkv": "film-2.mkv",
    ".bashrc": ".bashrc",
}
"""What is asked for, in this order, and what it is called then: the second of two that look alike is renamed."""
JOURNAL = "liar.part.json"
"""What an interrupted transfer of which nothing came leaves: it could go on."""


def everything(root: Path) -> set[Path]:
    return set(root.rglob("*"))


async def ended(process: MayflyProcess) -> Event:
    """The `transfer` event with which the next transfer ends."""
    while (event := await process.event("transfer"))["state"] == "accepted":
        pass
    return event


async def refusal(process: MayflyProcess) -> str:
    """Why the next transfer was not taken."""
    event = await ended(process)
    assert event["state"] != "completed"
    return str(event["reason"])


def assert_calm(process: MayflyProcess) -> None:
    """No traceback, and not one control character of the peer's in either output."""
    assert not process.garbage
    text = process.program.output
    assert "Traceback" not in text
    assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cf") and char != "\n"]


async def test_what_is_harmful_is_refused_and_what_is_odd_made_safe(tmp_path: Path) -> None:
    ben = Home.made(tmp_path / "ben")
    before = everything(tmp_path)
    take = ("client", "-", *LOOPBACK, "--socks", "127.0.0.1:0", "--accept-into", ben.files)
    async with MayflyProcess.running(*take, env=ben.env) as client:
        async with foreign_sender(client, Role.RELAY) as sender:
            for path, reason in REFUSED:
                await sender.offer(path)
                assert await refusal(client) == reason, path
            assert not list(ben.files.iterdir())

            await sender.offer(*((name,) for name in MADE_SAFE), name="\x1b[2Jgift\u202e")
            assert (await ended(client))["state"] == "completed"
            (warning,) = client.named("warning")
            assert "is called clear_[2J_]0;owned_.txt, because it held control" in warning["message"]

            await sender.offer(("huge",), size=1 << 60)
            assert (await refusal(client)).startswith("not enough room: 1.2 EB are needed and ")
            for size, content in ((len(CONTENT) - 1, CONTENT), (len(CONTENT) + 1, CONTENT)):
                await sender.offer(("liar",), size=size, content=content)
                assert await refusal(client) == RULES
            # Nobody is even asked: it is the sender who hears of it.
            assert await sender.offer(("many",), count=10_000_000) == Cancel(Reason.LIMIT)
        assert_calm(client)
    arrived = {path for path in ben.files.iterdir() if path.name != JOURNAL}
    assert {path.name for path in arrived} == set(MADE_SAFE.values())
    assert {path.read_bytes() for path in arrived} == {CONTENT}
    assert everything(tmp_path) - before <= {
        *arrived,
        ben.files / JOURNAL,
        ben.runtime / "mayfly",
        ben.runtime / "mayfly" / "client.sock",
    }, "something was put elsewhere"
