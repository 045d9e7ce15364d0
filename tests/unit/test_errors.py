"""The error tree: drawn as it is, codes that never change, words that are kept apart."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from mayfly import errors
from mayfly.errors import ErrorCode, ExitCode, MayflyError, RemoteProtocolError, Reply, StreamCode

TREE = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, MayflyError)]
SPECIFICATION = Path(__file__).resolve().parents[2] / "core/PROTOCOL.md"


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = {
        name: len(indent)
        for indent, name in re.findall(r"^    ([ │├└─]*)(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    }
    assert drawn.keys() == {kind.__name__ for kind in TREE}
    for kind in TREE:
        parent = kind.__bases__[0]
        if parent is not MayflyError and kind is not MayflyError:
            assert drawn[kind.__name__] > drawn[parent.__name__], kind


@pytest.mark.parametrize("kind", TREE)
def test_each_has_a_stage_and_an_exit_code(kind: type[MayflyError]) -> None:
    assert kind.stage
    assert kind.exit_code in ExitCode
    assert kind.exit_code is not ExitCode.OK
    assert kind.__doc__


def test_message_hint_and_stage() -> None:
    error = errors.ConnectError("they never met", hint="try again", stage="answer")
    assert (str(error), error.message, error.hint, error.stage) == (
        "they never met",
        "they never met",
        "try again",
        "answer",
    )
    assert errors.ConnectError("x").stage == "connect"
    assert RemoteProtocolError(ErrorCode.MESSAGE_TOO_BIG, "x").code is ErrorCode.MESSAGE_TOO_BIG
    assert errors.StreamResetError(77).code == 77
    assert errors.UpstreamError(Reply.NOT_ALLOWED, "x").reply is Reply.NOT_ALLOWED


@pytest.mark.parametrize("codes", [ErrorCode, StreamCode])
def test_the_specification_lists_every_code_with_its_number(codes: type[ErrorCode] | type[StreamCode]) -> None:
    section = {ErrorCode: "## Error codes", StreamCode: "## Stream codes"}[codes]
    text = SPECIFICATION.read_text(encoding="utf-8").partition(section)[2].partition("\n## ")[0]
    listed = {
        name: int(number, 16)
        for number, name in re.findall(r"^\| (0x[0-9a-f]+) \| `?([A-Z_]+)`? \|", text, re.MULTILINE)
    }
    assert listed == {code.name: int(code) for code in codes}
