"""Raw stacks of py-spy as shares of the time."""

from __future__ import annotations

from bench.profiler import Share, shares


def test_time_is_told_apart_by_function_and_with_what_it_calls() -> None:
    stacks = "main (a.py:1);read (b.py:2) 6\nmain (a.py:1) 1\nmain (a.py:1);again (c.py:3);again (c.py:3) 3\n"
    assert shares(stacks) == [
        Share("read (b.py:2)", 0.6, 0.6),
        Share("again (c.py:3)", 0.3, 0.3),
        Share("main (a.py:1)", 0.1, 1.0),
    ]


def test_threads_that_wait_do_not_count() -> None:
    waiting = "Thread._bootstrap (threading.py:1002);wait (threading.py:295) 50\n"
    assert shares(waiting + "main (a.py:1) 1\n") == [Share("main (a.py:1)", 1.0, 1.0)]
    assert shares(waiting) == []
