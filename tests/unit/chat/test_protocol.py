"""The chat's vectors in the specification are what the code writes and reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mayfly.chat.records import (
    Half,
    Hello,
    Joins,
    Leaves,
    Message,
    Receipt,
    Record,
    RecordReader,
    Roster,
    Taken,
    participant_id,
)

PROTOCOL = Path(__file__).resolve().parents[3] / "core" / "PROTOCOL.md"
FIRST_OF_BACK = 0x10


def _section() -> str:
    found = re.search(
        r"^### Chat vectors\n(.*?)(?=^##)", PROTOCOL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found, "the protocol has no chat vectors"
    return found[1]


def _rows() -> list[tuple[str, str]]:
    return re.findall(r"^\| `([0-9a-f]+)` \| (.+?) \|$", _section(), re.MULTILINE)


def _key() -> bytes:
    found = re.search(r"The key is `([0-9a-f]{32})`", _section())
    assert found
    return bytes.fromhex(found[1])


def words(record: Record) -> str:
    """A record as the page writes it, without the ids."""
    match record:
        case Hello(key, name, forwards):
            assert key == _key()
            return f"HELLO flags={forwards:d} name={name}"
        case Roster(you, names):
            return f"ROSTER you={you} names={','.join(names)}"
        case Joins(name):
            return f"JOINED {name}"
        case Leaves(name):
            return f"LEFT {name}"
        case Message(origin, number, time, sender, to, text):
            assert origin == _key()
            return f"MESSAGE number={number} time={time} from={sender} to={to} text={text}"
        case Taken(origin, number, fates):
            assert origin == _key()
            return " ".join([f"TAKEN number={number}", *(f"{name}={fate.name}" for name, fate in fates)])
        case Receipt(origin, number, name, fate):
            assert origin == _key()
            return f"RECEIPT number={number} {name}={fate.name}"


@pytest.mark.parametrize(("data", "meaning"), _rows())
def test_each_vector_is_read_and_written(data: str, meaning: str) -> None:
    reader = RecordReader(Half.BACK if int(data[:2], 16) >= FIRST_OF_BACK else Half.SAY)
    reader.feed(bytes.fromhex(data))
    record = reader.read()
    assert record is not None
    assert words(record) == meaning
    assert record.encode().hex() == data
    assert reader.read() is None


def test_there_is_a_vector_for_each_kind_of_record() -> None:
    kinds = [meaning.split()[0] for _, meaning in _rows()]
    assert kinds == ["HELLO", "ROSTER", "JOINED", "LEFT", "MESSAGE", "TAKEN", "RECEIPT"]


def test_the_id_is_the_page_s() -> None:
    assert f"its participant id is `{participant_id(_key()).hex()}`" in _section()
