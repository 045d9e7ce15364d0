"""What we say to tor, line by line, read back as tor reads it."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.pt import lines
from mayfly.pt.errors import ProxyError, PtError, VariableError, VersionError
from mayfly.pt.lines import Severity

ESCAPE = re.compile(r'\\(?:([0-7]{3})|(["\\nrt]))')
SIMPLE = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}


def unquoted(text: str) -> str:
    """A CString as the control protocol (section 2) has it."""
    assert text[0] == text[-1] == '"'
    inner = text[1:-1]
    assert not re.search(r'(?<!\\)(?:\\\\)*"', inner), "a quote ends the string early"
    found = ESCAPE.sub(lambda m: chr(int(m[1], 8)) if m[1] else SIMPLE[m[2]], inner)
    return found.encode("latin-1").decode()


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(TEXTS)
def test_a_string_is_read_back_as_it_was(text: str) -> None:
    assert unquoted(lines.cstring(text)) == text


@given(st.text())
def test_whatever_is_said_stays_on_its_line_and_in_ascii(text: str) -> None:
    for line in (
        lines.log(Severity.NOTICE, text),
        lines.status("mayfly", stage=text),
        lines.cmethod_error("mayfly", text),
        lines.smethod_error("mayfly", text),
        lines.failure(VariableError(text)),
    ):
        assert line.endswith("\n")
        assert set(line[:-1]) <= set(string.printable) - set("\n\r\t\v\f")


def test_a_nul_is_replaced_because_tor_would_drop_the_line() -> None:
    assert "\\000" not in lines.cstring("a\0b")
    assert unquoted(lines.cstring("a\0b")) == "a\ufffdb"


def test_the_lines_of_a_start() -> None:
    assert lines.version("1") == "VERSION 1\n"
    assert lines.cmethod("mayfly", "127.0.0.1:4711") == "CMETHOD mayfly socks5 127.0.0.1:4711\n"
    assert lines.cmethod_error("mayfly", "no port") == "CMETHOD-ERROR mayfly no port\n"
    assert lines.smethod_error("mayfly", "no port") == "SMETHOD-ERROR mayfly no port\n"
    assert (lines.PROXY_DONE, lines.CMETHODS_DONE, lines.SMETHODS_DONE) == (
        "PROXY DONE\n",
        "CMETHODS DONE\n",
        "SMETHODS DONE\n",
    )


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (VersionError("no-version"), "VERSION-ERROR no-version\n"),
        (VariableError("X is\nwrong"), f"ENV-ERROR X is wrong. {VariableError.advice}\n"),
        (ProxyError("no UDP.", hint="Leave it out."), "PROXY-ERROR no UDP. Leave it out.\n"),
        (ProxyError("no UDP", hint="Leave it out."), "PROXY-ERROR no UDP. Leave it out.\n"),
    ],
)
def test_each_failure_has_its_keyword(error: PtError, line: str) -> None:
    assert lines.failure(error) == line


def test_log_and_status() -> None:
    assert lines.log(Severity.WARNING, 'a "b"') == 'LOG SEVERITY=warning MESSAGE="a \\"b\\""\n'
    assert lines.status("mayfly", stage="lost", line="1") == 'STATUS TRANSPORT=mayfly STAGE="lost" LINE="1"\n'
    with pytest.raises(ValueError, match="key"):
        lines.status("mayfly", **{"a b": "c"})
