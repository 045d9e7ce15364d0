"""The command as a whole: help, version, completion, start-up, and a real terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence

import pytest

from mayfly import __version__
from mayfly_cli import main
from support.command_line import ENVIRONMENT
from unit.cli import samples
from unit.cli.conftest import Command

PYTHON = sys.executable
NAMES = ["relay", "client", "chat", "send", "receive", "status", "stop", "transfer", "broker", "pt", "code"]
COMMANDS = [(), *((name,) for name in NAMES), ("code", "inspect")]


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PYTHON, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_80_columns(mayfly: Command, command: Sequence[str]) -> None:
    result = mayfly(*command, "--help")
    assert result.exit_code == 0
    assert "Usage: mayfly" in result.output
    assert max(len(line.rstrip()) for line in result.output.splitlines()) <= 80
    assert "\u2026" not in result.output  # nothing was cut to fit


@pytest.mark.parametrize("command", ["relay", "client", "chat", "send", "receive", "broker", "pt"])
def test_the_help_tells_how_variables_are_called(mayfly: Command, command: str) -> None:
    text = " ".join(mayfly(command, "--help").output.split())
    found = re.search(r"Every option is also a variable, such as (MAYFLY_[A-Z_]+) for --([a-z-]+),", text)
    assert found
    assert found[1] == f"MAYFLY_{command}_{found[2]}".upper().replace("-", "_")
    assert "Also MAYFLY_CONFIG." in text.replace(" │ │ ", " ")  # the two that follow no rule
    assert command == "pt" or "Also MAYFLY_DEBUG=1." in text.replace(" │ │ ", " ")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_no_types_of_a_programming_language(mayfly: Command, command: Sequence[str]) -> None:
    assert not re.search(r"<[a-z]+>|<list", mayfly(*command, "--help").output)


def test_version(mayfly: Command) -> None:
    assert mayfly("--version").output == f"mayfly {__version__}\n"


def test_no_command_shows_the_help(mayfly: Command) -> None:
    result = mayfly()
    assert result.exit_code == 2
    assert "What runs here" in result.output


def test_help_loads_no_program_no_engine_and_no_event_loop() -> None:
    loaded = python(
        "import sys\n"
        "from mayfly_cli.main import run\n"
        "assert run(['relay', '--help']) == 0\n"
        "print(*sys.modules, file=sys.stderr)\n"
    ).stderr.split()
    heavy = {
        "aiortc", "aioice", "av", "uvloop", "asyncio", "cryptography", "OpenSSL", "segno", "platformdirs",
        "prompt_toolkit", "blake3",
        "aiohttp", "msgspec", "mayfly_broker",
        "mayfly_relay", "mayfly_client", "mayfly.signaling.codes", "mayfly.runtime", "mayfly.services",
    }  # fmt: skip
    assert heavy & set(loaded) == set()
    assert "mayfly_cli.relay" in loaded


def test_a_usage_error_is_told_to_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["relay", "--nope"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "error (options): No such option: --nope (Possible options: --loop, --name).",
        "Next: `mayfly relay --help` lists the options.",
    ]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["stats"], "Next: `mayfly --help` lists the commands."),
        (["code", "nope"], "Next: `mayfly code --help` lists the commands."),
        (["relay", "--for"], "Next: `mayfly relay --help` lists the options."),
        (["transfer"], "Next: `mayfly transfer --help` lists the options."),
    ],
)
def test_a_usage_error_names_the_next_step(capsys: pytest.CaptureFixture[str], arguments: list[str], hint: str) -> None:
    assert main.run(arguments) == 2
    error, following = capsys.readouterr().err.splitlines()
    assert error.startswith("error (options): ")
    assert following == hint


def test_a_command_without_its_subcommand_shows_its_help_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["code"]) == 2
    out, err = capsys.readouterr()
    assert "inspect" in out
    assert err == ""


@pytest.mark.parametrize(
    "arguments",
    [["relay", "--nope", "--json"], ["nope", "--json"], ["relay", "--json", "--config", "/none/such.toml"]],
)
def test_a_usage_error_is_told_to_machines(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main.run(arguments) == 2
    out, err = capsys.readouterr()
    event = json.loads(out)
    assert (event["event"], event["stage"]) == ("error", "options")
    assert event["hint"]
    assert err == ""


def test_the_json_variable_counts_and_a_code_after_two_dashes_does_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main.run(["relay", "--nope", "--", "--json"]) == 2
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("MAYFLY_RELAY_JSON", "1")
    assert main.run(["relay", "--nope"]) == 2
    assert json.loads(capsys.readouterr().out)["event"] == "error"


def test_an_error_in_the_file_is_told_to_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["relay", "--config", "/none/such.toml"]) == 2
    assert "There is no configuration file /none/such.toml" in capsys.readouterr().err


def test_completion_of_commands_options_and_values() -> None:
    def complete(words: str) -> str:
        environment = {**ENVIRONMENT, "_MAYFLY_COMPLETE": "complete_bash", "COMP_WORDS": words}
        environment["COMP_CWORD"] = str(len(words.split(" ")) - 1)
        done = subprocess.run(
            [PYTHON, "-m", "mayfly_cli"], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout

    assert complete("mayfly ").split() == NAMES
    assert "--max-clients" in complete("mayfly relay --max")
    assert complete("mayfly relay --ip-policy l").split() == ["lan"]


def test_the_completion_script_is_shown() -> None:
    done = subprocess.run(
        [PYTHON, "-m", "mayfly_cli", "--show-completion", "bash"],
        env={**ENVIRONMENT, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "_MAYFLY_COMPLETE" in done.stdout


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-", ">/dev/full"])
def test_closed_or_full_standard_streams_give_an_exit_code_and_no_traceback(closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{PYTHON}" -m mayfly_cli code inspect --json {closed}'],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr == ""


# A program that asks for an answer, shows it, and then waits to be told to leave.
PROGRAM = """
import sys, types
from mayfly.runtime.events import Words
from mayfly.signaling.description import Kind

