"""The `mayfly` command. Programs, engines and event loops are loaded by the command that runs them, not here."""

from __future__ import annotations

import io
import os
import resource
import sys
from collections.abc import Callable
from typing import Annotated, Any, cast

import typer

from mayfly import __version__
from mayfly.errors import ExitCode, MayflyError, UsageError
from mayfly_cli import interrupts
from mayfly_cli.broker import HELP as BROKER_HELP
from mayfly_cli.broker import broker
from mayfly_cli.chat import HELP as CHAT_HELP
from mayfly_cli.chat import chat
from mayfly_cli.client import HELP as CLIENT_HELP
from mayfly_cli.client import client
from mayfly_cli.code import app as code_app
from mayfly_cli.helping import HelpfulCommand, HelpfulGroup
from mayfly_cli.ordered import OrderedCommand
from mayfly_cli.pt import HELP as PT_HELP
from mayfly_cli.pt import fail, pt, started_by_tor
from mayfly_cli.receive import HELP as RECEIVE_HELP
from mayfly_cli.receive import receive
from mayfly_cli.relay import HELP as RELAY_HELP
from mayfly_cli.relay import relay
from mayfly_cli.send import HELP as SEND_HELP
from mayfly_cli.send import send
from mayfly_cli.status import HELP as STATUS_HELP
from mayfly_cli.status import status
from mayfly_cli.stop import HELP as STOP_HELP
from mayfly_cli.stop import stop
from mayfly_cli.transfer import HELP as TRANSFER_HELP
from mayfly_cli.transfer import transfer

# Typer publishes a leaf of its tree of usage errors, and not the class that they share.
USAGE_ERRORS = cast("type[Exception]", typer.BadParameter.__mro__[1])

HELP = (
    "Lend your network to somebody who needs a way out, or borrow one, for an hour.\n\n"
    "The volunteer runs `mayfly relay`, the person who needs a way out `mayfly client`; each pastes one code to the "
    "other, and no server stands between them: they are linked by WebRTC, as browsers are in a video call. While they "
    "are connected, they can talk and send files.\n\n"
    "Every option of a command is also an environment variable (MAYFLY_RELAY_MAX_CLIENTS for relay's --max-clients; "
    "lists are separated by spaces) and a key in a TOML file (see --config). The command line wins over the variable, "
    "the variable over the file."
)

_NETWORK = "A way out"
_SERVICES = "Talking and sending"
_RUNNING = "What runs here"
_OTHERS = "Codes, meeting points, Tor"

COMMANDS: tuple[tuple[str, Callable[..., None], str, str], ...] = (
    ("relay", relay, RELAY_HELP, _NETWORK),
    ("client", client, CLIENT_HELP, _NETWORK),
    ("chat", chat, CHAT_HELP, _SERVICES),
    ("send", send, SEND_HELP, _SERVICES),
    ("receive", receive, RECEIVE_HELP, _SERVICES),
    ("status", status, STATUS_HELP, _RUNNING),
    ("stop", stop, STOP_HELP, _RUNNING),
    ("transfer", transfer, TRANSFER_HELP, _RUNNING),
    ("broker", broker, BROKER_HELP, _OTHERS),
    ("pt", pt, PT_HELP, _OTHERS),
)
"""Each command with its help and the panel in which `mayfly --help` shows it."""

app = typer.Typer(
    name="mayfly",
    cls=HelpfulGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog=f"Exit codes: {', '.join(f'{code.value} {code.brief}' for code in ExitCode)}.",
)
for _name, _command, _help, _panel in COMMANDS:
    app.command(
        _name,
        cls=OrderedCommand if _command is relay else HelpfulCommand,
        context_settings={"auto_envvar_prefix": f"MAYFLY_{_name.upper()}"},
        help=_help,
        rich_help_panel=_panel,
    )(_command)
app.add_typer(code_app, name="code", rich_help_panel=_OTHERS)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mayfly {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True, help=HELP)
def mayfly(
    ctx: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """The command without a subcommand."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(ExitCode.USAGE)


def main() -> None:
    """The entry point: run the command line and leave with its exit code."""
    _complete_standard_streams()
    _forbid_core_dumps()
    code = run(sys.argv[1:])
    interrupts.over()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        return int(app(args=arguments, prog_name="mayfly", standalone_mode=False) or 0)
    except USAGE_ERRORS as error:
        usage: Any = error
        message = usage.format_message()
        if message:  # else the help of a command without its subcommand has been shown
            called = usage.ctx.command_path if usage.ctx else " ".join(["mayfly", *arguments[:1]])
            listed = "commands" if "No such command" in message else "options"
            _fail(UsageError(message, hint=f"`{called} --help` lists the {listed}."), arguments)
        return ExitCode.USAGE
    except MayflyError as error:  # --config is read while options are parsed
        _fail(error, arguments)
        return error.exit_code
    except typer.Abort:
        return ExitCode.INTERRUPTED


def _as_json(arguments: list[str]) -> bool:
    """Whether an error in the options themselves is for machines; what the options say is not known by then."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    variable = f"MAYFLY_{arguments[0].upper()}_JSON" if arguments else ""
    return "--json" in own or os.environ.get(variable, "").lower() in ("1", "true", "yes", "on", "t", "y")


def _fail(error: MayflyError, arguments: list[str]) -> None:
    if arguments[:1] == ["pt"] and started_by_tor():  # which shows its user what it is told in lines of its own
        fail(error)
        return
    from mayfly.runtime.events import Failed  # noqa: PLC0415 - `mayfly --help` must not pay for it
    from mayfly_cli.machines import Machines  # noqa: PLC0415
    from mayfly_cli.people import People  # noqa: PLC0415

    reporter = Machines(sys.stdout) if _as_json(arguments) else People("mayfly")
    reporter.report(Failed.of(error))


def _forbid_core_dumps() -> None:
    """A native library that crashes must not write keys, destinations and what was carried to disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def _complete_standard_streams() -> None:
    # A pipe or socket of ours must never become descriptor 0, 1 or 2.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        stream: Any = getattr(sys, name)
        if stream is None:  # it was closed when Python started
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - as long as the process
        elif isinstance(stream, io.TextIOWrapper) and mode == "w":
            stream.reconfigure(errors="backslashreplace")
