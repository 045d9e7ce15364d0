"""Every error that Mayfly raises on purpose, and the codes that name them on the wire and to the shell.

::

    MayflyError                 has a stage, a message for people, what to do next, and an exit code
    ├── UsageError              the command line, a configuration file or a policy cannot be understood
    ├── CodeError               a pasted code cannot be used
    │   ├── MistypedCodeError   the checksum does not fit, or characters are missing
    │   ├── ExpiredCodeError    it was good once
    │   ├── TooNewCodeError     it was made by a newer Mayfly
    │   ├── WrongKindCodeError  an offer where an answer is due, or the reverse
    │   └── WrongOfferError     an answer, but to another offer
    ├── LinkError               the peer connection
    │   ├── GatheringError      no usable address of our own
    │   ├── ConnectError        the two ends never met
    │   └── LinkLostError       they had met, and then the link ended
    ├── TorError                tor could not be started, reached, or asked
    ├── RendezvousError         meeting through a broker
    │   ├── BrokerDownError     no broker can be reached, or it does not answer sensibly
    │   ├── BrokerRefusedError  a broker says no; has its stable word for why
    │   │   └── CodeGoneError   nobody waits behind a short code any more
    │   ├── RefusedError        the relay says no
    │   ├── ForgedError         a message is not from who it should be, or was changed on its way
    │   └── WrongWordsError     the words of a short code are not the relay's
    ├── ListenError             a local port could not be opened
    ├── StoreError              a broker's store could not be reached
    ├── ControlError            a running program could not be asked, or said no
    │   └── NoSessionError      no program of that name runs
    └── ProtocolError           has a wire code
        ├── LocalProtocolError  our side asked for something the protocol forbids
        └── RemoteProtocolError the peer did something the protocol forbids
    StreamResetError            one stream ended early; its session goes on
    UpstreamError               a destination was refused or not reached; has the REP to tell the application
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """What the `mayfly` command returns to the shell. Stable.

    Each has its words: `brief` in --help, `meaning` and `remedy` in core/CATALOGUE.md and the man pages.
    """

    brief: str
    meaning: str
    remedy: str

    def __new__(cls, number: int, brief: str = "", meaning: str = "", remedy: str = "") -> Self:
        """A number with its words."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.brief, member.meaning, member.remedy = brief, meaning, remedy
        return member

    OK = (0, "done", "Done: this side or the other one has left in order.", "Nothing.")
    INTERNAL = (1, "a bug of Mayfly", "A bug of Mayfly's.", "Report the line that it printed, which holds no address.")
    USAGE = (
        2,
        "options",
        "An option, a variable, the configuration file or a request to a running program cannot be understood.",
        "Correct what the message names; --help lists the options of a command.",
    )
    BAD_CODE = (
        3,
        "a code cannot be used",
        "A code given as an argument cannot be used (of a short code: its words are wrong, or it is burnt, used or "
        "unknown), or the input ended before a code came.",
        "Copy the whole code again, or ask the other side for a new one.",
    )
    NO_CONNECTION = (
        4,
        "no connection",
        "There is no address to offer, or the two sides never met; also where tor or a broker's store does not answer.",
        "Do what the message says behind Next:, and exchange new codes.",
    )
    LINK_LOST = (
        5,
        "the link was lost",
        "The two sides had met; then the link was lost, or one of them broke the protocol.",
        "Exchange new codes.",
    )
    CANNOT_LISTEN = (
        6,
        "a port could not be opened",
        "The local port could not be opened.",
        "Name another one: --socks 127.0.0.1:0 for a client, --listen for a broker.",
    )
    NO_SESSION = (
        7,
        "no such program runs here",
        "No program runs here to which the command could attach.",
        "Start `mayfly relay` or `mayfly client`; `mayfly status` lists what runs.",
    )
    DECLINED = (8, "declined", "The receiver has declined the transfer.", "Ask the receiver, and send again.")
    CANCELLED = (
        9,
        "cancelled",
        "One of the two has cancelled the transfer.",
        "The same command begins it anew.",
    )
    INCOMPLETE = (
        10,
        "a transfer is incomplete and can be taken up again",
        "A transfer was interrupted, or none was offered.",
        "The same command on both sides goes on from there; if a file was in the way, with --overwrite.",
    )
    UNDELIVERED = (
        11,
        "a message was not delivered",
        "A message did not reach everybody, or somebody has not confirmed it.",
        "See with `mayfly status` who is connected, and say it again; --wait gives it more time.",
    )
    INTERRUPTED = (
        130,
        "interrupted",
        "Ctrl-C twice; or a client, chat, send or receive left before it was connected, or any command before it had "
        "begun; or Ctrl-C at a command that is attached.",
        "Nothing.",
    )


class ErrorCode(IntEnum):
    """Why a whole session ends: the code in CONNECTION_CLOSE. Below 0x100 they are RFC 9000 §20.1's."""

    NO_ERROR = 0x00
    INTERNAL_ERROR = 0x01
    FLOW_CONTROL_ERROR = 0x03
    STREAM_LIMIT_ERROR = 0x04
    STREAM_STATE_ERROR = 0x05
    FINAL_SIZE_ERROR = 0x06
    FRAME_ENCODING_ERROR = 0x07
    TRANSPORT_PARAMETER_ERROR = 0x08
    PROTOCOL_VIOLATION = 0x0A
    VERSION_UNSUPPORTED = 0x100
    LIVENESS_TIMEOUT = 0x101
    MESSAGE_TOO_BIG = 0x102
    TOO_MANY_GAPS = 0x103
    DRAINED = 0x104


