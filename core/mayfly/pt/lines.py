r"""The lines that we say to tor on standard output (pt-spec, "communication"). Each is ASCII and ends with a newline.

Text for people is a CString of the control protocol: in double quotes, with `\"`, `\\`, `\n`, `\r`, `\t`, and three
octal digits for every other byte of its UTF-8 that is not printable ASCII. tor refuses a whole line for one escaped
NUL, so that becomes U+FFFD.
"""

from __future__ import annotations

import re
from enum import Enum

from mayfly.pt.errors import PtError

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class Severity(Enum):
    """How much a LOG line matters; tor logs it at the same level."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"
    INFO = "info"
    DEBUG = "debug"


def version(chosen: str) -> str:
    """The version of the specification that we go by."""
    return f"VERSION {chosen}\n"


def failure(error: PtError) -> str:
    """VERSION-ERROR, ENV-ERROR or PROXY-ERROR: the last line of a process that cannot go on."""
    words = f"{error.message.removesuffix('.')}. {error.hint}" if error.hint else error.message
    return f"{error.keyword} {plain(words)}\n"


PROXY_DONE = "PROXY DONE\n"
CMETHODS_DONE = "CMETHODS DONE\n"
SMETHODS_DONE = "SMETHODS DONE\n"


def cmethod(transport: str, address: str) -> str:
    """Where tor finds the SOCKS5 proxy of a transport, as `host:port`."""
    return f"CMETHOD {transport} socks5 {address}\n"


def cmethod_error(transport: str, words: str) -> str:
    """A transport that could not be started."""
    return f"CMETHOD-ERROR {transport} {plain(words)}\n"


def smethod_error(transport: str, words: str) -> str:
    """A server's transport that could not be started."""
    return f"SMETHOD-ERROR {transport} {plain(words)}\n"


def log(severity: Severity, words: str) -> str:
    """A line for tor's log."""
    return f"LOG SEVERITY={severity.value} MESSAGE={cstring(words)}\n"


def status(transport: str, **values: str) -> str:
    """What goes on, for whoever listens to tor's PT_STATUS events. Keys are upper-cased; there is at least one."""
    pairs = "".join(f" {_checked(key.upper())}={cstring(value)}" for key, value in values.items())
    return f"STATUS TRANSPORT={transport}{pairs}\n"


def cstring(text: str) -> str:
    """A text in quotes, in printable ASCII."""
    return '"' + "".join(_escaped(character) for character in text.replace("\0", "\ufffd")) + '"'


def plain(text: str) -> str:
    """A text for the rest of a line that knows no quotes: printable ASCII, anything else as `?`."""
    return "".join(character if " " <= character <= "~" else "?" for character in text.replace("\n", " "))


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if " " <= character <= "~":
        return character
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "replace"))


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("a key holds letters, digits, _ and - only")
    return key
