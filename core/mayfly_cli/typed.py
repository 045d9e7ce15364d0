"""What a line typed into a chat means: something to say, or a command that begins with a slash.

::

    text               said to everybody              //text   said with its first slash
    /msg NAME TEXT     said to one alone              /who     who is here
    /send [--to NAME | --to-all] [--symlinks] PATH…   /accept [N] [--into DIR] [--overwrite]    /decline [N]
    /pause [N]  /resume [N]  /cancel [N]              /help    /quit

N is the number that an offer or a transfer was shown with, or the beginning of its id; without it the newest is meant.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

COMMANDS = (
    "/accept", "/cancel", "/decline", "/help", "/msg", "/pause", "/quit", "/resume", "/send", "/who",
)  # fmt: skip

HELP = (
    "/msg NAME TEXT                    say something to one person alone",
    "/send PATH                        offer files or directories; --to NAME or --to-all where there are several",
    "/accept [N] [--into DIR]          take what is offered; --overwrite replaces files of the same name",
    "/decline [N]                      refuse it",
    "/pause, /resume, /cancel [N]      a transfer; the other side sees it",
    "/who                              who is here",
    "/quit                             leave; so does Ctrl-D",
    "A line that begins with // is said with one slash. Alt-Enter begins a new line in a message.",
)


@dataclass(frozen=True, slots=True)
class Say:
    """A message to everybody, or to one name."""

    text: str
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Files to offer: to the one other, to one of several by name, or to all."""

    paths: tuple[Path, ...]
    to: str | None = None
    everybody: bool = False
    symlinks: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """`accept`, `decline`, `pause`, `resume` or `cancel`; `which` is a number or the beginning of an id."""

    action: str
    which: str | None = None
    into: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Plain:
    """A command without parameters: `who`, `help` or `quit`."""

    action: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """The line cannot be understood; `message` says why."""

    message: str


Typed = Say | Offer | Change | Plain | Mistake


def understand(line: str, names: Iterable[str]) -> Typed | None:
    """The meaning of a line, given the names of those present; None for a blank one."""
    if not line.strip():
        return None
    if not line.startswith("/"):
        return Say(line)
    if line.startswith("//"):
        return Say(line[1:])
    word, _, rest = line.partition(" ")
    handler = _HANDLERS.get(word)
    if handler is None:
        return Mistake(f"There is no command {word}; /help lists them. A message that begins with / is typed with //.")
    return handler(word[1:], rest.strip(), names)


def complete(text: str, names: Iterable[str]) -> list[str]:
    """What the last word of a line may become: a command, a name, or a path."""
    word, space, rest = text.partition(" ")
    if not space:
        return [f"{command} " for command in COMMANDS if command.startswith(word)] if word.startswith("/") else []
    last = rest.rpartition(" ")[2]
    before = rest.rpartition(" ")[0].split()
    if word == "/msg":
        return sorted(f"{name} " for name in names if name.startswith(rest)) if last == rest else []
    if word == "/send" and before[-1:] == ["--to"]:
        return sorted(f"{name} " for name in names if name.startswith(last))
    if word in ("/send", "/accept") and last.startswith("-"):
        offered = ("--to ", "--to-all ", "--symlinks ") if word == "/send" else ("--into ", "--overwrite ")
        return [option for option in offered if option.startswith(last)]
    if word == "/send" or before[-1:] == ["--into"]:
        return _paths(last)
    return []


def _paths(start: str) -> list[str]:
    folder, slash, name = start.rpartition("/")
    try:
        found = sorted(_path(folder + slash or ".").iterdir())
    except (OSError, ValueError):  # ValueError: a NUL
        return []
    fitting = [path for path in found if path.name.startswith(name) and (name or not path.name.startswith("."))]
    return [folder + slash + shlex.quote(path.name) + ("/" if path.is_dir() else " ") for path in fitting]


def _plain(action: str, rest: str, _: Iterable[str]) -> Typed:
    return Mistake(f"/{action} stands alone.") if rest else Plain(action)


def _message(_: str, rest: str, names: Iterable[str]) -> Typed:
    known = [name for name in names if rest == name or rest.startswith(f"{name} ")]
    name = max(known, key=len) if known else rest.partition(" ")[0]
    text = rest[len(name) :].strip()
    return Say(text, name) if text else Mistake("Write /msg NAME TEXT.")


def _send(_: str, rest: str, __: Iterable[str]) -> Typed:
    usage = Mistake("Write /send PATH, or /send --to NAME PATH; a path with spaces stands in quotes.")
    words = _words(rest)
    if words is None:
        return usage
    to: str | None = None
    everybody = symlinks = False
    paths: list[Path] = []
    while words:
        word = words.pop(0)
        if word == "--to" and words:
            to = words.pop(0)
        elif word == "--to-all":
            everybody = True
        elif word == "--symlinks":
            symlinks = True
        elif word == "--":
            paths += map(Path, words)
            break
        elif word.startswith("-"):
            return usage
        else:
            paths.append(_path(word))
    if not paths or (to is not None and everybody):
        return usage
    return Offer(tuple(paths), to, everybody, symlinks)


def _change(action: str, rest: str, _: Iterable[str]) -> Typed:
    usage = Mistake(f"Write /{action}, or /{action} and the number of the offer or transfer.")
    words = _words(rest)
    if words is None:
        return usage
    which: str | None = None
    into: Path | None = None
    overwrite = False
    while words:
        word = words.pop(0)
        if word.isascii() and word.isalnum() and which is None:
            which = word
        elif action == "accept" and word == "--into" and words:
            into = _path(words.pop(0))
        elif action == "accept" and word == "--overwrite":
            overwrite = True
        else:
            return usage
    return Change(action, which, into, overwrite)


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # the home of nobody
        return Path(text)


def _words(text: str) -> list[str] | None:
    try:
        return shlex.split(text)
    except ValueError:
        return None


_HANDLERS: dict[str, Callable[[str, str, Iterable[str]], Typed]] = {
    "/msg": _message,
    "/send": _send,
    **dict.fromkeys(("/accept", "/decline", "/pause", "/resume", "/cancel"), _change),
    **dict.fromkeys(("/who", "/help", "/quit"), _plain),
}
