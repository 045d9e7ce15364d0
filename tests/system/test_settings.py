"""Options from a TOML file and from the environment, and which of them wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import socks
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, command, split_address, tunnel
from support.programs import free_port, run
from support.tcp import echo, serving

USAGE = 2


async def test_a_file_and_the_environment_are_enough(tmp_path: Path) -> None:
    config = tmp_path / "mayfly.toml"
    config.write_text('[relay]\nallow = ["127.0.0.1:*"]\nbind = ["127.0.0.1"]\n[client]\nsocks-auth = "ann:sesame"\n')
    environment = {
        "MAYFLY_CONFIG": str(config),
        "MAYFLY_CLIENT_SOCKS": "127.0.0.1:0",
        "MAYFLY_CLIENT_BIND": "127.0.0.1",
    }
    async with (
        serving(echo) as server,
        MayflyProcess.running("relay", env=environment) as relay,
        MayflyProcess.running("client", "-", env=environment) as client,
    ):
        await client.send_code(await relay.code())
        await relay.send_code(await client.code("answer"))
        proxy = split_address((await client.event("listening"))["address"])
        async with await socks.connect(proxy, *server, auth=("ann", "sesame")) as connection:
            connection.writer.write(b"x")
            assert await connection.reader.readexactly(1) == b"x"
        with pytest.raises(socks.RefusedError):
            await socks.connect(proxy, *server, auth=("ann", "wrong"))


async def test_the_command_line_wins_over_the_variable_and_that_over_the_file(tmp_path: Path) -> None:
    ports = [free_port() for _ in range(3)]
    config = tmp_path / "mayfly.toml"
    config.write_text(f'[client]\nsocks = "127.0.0.1:{ports[0]}"\n')
    file_only = {"MAYFLY_CONFIG": str(config)}
    both = file_only | {"MAYFLY_CLIENT_SOCKS": f"127.0.0.1:{ports[1]}"}
    cases = [(file_only, (), 0), (both, (), 1), (both, ("--socks", f"127.0.0.1:{ports[2]}"), 2)]
    for environment, arguments, expected in cases:
        async with MayflyProcess.running("relay", *LOOPBACK, *OPEN_LOOPBACK) as relay:
            argv = ("client", await relay.code(), *LOOPBACK, *arguments)
            async with MayflyProcess.running(*argv, env=environment) as client:
                await relay.send_code(await client.code("answer"))
                assert (await client.event("listening"))["address"] == f"127.0.0.1:{ports[expected]}"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("[relay]\nmax-client = 3\n", "max-client"),
        ("[relay]\nbind = 1\n", "bind"),
        ("[relay\n", "line 1"),
        ('[elsewhere]\nbind = ["::1"]\n', "elsewhere"),
    ],
    ids=["unknown key", "wrong type", "no TOML", "unknown table"],
)
async def test_a_file_that_is_wrong_is_refused_with_its_name(content: str, named: str, tmp_path: Path) -> None:
    config = tmp_path / "mayfly.toml"
    config.write_text(content)
    async with MayflyProcess.running("relay", "--config", str(config)) as relay:
        error = await relay.event("error")
        assert error["stage"] == "options"
        assert str(config) in error["message"]
        assert named in error["message"].replace(str(config), "")
        assert await relay.wait() == USAGE


@pytest.mark.parametrize(
    "arguments",
    [
        ("relay", "--allow", "127.0.0.1"),
        ("relay", "--allow", "127.0.0.1:70000"),
        ("relay", "--for", "soon"),
        ("relay", "--max-rate", "fast"),
        ("client", "--socks", "here"),
        ("relay", "--bind", "not-an-address"),
    ],
)
async def test_an_option_that_cannot_be_understood(arguments: tuple[str, ...]) -> None:
    async with MayflyProcess.running(*arguments) as process:
        error = await process.event("error")
        assert error["stage"] == "options"
        assert arguments[1] in error["message"]
        assert await process.wait() == USAGE


async def test_help_reads_well_at_eighty_columns() -> None:
    for arguments in ((), ("relay",), ("client",), ("code", "inspect")):
        done = await run(*command(), *arguments, "--help", env={"COLUMNS": "80"})
        assert "Usage: mayfly" in done.text
        assert max(len(line) for line in done.text.splitlines()) <= 80
        assert not done.stderr


async def test_a_proxy_port_that_is_open_to_the_network_is_warned_about() -> None:
    async with tunnel(client_args=("--socks", "0.0.0.0:0")) as pair:
        warning = await pair.client.event("warning")
        assert warning["stage"] == "listen"
