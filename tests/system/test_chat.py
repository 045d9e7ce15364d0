"""Chat between people who are connected, and the commands that ask a running program how it is and make it leave."""

from __future__ import annotations

from pathlib import Path

from support.homes import Home
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, command, connected_client, introduce, tunnel
from support.programs import run

UNDELIVERED, NO_SESSION = 11, 7


async def test_one_line_through_a_pipe_reaches_who_listens(tmp_path: Path) -> None:
    anna, ben = Home.made(tmp_path / "anna"), Home.made(tmp_path / "ben")
    async with (
        tunnel(client_args=("--nick", "ben"), env=anna.env, client_env=ben.env),
        MayflyProcess.running("chat", env=ben.env) as listener,
    ):
        done = await run("sh", "-c", f"echo hi | {' '.join(command())} chat --once", env=anna.env)
        message = await listener.event("message")
        assert (message["from"], message["to"], message["text"]) == ("relay", None, "hi")
        assert "you: hi" in done.text
        assert "✓" in done.text
        async with MayflyProcess.running("chat", "--once", env=anna.env) as speaker:
            await speaker.program.write_line("and\nagain")
            await speaker.program.end_input()
            own, receipt = await speaker.event("message"), await speaker.event("delivered")
            assert (receipt["id"], receipt["by"]) == (own["id"], "ben")
            await speaker.ends(0)
        assert (await listener.event("message"))["text"] == "and\nagain"
        await listener.program.end_input()
        await listener.ends(0)


async def test_nobody_is_there_to_hear_it(tmp_path: Path) -> None:
    anna = Home.made(tmp_path / "anna")
    async with MayflyProcess.running("relay", *LOOPBACK, env=anna.env) as relay:
        await relay.code()
        async with MayflyProcess.running("chat", "--once", "--wait", "1s", env=anna.env) as speaker:
            await speaker.program.write_line("hi")
            await speaker.program.end_input()
            assert (await speaker.event("warning"))["stage"] == "chat"
            await speaker.ends(UNDELIVERED)


async def test_two_clients_of_a_relay_are_in_one_room(tmp_path: Path) -> None:
    anna, ben = Home.made(tmp_path / "anna"), Home.made(tmp_path / "ben")
    async with (
        MayflyProcess.running("relay", *LOOPBACK, *OPEN_LOOPBACK) as relay,
        connected_client(relay, "--nick", "anna", env=anna.env) as first,
        MayflyProcess.running("chat", env=anna.env) as at_anna,
    ):
        await at_anna.program.write_line("/who")
        assert (await at_anna.event("status"))["who"] == ["relay"]
        async with (
            connected_client(relay, "--nick", "ben", env=ben.env) as second,
            MayflyProcess.running("chat", env=ben.env) as at_ben,
        ):
            assert (await at_anna.event("joined"))["name"] == "ben"
            await at_anna.program.write_line("is anybody there?")
            said = await at_ben.event("message")
            assert (said["from"], said["to"], said["text"]) == ("anna", None, "is anybody there?")
            await at_ben.program.write_line("/msg anna you alone")
            own = await at_ben.event("message")
            assert await at_ben.event("delivered") == {"event": "delivered", "id": own["id"], "by": "anna"}
            await at_anna.event("message")  # our own
            heard = await at_anna.event("message")
            assert (heard["from"], heard["to"], heard["text"]) == ("ben", "anna", "you alone")
            second.client.interrupt()
            await second.client.ends(0)
            assert (await at_anna.event("left"))["name"] == "ben"
        assert first.client.program.process.returncode is None


async def test_two_people_without_a_relay(tmp_path: Path) -> None:
    anna, ben = Home.made(tmp_path / "anna"), Home.made(tmp_path / "ben")
    async with (
        MayflyProcess.running("chat", "--nick", "anna", *LOOPBACK, env=anna.env) as one,
        MayflyProcess.running("chat", "-", "--nick", "ben", *LOOPBACK, env=ben.env) as other,
    ):
        await introduce(one, other)
        await one.event("joined")
        await one.program.write_line("at last")
        heard = await other.event("message")
        assert (heard["from"], heard["text"]) == ("anna", "at last")
        assert (await one.event("delivered"))["by"] == "ben"
        await one.program.end_input()
        await one.ends(0)
        await other.event("closed")
        await other.ends(0)


async def test_a_line_for_somebody_whose_link_died_arrives_when_she_is_back(tmp_path: Path) -> None:
    anna, ben = Home.made(tmp_path / "anna"), Home.made(tmp_path / "ben")
    async with (
        tunnel(client_args=("--nick", "ben", "--again"), env=anna.env, client_env=ben.env) as pair,
        MayflyProcess.running("chat", env=anna.env) as at_relay,
        MayflyProcess.running("chat", env=ben.env) as at_client,
    ):
        await at_relay.program.write_line("hello")
        await at_client.event("message")
        assert (await at_relay.event("delivered"))["by"] == "ben"
        pair.client.pause()  # a laptop that was closed
        await at_relay.program.write_line("are you still there?")
        missed = await at_relay.event("undelivered", timeout=20)
        assert (missed["to"], missed["final"]) == ("ben", False)
        pair.client.resume()
        await pair.client.event("closed")
        await at_client.program.write_line("back soon")
        await pair.client.send_code(await pair.relay.code("offer"))
        await pair.relay.send_code(await pair.client.code("answer"))
        heard = await at_client.event("message")
        while heard["from"] != "relay":
            heard = await at_client.event("message")
        assert heard["text"] == "are you still there?"
        receipt = await at_relay.event("delivered")
        assert (receipt["id"], receipt["by"]) == (missed["id"], "ben")
        while (heard := await at_relay.event("message"))["from"] != "ben":
            pass
        assert heard["text"] == "back soon"
        assert (await at_client.event("delivered"))["by"] == "relay"


async def test_status_tells_and_stop_makes_it_leave_in_order(tmp_path: Path) -> None:
    anna, ben = Home.made(tmp_path / "anna"), Home.made(tmp_path / "ben")
    async with tunnel(client_args=("--nick", "ben"), env=anna.env, client_env=ben.env) as pair:
        async with MayflyProcess.running("status", env=anna.env) as asked:
            status = await asked.event("status")
            await asked.ends(0)
        assert (status["session"], status["program"], status["pid"]) == ("relay", "relay", pair.relay.program.pid)
        assert (status["draining"], status["name"], status["who"], status["transfers"]) == (False, "relay", ["ben"], [])
        (peer,) = status["peers"]
        assert (peer["peer"], peer["role"], peer["name"]) == (1, "client", "ben")
        async with MayflyProcess.running("stop", env=anna.env) as stop:
            await pair.relay.event("draining")
            await pair.client.event("leaving")
            await stop.ends(0)
        await pair.relay.ends(0)
        await pair.client.event("closed")
        async with MayflyProcess.running("status", env=anna.env) as asked:
            assert (await asked.event("error"))["stage"] == "control"
            await asked.ends(NO_SESSION)
