"""Processor time of a process, finer than psutil has it."""

from __future__ import annotations

import os
import time

from bench.crowd import ran


def test_time_goes_on_while_something_is_done_and_stands_while_nothing_is() -> None:
    before, cpu = ran(os.getpid()), time.process_time()
    while time.process_time() - cpu < 0.05:
        pass
    assert 0.04 < ran(os.getpid()) - before < 5
