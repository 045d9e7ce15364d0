"""What a bridge line asks of us: where its relays come from.

::

    Bridge mayfly 192.0.2.1:1 [FINGERPRINT] code=mf1… [code=mf1…] [file=NAME] [answers=NAME]
    Bridge mayfly 192.0.2.1:1 [FINGERPRINT] broker=URL [broker=URL …] [front=HOST] [meet=CODE]

A bridge line may have been written by a stranger. So file names stay inside the state directory, as the specification
has it anyway, and a line can say nothing about which of our addresses are disclosed: that is for the command line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mayfly.pt.arguments import Arguments
from mayfly.pt.errors import ArgumentsError
from mayfly.rendezvous.address import BrokerAddress
from mayfly.rendezvous.address import parse as parse_broker

ANSWERS = "answers.txt"
"""Where answers go unless the line names another file."""

_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_MEET = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)
_FRONT = re.compile(r"[0-9A-Za-z.-]{1,253}(?::[0-9]{1,5})?", re.ASCII)
_KEYS = frozenset({"code", "file", "broker", "front", "meet", "answers"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeLine:
    """The arguments of one bridge line. Relays are taken from `codes` first, then from `file`, then from `brokers`."""

    codes: tuple[str, ...] = ()
    """Relays' offers, each good once."""
    file: str | None = None
    """A file in the state directory into which further codes are put, as long as tor runs."""
    brokers: tuple[BrokerAddress, ...] = ()
    """Brokers, tried in this order; relays of their pools unless there is a `meet`."""
    front: str | None = None
    """HOST or HOST:PORT that the brokers stand behind."""
    meet: str | None = None
    """A friend's short code at the brokers."""
    answers: str = ANSWERS
    """The file in the state directory that takes our answers."""

    @classmethod
    def of(cls, arguments: Arguments) -> BridgeLine:
        """Read the arguments. Raises ArgumentsError, which repeats no value."""
        unknown = sorted({key for key, _ in arguments} - _KEYS)
        if unknown:
            raise ArgumentsError(
                "the bridge line has an argument that this version does not know",
                hint=f"Known are {', '.join(sorted(_KEYS))}.",
            )
        line = cls(
            codes=_all(arguments, "code"),
            file=_file(arguments, "file"),
            brokers=tuple(_broker(url) for url in _all(arguments, "broker")),
            front=_one(arguments, "front"),
            meet=_one(arguments, "meet"),
            answers=_file(arguments, "answers") or ANSWERS,
        )
        if not (line.codes or line.file or line.brokers):
            raise ArgumentsError(
                "the bridge line does not say where its relay comes from",
                hint="Add code=, file= or broker= behind the address, as client/README.md shows.",
            )
        if line.meet is not None and (not line.brokers or not _MEET.fullmatch(line.meet)):
            raise ArgumentsError("meet= takes a short code such as 7-copper-lagoon, and needs a broker=")
        if line.front is not None and (not line.brokers or not _FRONT.fullmatch(line.front)):
            raise ArgumentsError("front= takes a host name, with or without a port, and needs a broker=")
        if line.file == line.answers:
            raise ArgumentsError("file= and answers= name the same file")
        return line


def _all(arguments: Arguments, key: str) -> tuple[str, ...]:
    return tuple(value for name, value in arguments if name == key)


def _broker(url: str) -> BrokerAddress:
    try:
        return parse_broker(url)
    except ValueError as error:
        raise ArgumentsError(f"broker= {error}") from None


def _one(arguments: Arguments, key: str) -> str | None:
    values = _all(arguments, key)
    if len(values) > 1:
        raise ArgumentsError(f"the bridge line has {key}= more than once")
    return values[0] if values else None


def _file(arguments: Arguments, key: str) -> str | None:
    name = _one(arguments, key)
    if name is not None and not _FILE.fullmatch(name):
        raise ArgumentsError(
            f"{key}= is not the plain name of a file",
            hint="Files lie in tor's state directory (pt_state), and their names hold letters, digits, . _ - only.",
        )
    return name
