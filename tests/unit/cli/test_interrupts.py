"""Ctrl-C while the command starts and while it ends, in processes of their own: each phase ends in an exit code."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mayfly.errors import ExitCode
from mayfly_cli import interrupts
from support.command_line import ENVIRONMENT

PREPARED = """
import asyncio, atexit, os, signal, sys, types
from mayfly_cli import start

def send(*numbers):
    for number in numbers:
        os.kill(os.getpid(), number)

numbers = [signal.Signals[name] for name in sys.argv[2:]]
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may have it ignored
"""

IGNORED = "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"

STARTING = """
def command():
    send(*numbers)
    print("went on")

sys.modules["mayfly_cli.main"] = stub = types.ModuleType("mayfly_cli.main")
stub.main = command
start.main()
"""

ASKING = """
from mayfly_cli import loop, main

async def question():
    send(*numbers)
    await asyncio.Event().wait()

main.run = lambda arguments: loop.run(question(), sys.argv[1])
start.main()
"""

ENDING = """
from mayfly_cli import loop, main

def run(arguments):
    loop.run(asyncio.sleep(0), sys.argv[1])
    send(*numbers)
    print("last words", flush=True)
    return 5

main.run = run
start.main()
"""

CLEANING = """
import logging
from mayfly.errors import ExitCode
from mayfly.runtime.shutdown import Shutdown
from mayfly_cli import failures, loop, main

async def clean_up():
    try:
        asyncio.get_running_loop().call_soon(send, *numbers[3:])  # the fourth: breaks this off
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)  # nothing can wait without a loop
        print("cleaned up")

async def program():
    shutdown = Shutdown()
    shutdown.install(asyncio.get_running_loop())
    try:
        for number, told in zip(numbers, (shutdown.drain, shutdown.stop)):
            send(number)
            await told.wait()
        asyncio.get_running_loop().call_soon(send, numbers[2])
        await asyncio.Event().wait()
    finally:
        await clean_up()

def run(arguments):
    logging.getLogger().addHandler(logging.NullHandler())  # as each command does
    try:
        loop.run(program(), sys.argv[1])
    except BaseException as error:
        return failures.handle(error, None, verbose=True)

main.run = run
start.main()
"""

OVER = """
from mayfly_cli import main

class Last:
    def __del__(self, send=send, numbers=numbers):
        send(*numbers)  # Python has given its handlers up by now

last = Last()
atexit.register(send, *numbers)
main.run = lambda arguments: 5
start.main()
"""


def run(code: str, choice: str, *signals: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PREPARED + code, choice, *signals],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_exit_code_is_the_documented_one() -> None:
    assert interrupts.INTERRUPTED == ExitCode.INTERRUPTED


@pytest.mark.parametrize("signals", [("SIGINT",), ("SIGTERM",), ("SIGINT", "SIGINT")])
def test_a_command_that_starts_ends_at_once_and_says_nothing(signals: tuple[str, ...]) -> None:
    done = run(STARTING, "auto", *signals)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_command_that_must_ignore_ctrl_c_goes_on() -> None:
    done = run(IGNORED + STARTING, "auto", "SIGINT")
    assert (done.returncode, done.stdout, done.stderr) == (0, "went on\n", "")


def test_a_command_that_must_ignore_ctrl_c_ends_by_sigterm() -> None:
    starting = run(IGNORED + STARTING, "auto", "SIGTERM")
    assert (starting.returncode, starting.stdout, starting.stderr) == (130, "", "")
    ending = run(IGNORED + ENDING, "auto", "SIGINT", "SIGTERM", "SIGINT")
    assert (ending.returncode, ending.stdout, ending.stderr) == (5, "last words\n", "")
    twice = run(IGNORED + ENDING, "auto", "SIGTERM", "SIGTERM")
    assert (twice.returncode, twice.stdout, twice.stderr) == (130, "", "")


@pytest.mark.parametrize("choice", ["asyncio", "uvloop"])
def test_a_command_that_must_ignore_ctrl_c_ends_by_sigterm_while_it_asks(choice: str) -> None:
    done = run(IGNORED + ASKING, choice, "SIGINT", "SIGTERM")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("choice", ["asyncio", "uvloop"])
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_command_that_ends_says_its_last_words_unless_told_twice(choice: str, number: str) -> None:
    once = run(ENDING, choice, number)
    assert (once.returncode, once.stdout, once.stderr) == (5, "last words\n", "")
    twice = run(ENDING, choice, number, number)
    assert (twice.returncode, twice.stdout, twice.stderr) == (130, "", "")


@pytest.mark.parametrize("choice", ["asyncio", "uvloop"])
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_one_signal_more_breaks_off_what_is_cleaned_up_and_nothing_is_said(choice: str, number: str) -> None:
    done = run(CLEANING, choice, *[number] * 4)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_nothing_replaces_an_exit_code_that_is_certain(number: str) -> None:
    done = run(OVER, "auto", number, number)
    assert (done.returncode, done.stdout, done.stderr) == (5, "", "")