async def run(options, reporter, codes, shutdown):
    reporter.report(Words((repr(options.code),)))
    reporter.report(Words(("".join((await codes.read(Kind.ANSWER)).split()),)))
    await shutdown.drain.wait()
    reporter.report(Words(("draining",)))
    await shutdown.stop.wait()
    reporter.report(Words(("stopping",)))

app = types.ModuleType("mayfly_client.app")
app.run_client = run
sys.modules["mayfly_client.app"] = app
from mayfly_cli.main import main
main()
"""


class Terminal:
    """A process on a pseudo-terminal."""

    def __init__(self, loop: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell that runs us in the background has it ignored
            os.execve(PYTHON, [PYTHON, "-c", PROGRAM, "client", "--loop", loop], ENVIRONMENT)
        self.seen = ""
        self._judged = 0

    def expect(self, text: str, timeout: float = 20.0) -> None:
        """Wait for a text in what has come since the last one expected."""
        end = time.monotonic() + timeout
        while text not in self.seen[self._judged :]:
            assert select.select([self.fd], [], [], max(0.0, end - time.monotonic()))[0], self.seen
            self.seen += os.read(self.fd, 65536).decode()
        self._judged = self.seen.index(text, self._judged) + len(text)

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def flags(self) -> list[object]:
        return [*termios.tcgetattr(self.fd)]

    def wait(self) -> int:
        """The exit code; what is still to be read is read, or the child could not end."""
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            self.seen += data.decode()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture(params=["asyncio", "uvloop"])
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    terminal = Terminal(request.param)
    yield terminal
    try:
        os.kill(terminal.pid, signal.SIGKILL)
        os.waitpid(terminal.pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
    os.close(terminal.fd)


def test_on_a_real_terminal(terminal: Terminal) -> None:
    offer, answer = samples.offer().text, samples.answer().text
    before = terminal.flags()
    terminal.expect("Paste the relay's code")
    terminal.type(offer[:100] + "\n" + offer[100:] + "\n")
    terminal.expect("Verification words: ")
    terminal.expect("Paste the answer here")
    terminal.type(answer + "\n")
    terminal.expect(f"{answer[-20:]}\x1b[0m")  # said, and not echoed
    assert os.get_blocking(terminal.fd)
    terminal.type("\x03")
    terminal.expect("Verification words: draining")
    terminal.type("\x03")
    terminal.expect("Verification words: stopping")
    assert terminal.wait() == 130
    assert terminal.flags() == before
    assert "Traceback" not in terminal.seen


def test_ctrl_c_at_the_question(terminal: Terminal) -> None:
    terminal.expect("Paste the relay's code")
    terminal.type("\x03")
    assert terminal.wait() == 130
    assert "Traceback" not in terminal.seen


def test_ctrl_d_at_the_question(terminal: Terminal) -> None:
    terminal.expect("Paste the relay's code")
    terminal.type("\x04")
    terminal.expect("The input ended before a code came.")
    assert terminal.wait() == 3


def test_a_crash_leaves_no_core_dump() -> None:
    code = (
        "import resource, mayfly_cli.main as main\n"
        "hard = resource.getrlimit(resource.RLIMIT_CORE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))\n"
        "main.run = lambda _arguments: print(*resource.getrlimit(resource.RLIMIT_CORE), hard) or 0\n"
        "main.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    soft, hard, before = done.stdout.split()
    assert (soft, hard) == ("0", before)
