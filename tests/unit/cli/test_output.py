"""Output to a reader who may be gone."""

from __future__ import annotations

import os

from mayfly_cli.output import Output


def test_a_closed_pipe_ends_the_output_and_is_told_once() -> None:
    read, write = os.pipe()
    os.close(read)
    stream = os.fdopen(write, "w")
    told: list[bool] = []
    output = Output(stream)
    output.on_gone(lambda: told.append(True))
    written: list[int] = []

    def say() -> None:
        written.append(stream.write("x" * 100_000))

    output.write(say)
    output.write(say)
    assert output.gone
    assert told == [True]
    assert len(written) <= 1
    stream.close()  # what was left in the buffer goes nowhere, instead of raising


def test_who_asks_late_is_told_at_once() -> None:
    read, write = os.pipe()
    os.close(read)
    stream = os.fdopen(write, "w")
    output = Output(stream)
    output.write(lambda: stream.write("x"))
    told: list[bool] = []
    output.on_gone(lambda: told.append(True))
    assert told == [True]
    stream.close()


def test_a_closed_file_object_counts_as_gone() -> None:
    read, write = os.pipe()
    stream = os.fdopen(write, "w")
    stream.close()
    os.close(read)
    output = Output(stream)
    output.write(lambda: stream.write("x"))
    assert output.gone


def test_each_write_is_flushed() -> None:
    read, write = os.pipe()
    with os.fdopen(write, "w") as stream:
        Output(stream).write(lambda: stream.write("line\n"))
        assert os.read(read, 100) == b"line\n"
    os.close(read)
