"""`mayfly pt` as a whole, on memory links: what it says to tor, what it carries, and every way to end."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from mayfly.errors import ListenError
from mayfly.pt.errors import ProxyError
from mayfly.runtime.events import Closed
from mayfly_client.listener import ProxyListener
from support.descriptions import offer_code
from support.programs import free_port
from support.programs_in_memory import Running as Program
from support.programs_in_memory import Stage, relay_options
from unit.client.pt.tor import Running, running, settings


async def test_the_lines_of_a_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with Stage(monkeypatch) as stage, running(monkeypatch, stage.network, settings(tmp_path / "state")) as pt:
        await pt.heard.line("CMETHODS DONE")
        method, done = pt.heard.lines
        assert method.startswith("CMETHOD mayfly socks5 127.0.0.1:")
        assert done == "CMETHODS DONE"
        assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


async def test_transports_of_others_are_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chosen = settings(tmp_path, transports=("obfs4", "snowflake"))
    async with Stage(monkeypatch) as stage, running(monkeypatch, stage.network, chosen) as pt:
        await pt.task
        assert pt.heard.lines == ["CMETHODS DONE"]


@pytest.mark.parametrize(
    ("proxy", "words"),
    [("socks5://user:secret@127.0.0.1:1080", "UDP"), ("http://127.0.0.1:3128", "UDP"), ("gopher:", "not a proxy")],
)
async def test_a_proxy_is_refused_and_not_gone_around(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, proxy: str, words: str
) -> None:
    chosen = settings(tmp_path, proxy=proxy)
    async with Stage(monkeypatch) as stage, running(monkeypatch, stage.network, chosen) as pt:
        with pytest.raises(ProxyError, match=words) as raised:
            await pt.task
        assert "secret" not in str(raised.value)
        assert pt.heard.lines == []


async def test_a_proxy_for_brokers_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chosen = settings(tmp_path, proxy="socks5://127.0.0.1:1080")
    async with Stage(monkeypatch) as stage, running(monkeypatch, stage.network, chosen, links_around_proxy=True) as pt:
        await pt.heard.line("CMETHODS DONE")
        assert pt.heard.lines[0] == "PROXY DONE"


async def test_a_friend_s_code_that_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with Stage(monkeypatch) as stage, running(monkeypatch, stage.network, settings(tmp_path)) as pt:
        assert await pt.connect("broker=https://b.example;meet=seven") == 1
        await pt.heard.line("LOG SEVERITY=warning")


async def test_a_broker_that_is_not_there_is_told_in_the_words_of_a_bridge_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with Stage(monkeypatch) as stage, running(monkeypatch, stage.network, settings(tmp_path)) as pt:
        pt.begin(f"broker=http://127.0.0.1:{free_port()}")
        said = await pt.heard.line("LOG SEVERITY=warning")
        assert "The broker cannot be reached." in said
        assert "--broker" not in said


async def test_a_state_directory_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    async with Stage(monkeypatch) as stage, running(monkeypatch, stage.network, settings(tmp_path / "state")) as pt:
        await pt.task
        assert pt.heard.lines[0].startswith("CMETHOD-ERROR mayfly the state directory cannot be made")
        assert pt.heard.lines[1] == "CMETHODS DONE"


async def test_a_port_that_cannot_be_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def start(_self: ProxyListener, _host: str, _port: int) -> None:
        raise ListenError("no ports are left")

    monkeypatch.setattr(ProxyListener, "start", start)
    async with Stage(monkeypatch) as stage, running(monkeypatch, stage.network, settings(tmp_path)) as pt:
        await pt.task
        assert pt.heard.lines == ["CMETHOD-ERROR mayfly no ports are left", "CMETHODS DONE"]


class Scene:
    """A relay whose clients' streams all go to one echo server, and its code answered by a bridge line."""

    def __init__(self, stage: Stage, pt: Running, state: Path) -> None:
        self.stage = stage
        self.pt = pt
        self.state = state

    async def relay(self) -> tuple[Program, str]:
        relay = self.stage.relay(relay_options())
        return relay, await relay.script.code()

    async def carry(self, relay: Program, answered: int = 1) -> None:
        """The answer, from the file to the relay."""
        await self.pt.heard.line('STAGE="answer"', answered)
        relay.script.paste((self.state / "answers.txt").read_text().splitlines()[-1])


