"""What stands on both computers when all is over: what was received, and nothing else."""

from __future__ import annotations

from pathlib import Path

from support import socks
from support.homes import Home
from support.mayfly import MayflyProcess, tunnel
from support.tcp import echo, serving


def below(home: Home) -> list[str]:
    """Every file, socket and whatever else is no folder."""
    return sorted(str(path.relative_to(home.path)) for path in home.path.rglob("*") if not path.is_dir())


async def test_nothing_is_left_but_what_was_received(tmp_path: Path) -> None:
    anna, ben = Home.made(tmp_path / "anna"), Home.made(tmp_path / "ben")
    environments = []
    for home in (anna, ben):
        (home.path / "tmp").mkdir()
        environments.append(home.env | {"TMPDIR": str(home.path / "tmp")})
    note = anna.files / "note.txt"
    note.write_text("for you")
    async with serving(echo) as server, tunnel(env=environments[0], client_env=environments[1]) as pair:
        assert below(anna) == ["files/note.txt", "run/mayfly/relay.sock"]
        async with await socks.connect((pair.host, pair.port), *server) as connection:
            connection.writer.write(b"hello")
            assert await connection.reader.readexactly(5) == b"hello"
        async with MayflyProcess.running("chat", "--once", env=environments[0]) as chat:
            await chat.program.write_line("here it comes")
            await chat.program.end_input()
            await chat.ends(0)
        async with (
            MayflyProcess.running("send", note, env=environments[0]) as sender,
            MayflyProcess.running("receive", "--yes", "--into", ben.files, env=environments[1]) as receiver,
        ):
            for process in (sender, receiver):
                await process.ends(0)
        for process in (pair.client, pair.relay):  # a client whose relay leaves ends by itself
            process.interrupt()
            await process.ends(0)
    assert below(anna) == ["files/note.txt"]
    assert below(ben) == ["files/note.txt"]