class StreamCode(IntEnum):
    """Why one stream ends early: the code in RESET_STREAM and STOP_SENDING."""

    CANCELLED = 0x00
    CONNECTION_RESET = 0x01
    DRAINING = 0x02
    BAD_HEADER = 0x03
    LIMIT = 0x04
    TIMEOUT = 0x05
    UNSUPPORTED = 0x06
    INTERNAL = 0x07


class Reply(IntEnum):
    """SOCKS5 REP values, RFC 1928 §6. A relay's answer to a stream carries one verbatim."""

    SUCCEEDED = 0x00
    GENERAL_FAILURE = 0x01
    NOT_ALLOWED = 0x02
    NETWORK_UNREACHABLE = 0x03
    HOST_UNREACHABLE = 0x04
    CONNECTION_REFUSED = 0x05
    TTL_EXPIRED = 0x06
    COMMAND_NOT_SUPPORTED = 0x07
    ADDRESS_TYPE_NOT_SUPPORTED = 0x08


class MayflyError(Exception):
    """An error with words for people.

    `message` says what failed, `hint` what to do next, `stage` where (one of `mayfly.stages`).
    None of them may hold a peer's address, a destination, or unescaped peer text. `advice` is the hint of those errors
    of a class that have none of their own.
    """

    stage = "internal"
    exit_code = ExitCode.INTERNAL
    advice = ""

    def __init__(self, message: str, *, hint: str = "", stage: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.advice
        if stage is not None:
            self.stage = stage


class UsageError(MayflyError):
    """The command line, a configuration file, or a policy rule cannot be understood."""

    stage = "options"
    exit_code = ExitCode.USAGE


class CodeError(MayflyError):
    """A pasted code cannot be used."""

    stage = "code"
    exit_code = ExitCode.BAD_CODE


class MistypedCodeError(CodeError):
    """The checksum does not fit, characters are foreign, or the end is missing."""


class ExpiredCodeError(CodeError):
    """The code was good once; the other side has to make a new one."""


class TooNewCodeError(CodeError):
    """The code was made by a newer version of Mayfly."""


class WrongKindCodeError(CodeError):
    """An offer was given where an answer is due, or the reverse."""


class WrongOfferError(CodeError):
    """The answer belongs to another offer than the one that waits."""


class LinkError(MayflyError):
    """Something about the peer connection."""

    stage = "connect"
    exit_code = ExitCode.NO_CONNECTION


class GatheringError(LinkError):
    """No address of ours can be offered under the settings in force."""

    stage = "gather"


class ConnectError(LinkError):
    """The two ends never met: ICE or DTLS failed, or nobody answered in time."""


class LinkLostError(LinkError):
    """The link was open and has ended."""

    stage = "link"
    exit_code = ExitCode.LINK_LOST
    advice = "Exchange new codes."


class RendezvousError(MayflyError):
    """Something about meeting through a broker."""

    stage = "broker"
    exit_code = ExitCode.NO_CONNECTION


class BrokerDownError(RendezvousError):
    """No broker can be reached, or it does not answer as one."""


class BrokerRefusedError(RendezvousError):
    """A broker says no. `code` is its stable word for why, `retry_after` the seconds that it asks for, if any."""

    def __init__(self, code: str, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.retry_after = retry_after


class CodeGoneError(BrokerRefusedError):
    """Nobody waits at the broker behind that short code: it was never given, is burnt, or has been used."""

    exit_code = ExitCode.BAD_CODE


class RefusedError(RendezvousError):
    """The relay that the broker chose says no."""


class ForgedError(RendezvousError):
    """A message at the broker is not from who it should be, or was changed on its way. Nothing of it is used."""

    def __init__(self) -> None:
        super().__init__(
            "What came through the broker was not made by the other side, or was changed on its way.",
            hint="Try again. If it happens again, do not trust this broker.",
        )


class WrongWordsError(RendezvousError):
    """The words of a short code are not those of the relay that waits under its number."""

    exit_code = ExitCode.BAD_CODE

    def __init__(self) -> None:
        super().__init__(
            "The words of the code are wrong.",
            hint="Read the code again where the relay shows it. After three wrong tries it makes a new one.",
        )


class ListenError(MayflyError):
    """A local port could not be opened."""

    stage = "listen"
    exit_code = ExitCode.CANNOT_LISTEN


class TorError(MayflyError):
    """A tor that we need could not be started, reached, or asked."""

    stage = "tor"
    exit_code = ExitCode.NO_CONNECTION
    advice = "See whether tor runs and can reach the network, and try again."


class StoreError(MayflyError):
    """A broker's store could not be reached when it started."""

    stage = "store"
    exit_code = ExitCode.NO_CONNECTION


class ControlError(MayflyError):
    """A running program could not be asked over its control socket, or refused what it was asked."""

    stage = "control"
    exit_code = ExitCode.USAGE
    advice = "If the program that runs is of another version, start it again."


class NoSessionError(ControlError):
    """No program runs whose control socket could be used."""

    exit_code = ExitCode.NO_SESSION


class ProtocolError(MayflyError):
    """A rule of core/PROTOCOL.md was broken. `code` is its name on the wire."""

    stage = "session"
    exit_code = ExitCode.LINK_LOST
    advice = "Exchange new codes. If it happens again, use the same version of Mayfly on both sides."

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class LocalProtocolError(ProtocolError):
    """Our own side asked for something that the protocol forbids: a bug of the caller."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol; the session is closed with `code`."""


class StreamResetError(MayflyError):
    """One stream was ended early by the peer, or by the end of its session. `code` is a StreamCode where known."""

    stage = "stream"

    def __init__(self, code: int, message: str = "the stream was reset") -> None:
        super().__init__(message)
        self.code = code


class UpstreamError(MayflyError):
    """A destination was refused or could not be reached. `reply` is what the application is told."""

    stage = "upstream"

    def __init__(self, reply: Reply, message: str) -> None:
        super().__init__(message)
        self.reply = reply