async def test_a_connection_through_a_relay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The relay refuses 192.0.2.1, so its answer is what tor gets: the whole way was gone."""
    async with Stage(monkeypatch) as stage, running(monkeypatch, stage.network, settings(tmp_path)) as pt:
        scene = Scene(stage, pt, tmp_path)
        relay, code = await scene.relay()
        asked = pt.begin(f"code={code}")
        await scene.carry(relay)
        assert await asked == 2
        await pt.heard.line('STAGE="connected"')
        pt.shutdown.request_drain()
        await pt.task
        await relay.script.event(Closed)


async def test_codes_that_come_into_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("mayfly_client.pt.codefile.POLL", 0.001)
    async with Stage(monkeypatch) as stage, running(monkeypatch, stage.network, settings(tmp_path)) as pt:
        scene = Scene(stage, pt, tmp_path)
        asked = pt.begin("file=codes.txt")
        await pt.heard.line('STAGE="waiting"')
        (tmp_path / "codes.txt").write_text("hello\n")
        assert "There is no code in this text" in await pt.heard.line("LOG SEVERITY=warning")
        relay, code = await scene.relay()
        (tmp_path / "codes.txt").write_text(code + "\n")
        await scene.carry(relay)
        assert await asked == 2


async def test_a_wrong_bridge_line_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with Stage(monkeypatch) as stage, running(monkeypatch, stage.network, settings(tmp_path)) as pt:
        assert await pt.connect("answers=/etc/passwd") == 1
        assert "plain name" in await pt.heard.line("LOG SEVERITY=warning")


@pytest.mark.parametrize("name", ["obfs4_state.json", "directory", "fifo", "codes-of-another-line.txt"])
async def test_what_another_transport_keeps_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "codes-of-another-line.txt").write_text(offer_code().text + "\n")
    (tmp_path / "obfs4_state.json").write_text('{"private-key":"00"}')
    async with Stage(monkeypatch) as stage, running(monkeypatch, stage.network, settings(tmp_path)) as pt:
        assert await pt.connect(f"file=codes.txt;answers={name}") == 1
        warned = await pt.heard.line("LOG SEVERITY=warning")
        assert "holds something else" in warned
    assert (tmp_path / "obfs4_state.json").read_text() == '{"private-key":"00"}'
    assert (tmp_path / name).exists()


async def test_answers_of_an_earlier_run_are_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answers = tmp_path / "answers.txt"
    async with Stage(monkeypatch) as stage:
        earlier = ""
        for _ in range(2):
            async with running(monkeypatch, stage.network, settings(tmp_path)) as pt:
                scene = Scene(stage, pt, tmp_path)
                _, code = await scene.relay()
                pt.begin(f"code={code}")
                await pt.heard.line('STAGE="answer"')
                (line,) = answers.read_text().splitlines()
                assert line != earlier
                earlier = line


@pytest.mark.parametrize("way", ["stdin", "signal", "stdout"])
async def test_every_way_to_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str) -> None:
    async with Stage(monkeypatch) as stage, running(monkeypatch, stage.network, settings(tmp_path)) as pt:
        port = await pt.port()
        match way:
            case "stdin":
                pt.close_stdin()
            case "signal":
                pt.shutdown.request_drain()
            case _:
                pt.heard.broken = True
                with contextlib.suppress(OSError, EOFError):  # what has to be said about it finds nobody
                    await pt.connect("colour=red")
        await pt.task
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
