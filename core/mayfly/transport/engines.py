"""Engines by the name that `--engine` takes."""

from __future__ import annotations

from mayfly.errors import UsageError
from mayfly.transport.base import Engine

ENGINES = ("auto", "aiortc", "aiortc-stock")


def make_engine(name: str) -> Engine:
    """The engine of that name; `auto` is the best that is installed. Raises UsageError."""
    if name not in ENGINES:
        raise UsageError("there is no such engine", hint=f"choose one of: {', '.join(ENGINES)}")
    # Imported late: aiortc takes a third of a second, which `mayfly --help` need not spend.
    from mayfly.transport.aiortc.engine import AiortcEngine  # noqa: PLC0415

    return AiortcEngine(stock=name == "aiortc-stock")
