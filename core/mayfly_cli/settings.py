"""The options that both programs share, where each value comes from, and how a value becomes a setting.

A value is taken from the command line, else from a `MAYFLY_…` variable, else from the configuration file. Options reach
the commands as plain text: one place, `Values`, turns text into settings, so that an error can name its true source.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from mayfly.errors import MayflyError, UsageError
from mayfly.transport.base import DtlsRole, IpPolicy, LinkSettings
from mayfly.transport.engines import AUTO, ENGINES
from mayfly_cli import configfile, endpoints
from mayfly_cli.helping import RUNNING

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

LOOPS = ("auto", "asyncio", "uvloop")

_ADDRESSES = "What the code discloses"
_LINK = "The link"

BETTER_HIDDEN = "better given in the variable or the file: other users can see a command line."
"""What the help says of a password in an option."""

ONE_OF_TWO = "Leave out one of the two."

FROM_INPUT = "-"
"""As CODE: read it from standard input."""

TORRC_LINE = (
    "one more line for the torrc of the tor that is started, such as 'UseBridges 1'. Repeatable; not in a variable, "
    "which is split at spaces."
)
"""What it says of --torrc-line."""


def read_config(ctx: typer.Context, path: str | None) -> str | None:
    """The callback of --config, which is read before all other options: the file's values become their defaults."""
    if not ctx.resilient_parsing:
        name = ctx.info_name or ""
        ctx.default_map = configfile.load(Path(path).expanduser() if path else None, name, list(ctx.command.params))
    return path


def completing(*choices: str) -> Callable[[str], list[str]]:
    """What Tab offers behind an option that takes one of these."""

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete


def _values(kind: type[Enum]) -> tuple[str, ...]:
    return tuple(str(member.value) for member in kind)


JsonFlag = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print JSON events instead of text, one a line; codes are read as lines from standard input.",
        rich_help_panel=RUNNING,
    ),
]
JsonOutput = Annotated[
    bool,
    typer.Option("--json", help="Print JSON events instead of text, one a line.", rich_help_panel=RUNNING),
]
Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar="MAYFLY_CONFIG",
        is_eager=True,
        callback=read_config,
        help="Read defaults for these options from this TOML file: their names without dashes, in a table for each "
        "command. Also MAYFLY_CONFIG. Default: ~/.config/mayfly/config.toml, if there is one.",
        rich_help_panel=RUNNING,
    ),
]
Bind = Annotated[
    list[str] | None,
    typer.Option(
        "--bind",
        metavar="ADDRESS",
        help="Offer exactly this address of this computer; 127.0.0.1 reaches this computer alone. Repeatable. Default: "
        "all of its addresses but those of that kind (loopback).",
        rich_help_panel=_ADDRESSES,
    ),
]
Stun = Annotated[
    list[str] | None,
    typer.Option(
        "--stun",
        metavar="HOST:PORT",
        help="Ask this server (STUN) under which address the Internet sees this computer, for the code to hold it. "
        "Repeatable; none asks nobody. "
        f"Default: {', '.join(endpoints.STUN_SERVERS)}; nobody if every --bind is loopback.",
        rich_help_panel=_ADDRESSES,
    ),
]
Turn = Annotated[
    list[str] | None,
    typer.Option(
        "--turn",
        metavar="URL",
        help="Let this server (TURN) carry the link where the two computers cannot reach each other directly: "
        f"turn:USER:PASSWORD@HOST:PORT?transport=udp (or tcp, or turns:). Repeatable. A password is {BETTER_HIDDEN}",
        rich_help_panel=_ADDRESSES,
    ),
]
Policy = Annotated[
    str | None,
    typer.Option(
        "--ip-policy",
        metavar="POLICY",
        autocompletion=completing(*_values(IpPolicy)),
        help="Which addresses the code may disclose: all; public-only, none of the local network; no-stun, only what "
        "this computer knows of itself; lan, only those of the local network; turn-only, only the TURN server's, so "
        "that the other side never learns yours. The last three ask no STUN server. Default: all.",
        rich_help_panel=_ADDRESSES,
    ),
]
Role = Annotated[
    str | None,
    typer.Option(
        "--dtls-role",
        metavar="ROLE",
        autocompletion=completing(*_values(DtlsRole)),
        help="Who begins the encryption (DTLS), for censors have looked at how that is done: client, this side; "
        "server, the other one; auto, the side that does it as a browser would, if one does. Default: auto.",
        rich_help_panel=_LINK,
    ),
]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="ENGINE",
        autocompletion=completing(*ENGINES),
        help="What makes the link (the implementation of WebRTC): aiortc; aiortc-stock, the same as it comes, to "
        "compare; wrtc, which is libwebrtc and looks like a browser, but has no --bind and no --ip-policy lan; auto, "
        "which is wrtc where it is installed and has what is asked for, else aiortc. Default: auto.",
        rich_help_panel=_LINK,
    ),
]
Ordered = Annotated[
    bool,
    typer.Option(
        "--ordered/--unordered",
        show_default=False,
        help="Whether the link keeps the order of messages; unordered, a lost packet delays less. Default: unordered.",
        rich_help_panel=_LINK,
    ),
]
LoopName = Annotated[
    str | None,
    typer.Option(
        "--loop",
        metavar="LOOP",
        autocompletion=completing(*LOOPS),
        help="What waits for the network inside Mayfly: asyncio, uvloop, or auto, which is uvloop where it is "
        "installed. Default: auto.",
        rich_help_panel=RUNNING,
    ),
]
UnsafeLogging = Annotated[
    bool,
    typer.Option(
        "--unsafe-logging",
        help="Write a log to standard error, with addresses of the other side and of where it goes. Never paste it "
        "anywhere.",
        rich_help_panel=RUNNING,
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        envvar="MAYFLY_DEBUG",
        help="Where Mayfly has a bug, show Python's traceback. Also MAYFLY_DEBUG=1.",
        rich_help_panel=RUNNING,
    ),
]


