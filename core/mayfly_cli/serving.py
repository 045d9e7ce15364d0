"""Runs the broker as a command: signals, logs, exit code."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from mayfly.errors import ExitCode
from mayfly.runtime.shutdown import Shutdown
from mayfly_broker.app import run_broker
from mayfly_broker.web import ACCESS
from mayfly_cli import loop, running, settings

if TYPE_CHECKING:
    from mayfly_broker.options import BrokerOptions
    from mayfly_cli.settings import Values


def serve(options: BrokerOptions, values: Values, teller: running.Teller) -> int:
    """Serve to the end: 0 after a drain, 130 after a second Ctrl-C."""
    choice = settings.loop(values)
    _log(access=options.access_log)
    return loop.run(_serve(options, teller), choice)


async def _serve(options: BrokerOptions, teller: running.Teller) -> int:
    shutdown = Shutdown()
    with running.leaving_when_told(shutdown, teller):
        await run_broker(options, teller, shutdown)
    return ExitCode.INTERRUPTED if shutdown.stop.is_set() else ExitCode.OK


def _log(*, access: bool) -> None:
    """Nothing is logged but requests, where that was asked for: libraries log addresses."""
    logging.getLogger().addHandler(logging.NullHandler())
    if access:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        ACCESS.addHandler(handler)
        ACCESS.setLevel(logging.INFO)
        ACCESS.propagate = False
