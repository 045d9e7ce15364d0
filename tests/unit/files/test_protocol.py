"""The specification's section on files says what the code does: types, reasons, states and examples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mayfly.files import records as r
from mayfly.files.reader import RecordReader
from mayfly.files.states import RECEIVER, SENDER, Receiving, Sending, Step
from mayfly.files.transfer import end_step

CORE = Path(__file__).resolve().parents[3] / "core"


def _section() -> str:
    """The section, wherever it stands."""
    for name in ("PROTOCOL-files.md", "PROTOCOL.md"):
        path = CORE / name
        found = path.is_file() and re.search(
            r"^## Files\n(.*?)(?=^## |\Z)", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
        if found:
            return found[1]
    raise AssertionError("the protocol has no section on files")


def _rows(heading: str) -> list[list[str]]:
    """The rows of the table whose first head is `heading`."""
    found = re.search(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n?)+)", _section(), re.MULTILINE)
    assert found, f"there is no table of {heading}"
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in found[1].splitlines()]


EXAMPLES = [(cells[0], cells[1]) for cells in _rows("record")]


def test_types_and_reasons_are_the_enumerations() -> None:
    assert {row[1]: int(row[0], 16) for row in _rows("type")} == {kind.name: kind.value for kind in r.RecordType}
    assert {row[1]: int(row[0]) for row in _rows("reason")} == {reason.name: reason.value for reason in r.Reason}
    for row in _rows("reason"):
        assert (row[3] == "CANCELLED") == (end_step(r.Reason(int(row[0]))) is Step.GIVE_UP), row


def test_the_sender_s_table_is_the_code_s() -> None:
    section = _section()
    sender = section[section.index("### The sender's states") : section.index("### The receiver's states")]
    columns = [Step.ACCEPT, Step.DECLINE, Step.ANSWER, Step.PROGRESS, Step.COMPLETED, None, Step.OUR_CANCEL]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in sender.splitlines() if line[:2] == "| "]
    for name, *cells in rows[1:]:
        steps = SENDER[Sending[name]]
        for column, cell in zip(columns, cells, strict=True):
            found = steps.get(column) if column else steps.get(Step.LISTED, steps.get(Step.SENT))
            assert cell == (found.name if found else "-"), (name, column)
    assert len(rows) == 6


def test_the_receiver_s_table_is_the_code_s() -> None:
    section = _section()
    receiver = section[section.index("### The receiver's states") : section.index("### Examples")]
    columns = [Step.OFFER, Step.ENTRY, Step.END_OF_ENTRIES, Step.DATA, Step.FINISHED]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in receiver.splitlines() if line[:2] == "| "]
    for name, *cells in rows[1:]:
        steps = RECEIVER[Receiving[name]]
        for column, cell in zip(columns, cells[:5], strict=True):
            found = steps.get(column)
            assert cell == (found.name if found else "-"), (name, column)
    assert len(rows) == 7


@pytest.mark.parametrize(("encoded", "meaning"), EXAMPLES)
def test_the_examples_are_the_codec_s(encoded: str, meaning: str) -> None:
    (record,) = RecordReader().feed(bytes.fromhex(encoded))
    if isinstance(record, r.Chunk):
        record = r.Chunk(bytes(record.data))
    assert record.encode().hex() == encoded
    assert sorted(_spelled(record).split()) == sorted(meaning.split())


def test_there_is_an_example_of_each_record() -> None:
    assert {meaning.split()[0] for _, meaning in EXAMPLES} == {kind.name for kind in r.RecordType}


def _spelled(record: r.Record) -> str:
    """A record as the table writes it."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(record).__name__).upper()
    words = {"transfer": "transfer", "mtime_ns": "time"}
    spelled: list[str] = []
    for field in getattr(type(record), "__dataclass_fields__", {}):
        value = getattr(record, field)
        if field == "digest" and not value:
            continue
        if value is None:
            value = "unknown"
        elif isinstance(value, bytes):
            value = value.hex()
        elif isinstance(value, tuple):
            value = "/".join(value)
        elif isinstance(value, bool | int):
            value = int(value)
        spelled.append(f"{words.get(field, field)}={value}")
    return " ".join([name, *spelled])
