"""Runs the broker as a command: signals, logs, exit code."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING

from mayfly.errors import ExitCode, MayflyError
from mayfly.runtime.shutdown import Shutdown
from mayfly_broker.app import run_broker
from mayfly_broker.web import ACCESS
from mayfly_cli import loop
from mayfly_cli.settings import LOOPS, Values, one_of

if TYPE_CHECKING:
    from mayfly_broker.options import BrokerOptions
    from mayfly_cli.running import Teller


def serve(options: BrokerOptions, values: Values, teller: Teller) -> int:
    """Serve to the end: 0 after a drain, 130 after a second Ctrl-C."""
    _log(access=options.access_log)
    return loop.run(_serve(options, teller), values.one("loop", one_of(*LOOPS), "auto"))


async def _serve(options: BrokerOptions, teller: Teller) -> int:
    shutdown = Shutdown()
    shutdown.install(asyncio.get_running_loop())
    teller.output.on_gone(shutdown.request_drain)
    try:
        await run_broker(options, teller, shutdown)
    except MayflyError:
        if not shutdown.stop.is_set():
            raise
    finally:
        shutdown.finish()
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