class Values:
    """The parameters of one command, each with its source, and the way from text to setting."""

    def __init__(self, ctx: typer.Context) -> None:
        self._ctx = ctx

    @property
    def command(self) -> str:
        """The command's name."""
        return str(self._ctx.info_name)

    def raw(self, name: str) -> Any:
        """A parameter as it came: text, a flag, or a sequence of text; None (or empty) where nobody gave it."""
        return self._ctx.params[name]

    def one(self, name: str, convert: Callable[[str], T], default: T) -> T:
        """One converted value, or the default where nobody gave the option. Raises UsageError that names the source."""
        raw = self._ctx.params[name]
        return default if raw is None else self.converted(name, str(raw), convert)

    def many(self, name: str, convert: Callable[[str], T]) -> tuple[T, ...]:
        """All values of a repeatable option."""
        return tuple(self.converted(name, text, convert) for text in self._ctx.params[name] or ())

    def converted(self, name: str, text: str, convert: Callable[[str], T]) -> T:
        """Convert a text of that parameter. Raises UsageError that names the option, the variable, or file and key."""
        try:
            return convert(text)
        except ValueError as error:
            raise UsageError(f"{self.source(name)}: the value {error}.", hint=self._hint()) from None
        except MayflyError as error:
            raise UsageError(f"{self.source(name)}: {error.message}", hint=error.hint) from None

    def only_with(self, chosen: bool, what: str, *names: str) -> None:
        """Unless what these options belong to was chosen, raise UsageError for one that stands on the command line.

        In a variable or the file it waits for a run that it is for, and counts as not given now.
        """
        if chosen:
            return
        for name in names:
            if self.on_command_line(name):
                raise UsageError(
                    f"{self.source(name)}: this means something only with {what}.", hint="Leave it out, or add that."
                )
            self.leave_out(name)

    def leave_out(self, name: str) -> None:
        """Take it as not given from now on."""
        self._ctx.params[name] = None

    def meta(self, key: str) -> Any:
        """What was left in the context's `meta`, or None."""
        return self._ctx.meta.get(key)

    def on_command_line(self, name: str) -> bool:
        """Whether the option stood on the command line."""
        return self._source(name) == "COMMANDLINE"

    def source(self, name: str) -> str:
        """Where a value came from, in words for an error."""
        param = next(param for param in self._ctx.command.params if param.name == name)
        option = str(param.opts[0])
        match self._source(name):
            case "ENVIRONMENT":
                own = f"{self._ctx.auto_envvar_prefix}_{name.upper()}"
                return str(param.envvar) if param.envvar and os.environ.get(str(param.envvar)) else own
            case "DEFAULT_MAP":
                path = self._ctx.params.get("config") or configfile.default_path()
                return f"{path}, key {option.removeprefix('--')!r} of [{self._ctx.info_name}]"
            case _:
                return option

    def _hint(self) -> str:
        return f"`{self._ctx.command_path} --help` lists the options and their forms."

    def _source(self, name: str) -> str:
        source = self._ctx.get_parameter_source(name)
        return "" if source is None else source.name


