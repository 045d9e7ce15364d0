"""Two people at their terminals, who paste codes to each other."""

from __future__ import annotations

import re

from support import socks
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, command, split_address
from support.tcp import echo, serving
from support.terminal import Terminal

CODE = r"mf1[0-9a-z]{60,}"
QR = re.compile("[█▀▄]{10,}")


def code_in(shown: str) -> str:
    """The last code on a screen."""
    return [found[0] for found in re.finditer(CODE, shown)][-1]


async def test_a_volunteer_and_a_friend() -> None:
    async with (
        serving(echo) as server,
        Terminal.running(*command(), "relay", *LOOPBACK, *OPEN_LOOPBACK) as volunteer,
        Terminal.running(*command(), "client", *LOOPBACK, "--socks", "127.0.0.1:0", "-") as friend,
    ):
        await volunteer.shows(CODE)
        await volunteer.shows("127.0.0.1")
        await volunteer.shows(r"(?i)answer")
        assert QR.search(volunteer.text), "a QR of the code"
        offer = code_in(volunteer.text)
        friend.type(offer)
        await friend.shows(CODE + r"(?s:.*)" + CODE)
        answer = code_in(friend.text)
        assert answer != offer
        volunteer.type(answer)
        await friend.shows("(?i)connected")
        await volunteer.shows("(?i)connected")
        address = (await friend.shows(r"SOCKS5 on (127\.0\.0\.1:\d+)"))[1]
        await friend.shows("curl .*" + address)
        async with await socks.connect(split_address(address), *server) as connection:
            connection.writer.write(b"x")
            assert await connection.reader.readexactly(1) == b"x"
        friend.interrupt()
        assert await friend.wait() == 0
        volunteer.interrupt()
        assert await volunteer.wait() == 0


async def test_a_person_who_pastes_the_wrong_thing_is_told_and_asked_again() -> None:
    async with Terminal.running(*command(), "relay", *LOOPBACK) as volunteer:
        await volunteer.shows("Paste the answer")
        offer = code_in(volunteer.text)
        volunteer.type("what is this?")
        await volunteer.shows("not a whole code yet")
        volunteer.type("")
        await volunteer.shows("There is no code in this text")
        shown = len(volunteer.text)
        volunteer.type(offer)
        await volunteer.shows("(?i)offer", after=shown)
        volunteer.interrupt()
        assert await volunteer.wait() in (0, 130)
