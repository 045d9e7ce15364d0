"""From an exception to one error event and an exit code. No traceback for anything that a user or a peer can cause."""

from __future__ import annotations

import asyncio
import sys
import traceback
from pathlib import Path
from typing import cast

from mayfly.errors import CodeError, ExitCode, MayflyError
from mayfly.runtime.events import Failed, Reporter


def handle(error: BaseException, reporter: Reporter, *, verbose: bool) -> int:
    """Report why a command ends, and return its exit code."""
    cause = _cause(error)
    if isinstance(cause, KeyboardInterrupt | asyncio.CancelledError):
        return ExitCode.INTERRUPTED
    if isinstance(cause, EOFError):
        cause = CodeError("The input ended before a code came.", hint="Paste the code, or give it as an argument.")
    if isinstance(cause, MayflyError):
        reporter.report(Failed.of(cause))
        return cause.exit_code
    if verbose:
        traceback.print_exception(error, file=sys.stderr)
    reporter.report(
        Failed(
            "internal",
            f"{type(cause).__name__} at {_place(cause)}: this is a bug in Mayfly.",
            "Please report it with this line. --verbose shows the traceback, which may hold addresses.",
        )
    )
    return ExitCode.INTERNAL


def _cause(error: BaseException) -> BaseException:
    """The one that says most: in a group, an error with words for people, else the first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    group = cast("BaseExceptionGroup[BaseException]", error)
    causes = [_cause(inner) for inner in group.exceptions]
    return next((cause for cause in causes if isinstance(cause, MayflyError)), causes[0])


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    path = Path(frames[-1].filename)
    return f"{path.parent.name}/{path.name}:{frames[-1].lineno}"
