"""Codes as people handle them: inspected, mistyped, swapped, pasted with prose around them, or not codes at all."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, command, introduce, tunnel
from support.programs import Finished, run

BAD_CODE = 3
CLIENT = ("client", "-", *LOOPBACK, "--socks", "127.0.0.1:0")
RELAY = ("relay", *LOOPBACK, *OPEN_LOOPBACK)


async def mayfly(*args: str, stdin: str = "", check: bool = False) -> tuple[Finished, list[dict[str, Any]]]:
    """Run a short command under --json and give its end and its events."""
    done = await run(*command(), *args, "--json", stdin=stdin.encode(), check=check)
    return done, [json.loads(line) for line in done.text.splitlines()]


async def test_inspect_tells_what_a_code_discloses() -> None:
    async with MayflyProcess.running(*RELAY) as relay:
        made = await relay.event("code")
    for args, stdin in ((made["code"],), ""), (("-",), made["code"] + "\n"):
        _, events = await mayfly("code", "inspect", *args, stdin=stdin, check=True)
        (found,) = events
        assert found["event"] == "inspected"
        assert found["kind"] == "offer"
        assert not found["expired"]
        for key in ("expires", "discloses", "role"):
            assert found[key] == made[key]
    assert made["role"] == "actpass"
    assert made["expires"] > time.time() + 60
    assert any("127.0.0.1" in each for each in made["discloses"])


async def test_a_code_with_one_host_address_is_short() -> None:
    async with MayflyProcess.running(*RELAY) as relay:
        assert len(await relay.code()) <= 130


@pytest.mark.parametrize("damage", ["swap", "cut", "none of it"])
async def test_a_damaged_code_is_refused_with_words(damage: str) -> None:
    async with MayflyProcess.running(*RELAY) as relay:
        code = await relay.code()
    at = len(code) // 2
    other = "q" if code[at] != "q" else "p"
    text = {"swap": code[:at] + other + code[at + 1 :], "cut": code[:-9], "none of it": "hello there"}[damage]
    for command_line in (("code", "inspect", text), ("client", text, *CLIENT[2:])):
        done, events = await mayfly(*command_line)
        assert done.status == BAD_CODE
        assert (events[-1]["event"], events[-1]["stage"]) == ("error", "code")
        assert events[-1]["message"]
        assert events[-1]["hint"]


async def test_wrong_codes_at_the_prompt_are_refused_and_the_right_one_still_works() -> None:
    async with (
        MayflyProcess.running(*RELAY) as relay,
        MayflyProcess.running(*RELAY) as stranger,
        MayflyProcess.running(*CLIENT) as other,
        MayflyProcess.running(*CLIENT) as client,
    ):
        offer = await relay.code()
        await other.send_code(await stranger.code())
        wrong = {
            "an offer": offer,
            "an answer to another offer": await other.code("answer"),
            "prose": "I have lost the code, sorry",
            "control characters": "mf1\x1b[2J\x07\x9b\u202e",
            "ten megabytes": "mf1" + "q" * (10 << 20),
        }
        messages = {}
        for what, text in wrong.items():
            await relay.send_code(text)
            warning = await relay.event("warning")
            assert warning["stage"] == "code", (what, warning)
            messages[what] = warning["message"]
        assert messages["an offer"] != messages["an answer to another offer"] != messages["prose"]
        assert not set("\x1b\x07\x9b\u202e") & set("".join(messages.values()))
        await client.send_code(offer)
        await introduce(relay, client, offer)
        assert (await relay.event("connected"))["words"] == (await client.event("connected"))["words"]
        assert relay.process.memory_info().rss < 300 << 20


async def test_ten_megabytes_of_code_to_inspect() -> None:
    done, events = await mayfly("code", "inspect", "-", stdin="mf1" + "q" * (10 << 20) + "\n")
    assert done.status == BAD_CODE
    assert [event["event"] for event in events] == ["error"]


async def test_a_code_in_prose_and_broken_over_lines_is_found() -> None:
    async with MayflyProcess.running(*RELAY) as relay:
        code = await relay.code()
    pasted = f"Hi! Use this one: {code[:40]} {code[40:80].upper()}-{code[80:]} see you"
    # Case may not be mixed inside a code (BIP-350), so each shape is one of its own.
    for text in (pasted.replace(code[40:80].upper(), code[40:80]), f"> {code.upper()} <", f"{code[:50]}\n{code[50:]}"):
        _, events = await mayfly("code", "inspect", text, check=True)
        assert events[-1]["kind"] == "offer"


async def test_input_that_ends_before_a_code_came() -> None:
    async with MayflyProcess.running(*CLIENT) as client:
        await client.program.end_input()
        error = await client.event("error")
        assert error["message"]
        assert await client.wait() != 0


async def test_nothing_but_events_on_standard_output_and_no_address_on_standard_error() -> None:
    async with tunnel() as pair:
        pair.client.interrupt()
        await pair.client.wait()
        await pair.relay.event("closed")
        for process in (pair.client, pair.relay):
            assert not process.garbage
            assert "127.0.0.1" not in process.program.stderr
