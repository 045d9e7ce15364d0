"""Engines by the name that `--engine` takes.

Engines are imported when they are used: aiortc takes a third of a second, which `mayfly --help` need not spend.
"""

from __future__ import annotations

from importlib.util import find_spec

from mayfly.errors import UsageError
from mayfly.extras import how_to_install
from mayfly.signaling.description import Description
from mayfly.transport.base import Engine, LinkSettings, PendingAnswer, PendingOffer
from mayfly.transport.wrtc.lacks import lacking

AUTO = "auto"
"""The engine that is taken where nobody asks for another one."""

ENGINES = (AUTO, "aiortc", "aiortc-stock", "wrtc")


def make_engine(name: str) -> Engine:
    """The engine of that name. `auto` chooses for each link. Raises UsageError."""
    match name:
        case "auto":
            return AutoEngine()
        case "aiortc":
            return _aiortc()
        case "aiortc-stock":
            return _aiortc(stock=True)
        case "wrtc" if native_installed():
            return _wrtc()
        case "wrtc":
            raise UsageError("The engine wrtc is not installed.", hint=how_to_install("native"))
        case _:
            raise UsageError("There is no such engine.", hint=f"Choose one of: {', '.join(ENGINES)}")


def native_installed() -> bool:
    """Whether the extra `native` is there."""
    return find_spec("webrtc") is not None


def missed_by_native(name: str, settings: LinkSettings) -> str | None:
    """The option for whose sake `auto` takes aiortc although wrtc is installed; None where it does not."""
    if name != AUTO or not native_installed():
        return None
    return lacking(settings)


class AutoEngine:
    """wrtc where it is installed and has what the settings ask for, else aiortc. Fulfils `base.Engine`."""

    name = AUTO

    async def offer(self, settings: LinkSettings) -> PendingOffer:
        """As the engine that it chooses."""
        return await _best(settings).offer(settings)

    async def answer(self, settings: LinkSettings, offer: Description) -> PendingAnswer:
        """As the engine that it chooses."""
        return await _best(settings).answer(settings, offer)


def _best(settings: LinkSettings) -> Engine:
    return _wrtc() if native_installed() and missed_by_native(AUTO, settings) is None else _aiortc()


def _aiortc(*, stock: bool = False) -> Engine:
    from mayfly.transport.aiortc.engine import AiortcEngine  # noqa: PLC0415

    return AiortcEngine(stock=stock)


def _wrtc() -> Engine:
    from mayfly.transport.wrtc.engine import WrtcEngine  # noqa: PLC0415

    return WrtcEngine()
