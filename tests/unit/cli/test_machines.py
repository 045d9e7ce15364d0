"""JSON lines."""

from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from mayfly.runtime.events import Closed, Draining
from mayfly_cli.machines import Machines, line


def test_one_event_is_one_line() -> None:
    stream = io.StringIO()
    machines = Machines(stream)
    machines.report(Draining(3, 30.0))
    machines.report(Closed(1, "bye\n"))
    assert stream.getvalue() == (
        '{"event":"draining","streams":3,"seconds":30.0}\n{"event":"closed","peer":1,"reason":"bye\\n"}\n'
    )


@given(st.text(st.characters()))
def test_foreign_text_stays_inside_one_line_of_printable_ascii(reason: str) -> None:
    text = line(Closed(1, reason))
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["reason"] == reason


def test_surrogates_and_del_too() -> None:
    assert line(Closed(1, "\udc80\x7f\x9b")) == '{"event":"closed","peer":1,"reason":"\\udc80\\u007f\\u009b"}'


def test_a_reader_who_has_gone_does_not_end_the_program() -> None:
    stream = io.StringIO()
    machines = Machines(stream)
    stream.close()
    machines.report(Draining(0, 0.0))
    assert machines.output.gone
