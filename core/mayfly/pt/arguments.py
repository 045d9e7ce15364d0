r"""Arguments of a bridge line, as they come in SOCKS5's login (pt-spec, "per-connection arguments").

::

    arguments = [pair {";" pair}]     pair = key "=" value

`\` takes the meaning from the character behind it. tor cuts the text after 255 bytes: the rest is the password, and
where there is none the password is one NUL byte.
"""

from __future__ import annotations

from mayfly.pt.errors import ArgumentsError

Arguments = tuple[tuple[str, str], ...]
"""Keys with their values, in the order of the bridge line. A key may come several times."""


def from_socks(username: bytes, password: bytes) -> Arguments:
    """The arguments in a SOCKS5 login. Raises ArgumentsError."""
    text = username if password == b"\0" else username + password
    try:
        return parse(text.decode())
    except UnicodeDecodeError:
        raise ArgumentsError("the bridge line's arguments are not UTF-8") from None


def parse(text: str) -> Arguments:
    """Split a text into its pairs. Raises ArgumentsError."""
    if not text:
        return ()
    return tuple(_pair(piece) for piece in _split(text, ";"))


def _pair(piece: str) -> tuple[str, str]:
    key, *values = _split(piece, "=", times=1)
    if not values or not key:
        raise ArgumentsError("an argument of the bridge line is not KEY=VALUE")
    return _unescaped(key), _unescaped(values[0])


def _split(text: str, separator: str, times: int = -1) -> list[str]:
    """Split at separators that are not escaped; escapes stay as they are."""
    pieces = [""]
    escaped = False
    for character in text:
        if character == separator and not escaped and times != 0:
            pieces.append("")
            times -= 1
            continue
        pieces[-1] += character
        escaped = character == "\\" and not escaped
    if escaped:
        raise ArgumentsError("the bridge line's arguments end in a lone backslash")
    return pieces


def _unescaped(text: str) -> str:
    characters = iter(text)
    return "".join(next(characters) if character == "\\" else character for character in characters)