def choice(kind: type[E]) -> Callable[[str], E]:
    """A converter to an enumeration's member by its value."""

    known = one_of(*_values(kind))
    return lambda text: kind(known(text))


def one_of(*names: str) -> Callable[[str], str]:
    """A converter that lets only these names pass."""

    def convert(text: str) -> str:
        if text not in names:
            raise ValueError(f"is not one of {', '.join(names)}")
        return text

    return convert


def exclude_each_other(one: str, other: str) -> UsageError:
    """The error for two ways to say what can be said in one."""
    return UsageError(f"{one} and {other} exclude each other.", hint=ONE_OF_TWO)


def count(text: str) -> int:
    """A whole number from 1 to a million. Raises ValueError."""
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and 1 <= int(text) <= 1_000_000):
        raise ValueError("is not a whole number from 1 to 1000000")
    return int(text)


def per_second(text: str) -> float:
    """A number of events a second, `/s` may follow. Raises ValueError."""
    try:
        number = float(text.strip().removesuffix("/s"))
    except ValueError:
        number = math.nan
    if not 0 < number <= 1_000_000:
        raise ValueError("is not a number a second, such as 100 or 0.5, up to 1000000")
    return number


def unlimited(convert: Callable[[str], T]) -> Callable[[str], T | None]:
    """The same converter, with `none` for no limit."""

    def checked(text: str) -> T | None:
        return None if text.strip() == "none" else convert(text)

    return checked


def positive(convert: Callable[[str], float]) -> Callable[[str], float]:
    """The same converter, without zero."""

    def checked(text: str) -> float:
        value = convert(text)
        if value <= 0:
            raise ValueError("must be above zero")
        return value

    return checked


def engine(values: Values) -> str:
    """The engine that is asked for. Raises UsageError."""
    return values.one("engine", one_of(*ENGINES), AUTO)


def loop(values: Values) -> str:
    """The event loop that is asked for. Raises UsageError."""
    return values.one("loop", one_of(*LOOPS), "auto")


def link_settings(values: Values) -> LinkSettings:
    """The settings of the link from the shared options. Raises UsageError."""
    usual = LinkSettings()
    bind = values.many("bind", endpoints.address)
    policy = values.one("ip_policy", choice(IpPolicy), usual.ip_policy)
    turn = values.many("turn", endpoints.turn_server)
    if policy is IpPolicy.TURN_ONLY and not turn:
        raise UsageError(f"{values.source('ip_policy')}: turn-only needs a TURN server.", hint="Give one with --turn.")
    stun = _stun(values)
    if stun is None:
        only_loopback = bool(bind) and all(address.is_loopback for address in bind)
        stun = () if only_loopback else endpoints.STUN_SERVERS
    return LinkSettings(
        bind=bind,
        stun=stun if policy.asks_stun else (),
        turn=turn,
        ip_policy=policy,
        dtls_role=values.one("dtls_role", choice(DtlsRole), usual.dtls_role),
        ordered=bool(values.raw("ordered")),
    )


def _stun(values: Values) -> tuple[str, ...] | None:
    texts = [str(text) for text in values.raw("stun") or ()]
    if texts == ["none"]:
        return ()
    if "none" in texts:
        raise UsageError(f"{values.source('stun')}: none stands alone.", hint="Leave out the other servers, or `none`.")
    return values.many("stun", endpoints.stun_server) or None
