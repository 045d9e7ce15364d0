"""A receive that was stopped between two steps on the disk goes on where it was, and trusts no more than is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mayfly.files.records import BLOCK
from mayfly.services import placing
from mayfly.services.storage import Storage
from unit.services.manifests import file, plan
from unit.services.storages import BIG, ONE, opened, what_stands, write_big


@pytest.mark.parametrize("steps", range(4))
def test_a_publish_that_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    class Stopped(BaseException):
        pass

    what = plan(file(0, "a", 1), file(1, "b", 1), file(2, "c", 1))
    storage = opened(what, tmp_path)
    for index in range(3):
        storage.write_small(index, b"x")
    storage.place_small([0, 1, 2])
    left = steps
    real = placing.move_without_replacing

    def move(source: tuple[int, str], target: tuple[int, str]) -> None:
        nonlocal left
        if not left:
            raise Stopped
        left -= 1
        real(source, target)

    monkeypatch.setattr(placing, "move_without_replacing", move)
    monkeypatch.setattr(Storage, "discard", lambda self: (_ for _ in ()).throw(Stopped()))
    with pytest.raises(Stopped):
        storage.publish()
    storage.close()
    monkeypatch.undo()
    again = opened(what, tmp_path)
    assert again.whole == {0, 1, 2}
    again.publish()
    assert what_stands(tmp_path) == ["a", "b", "c"]


def publish_alone(into: Path) -> None:
    """ONE has its final name, and the process was stopped before it cleared up."""
    storage = opened(ONE, into)
    write_big(storage, 0)
    storage.finish(0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Storage, "discard", Storage.close)
        storage.publish()


def test_what_was_published_and_moved_away_is_received_anew(tmp_path: Path) -> None:
    publish_alone(tmp_path)
    (tmp_path / "big").unlink()
    again = opened(ONE, tmp_path)
    assert again.whole == frozenset()
    assert again.part == (-1, 0)
    again.close()


def test_one_file_that_was_published_and_not_cleared_up_stays(tmp_path: Path) -> None:
    publish_alone(tmp_path)
    again = opened(ONE, tmp_path)
    assert again.whole == {0}
    again.publish()
    assert what_stands(tmp_path) == ["big"]
    assert (tmp_path / "big").read_bytes() == BIG


def test_the_journal_speaks_of_the_file_that_is_under_way_alone(tmp_path: Path) -> None:
    two = plan(file(0, "a", 2 * BLOCK), file(1, "b", 2 * BLOCK))
    storage = opened(two, tmp_path)
    storage.write(0, 0, bytes(BLOCK))
    storage.write(1, 0, b"x" * BLOCK)
    storage.sync(0, BLOCK)
    storage.close()
    again = opened(two, tmp_path)
    assert again.part == (1, BLOCK)
    again.close()
