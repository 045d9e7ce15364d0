"""From an exception to an event and an exit code."""

from __future__ import annotations

import asyncio

import pytest

from mayfly import errors
from mayfly.errors import ErrorCode, ExitCode, MayflyError
from mayfly.runtime.events import Event, Failed
from mayfly_cli.failures import handle


class Noted:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def report(self, event: Event) -> None:
        self.events.append(event)


@pytest.mark.parametrize(
    ("error", "code", "stage"),
    [
        (errors.UsageError("m", hint="h"), ExitCode.USAGE, "options"),
        (errors.MistypedCodeError("m", hint="h"), ExitCode.BAD_CODE, "code"),
        (errors.ExpiredCodeError("m", hint="h"), ExitCode.BAD_CODE, "code"),
        (errors.GatheringError("m", hint="h"), ExitCode.NO_CONNECTION, "gather"),
        (errors.ConnectError("m", hint="h"), ExitCode.NO_CONNECTION, "connect"),
        (errors.LinkLostError("m", hint="h"), ExitCode.LINK_LOST, "link"),
        (errors.ListenError("m", hint="h"), ExitCode.CANNOT_LISTEN, "listen"),
    ],
)
def test_an_error_for_people_keeps_its_words(error: MayflyError, code: ExitCode, stage: str) -> None:
    noted = Noted()
    assert handle(error, noted, verbose=False) == code
    assert noted.events == [Failed(stage, "M.", "H.")]


def test_a_protocol_error_is_a_lost_link() -> None:
    error = errors.RemoteProtocolError(ErrorCode.FLOW_CONTROL_ERROR, "too much")
    assert handle(error, Noted(), verbose=False) == ExitCode.LINK_LOST


def test_the_error_for_people_is_found_in_nested_groups() -> None:
    noted = Noted()
    inner = ExceptionGroup("", [ValueError("x"), errors.ListenError("taken")])
    assert handle(ExceptionGroup("", [KeyError("y"), inner]), noted, verbose=False) == ExitCode.CANNOT_LISTEN
    assert noted.events == [Failed("listen", "Taken.")]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), asyncio.CancelledError()])
def test_an_interruption_is_no_failure(error: BaseException) -> None:
    noted = Noted()
    assert handle(error, noted, verbose=False) == ExitCode.INTERRUPTED
    assert noted.events == []


def test_an_ended_input_is_said_to_have_ended() -> None:
    noted = Noted()
    assert handle(EOFError(), noted, verbose=False) == ExitCode.BAD_CODE
    (event,) = noted.events
    assert isinstance(event, Failed)
    assert event.stage == "code"


def unexpected() -> Exception:
    try:
        raise ValueError("secret 203.0.113.7")
    except ValueError as error:
        return error


def test_a_bug_is_told_with_its_place_and_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    noted = Noted()
    assert handle(ExceptionGroup("", [unexpected()]), noted, verbose=False) == ExitCode.INTERNAL
    (event,) = noted.events
    assert isinstance(event, Failed)
    assert event.stage == "internal"
    assert "ValueError at cli/test_failures.py:" in event.message
    assert "203.0.113.7" not in event.message + event.hint
    assert capsys.readouterr() == ("", "")


def test_its_traceback_is_shown_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    handle(unexpected(), Noted(), verbose=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" in err
    assert "secret" in err


def test_an_exception_without_a_place() -> None:
    noted = Noted()
    assert handle(RuntimeError(), noted, verbose=False) == ExitCode.INTERNAL
