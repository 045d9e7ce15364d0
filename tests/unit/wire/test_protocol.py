"""core/PROTOCOL.md held against the code: its test vectors, its tables."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from mayfly.config import KIB, MIB, MuxConfig
from mayfly.errors import RemoteProtocolError
from mayfly.mux.states import RECEIVE, SEND, Receive, ReceiveStep, Send, SendStep
from mayfly.wire import frames as f
from mayfly.wire.header import Answer, Header, Service, take_prefixed

TEXT = (Path(__file__).resolve().parents[3] / "core/PROTOCOL.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    return re.split(r"^#+ ", TEXT.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The rows of the tables in a text, without their heads."""
    lines = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in text.splitlines() if line[:1] == "|"]
    rules = [number for number, line in enumerate(lines) if line[0].startswith("---")]
    return [line for number, line in enumerate(lines) if number not in rules and number + 1 not in rules]


def described(frame: f.Frame) -> str:
    """A frame in the words of the table of vectors."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(frame).__name__.removesuffix("Frame")).upper()
    name = {"GO_AWAY": "GOAWAY"}.get(name, name)
    words = {"stream_id": "id", "final_size": "final", "lowest_version": "lowest"}
    said = [name]
    for field in fields(frame):
        value = getattr(frame, field.name)
        if isinstance(value, bytes):
            value = value.hex() or "-"
        if field.name == "opaque":
            said.append(str(value))
        elif field.name != "fin":
            said.append(f"{words.get(field.name, field.name)}={value}")
        elif value:
            said.append("fin")
    return " ".join(said)


VECTORS = [row for row in rows(section("Test vectors")) if len(row) == 2]
MESSAGES = [row for row in VECTORS if not row[1].startswith(("header", "answer"))]
HEADERS = [row for row in VECTORS if row[1].startswith(("header", "answer"))]


def test_there_are_vectors_of_every_frame() -> None:
    named = {words.split()[0] for _, text in MESSAGES for words in text.split("; ")}
    table = {row[1] for row in rows(section("Frames"))}
    assert named == (table - {"PADDING"}) | {"malformed"}
    assert len(HEADERS) > 5


@pytest.mark.parametrize(("message", "meaning"), MESSAGES)
def test_message_vectors(message: str, meaning: str) -> None:
    data = bytes.fromhex(message.strip("`"))
    if meaning == "malformed":
        with pytest.raises(RemoteProtocolError):
            list(f.decode_message(data))
        return
    decoded = list(f.decode_message(data))
    assert "; ".join(map(described, decoded)) == meaning
    assert [frame for sent in decoded for frame in f.decode_message(sent.encode())] == decoded


@pytest.mark.parametrize(("message", "meaning"), HEADERS)
def test_header_vectors(message: str, meaning: str) -> None:
    data = bytes.fromhex(message.strip("`"))
    taken = take_prefixed(data, 512)
    assert taken is not None
    assert taken[1] == len(data)
    kind, *words = meaning.split()
    if kind == "header":
        header = Header.decode(taken[0])
        assert header.encode() == data
        assert header.service.name.lower() == words[0]
        assert str(header.destination) == (words[1] if len(words) > 1 else "0.0.0.0:0")
    else:
        answer = Answer.decode(taken[0])
        assert answer.encode() == data
        assert (str(int(answer.reply)), str(answer.bound)) == tuple(words)


def test_frame_types() -> None:
    for number, name, layout, of_stream in rows(section("Frames")):
        value = int(number.partition("-")[0], 16)
        assert getattr(f, name) == value, name
        assert (of_stream == "yes") == ("stream id" in layout)


def test_services() -> None:
    listed = {int(row[0]): row[1] for row in rows(section("Services"))}
    assert listed == {int(service): service.name.lower() for service in Service}


@pytest.mark.parametrize(
    ("title", "steps", "states", "table"),
    [
        (
            "The sending half",
            [SendStep.WRITE, SendStep.FINISH, SendStep.FIN_SENT, SendStep.RESET, SendStep.DELIVERED],
            Send,
            SEND,
        ),
        (
            "The receiving half",
            [
                *(ReceiveStep.DATA, ReceiveStep.FIN, ReceiveStep.NO_GAP),
                *(ReceiveStep.READ_ALL, ReceiveStep.RESET, ReceiveStep.STOP),
            ],
            Receive,
            RECEIVE,
        ),
    ],
)
def test_state_tables(
    title: str, steps: list[object], states: type[Send] | type[Receive], table: dict[tuple[object, object], object]
) -> None:
    listed: dict[tuple[object, object], object] = {}
    for state, *after in rows(section(title)):
        for step, cell in zip(steps, after, strict=True):
            if cell != "-":
                listed[states[state], step] = states[cell]
    assert listed == table


def test_limits() -> None:
    config = MuxConfig()
    text = section("Limits")
    for size, unit, words in (
        (config.usual_message, KIB, "sent | {} KiB, "),
        (config.max_message, KIB, "up to {} KiB where"),
        (config.max_receive_message, KIB, "`max_message` | {} KiB"),
        (config.initial_connection_window, MIB, "{} MiB, "),
        (config.max_connection_window, MIB, "MiB, {} MiB"),
        (config.initial_stream_window, KIB, "{} KiB, "),
        (config.max_stream_window, MIB, "KiB, {} MiB"),
        (config.max_streams, 1, "`max_streams` | {:,}"),
        (config.max_datagram, 1, "`max_datagram` | {:,} bytes"),
        (config.max_gaps, 1, "together | {:,}"),
        (config.max_reason, 1, "policy | {} bytes"),
    ):
        assert words.format(size // unit) in text, words
    assert f"{config.ping_after:g} s, {config.dead_after:g} s; {config.hello_timeout:g} s" in text
