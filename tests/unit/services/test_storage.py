"""Parts, journals and final names, on a real disk."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mayfly.files.records import BLOCK, Reason
from mayfly.services import journal, placing
from mayfly.services.sinks import StorageError
from mayfly.services.storage import Plan, Storage
from unit.services.manifests import TIME, file, folder, link, open_files, plan
from unit.services.storages import BIG, ONE, opened, what_stands, write_big

TREE = plan(
    folder(0, "d"),
    file(1, "d/a", 5, executable=True),
    file(2, "d/big", len(BIG)),
    folder(3, "d/empty"),
    link(4, "d/link", "a"),
    link(5, "d/bad", ""),
)


def broken_off(into: Path) -> None:
    """All of ONE is there, and was not published."""
    storage = opened(ONE, into)
    write_big(storage, 0)
    storage.close()


def part_found(into: Path) -> tuple[int, int]:
    """What a receive of ONE would go on from."""
    again = opened(ONE, into)
    again.close()
    return again.part


def receive(storage: Storage) -> None:
    """All of TREE."""
    storage.write_small(1, b"words")
    storage.place_small([1])
    write_big(storage, 2)
    storage.finish(2)
    storage.publish()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """A disk that takes no more: what the system says then differs from ENOSPC in nothing but its number."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_one_file_is_a_part_until_it_is_published(tmp_path: Path) -> None:
    storage = opened(ONE, tmp_path)
    write_big(storage, 0)
    storage.finish(0)
    assert what_stands(tmp_path) == ["big.part", "big.part.json"]
    storage.publish()
    assert what_stands(tmp_path) == ["big"]
    assert (tmp_path / "big").read_bytes() == BIG
    assert (tmp_path / "big").stat().st_mtime_ns == TIME


def test_an_empty_file(tmp_path: Path) -> None:
    storage = opened(plan(file(0, "none", 0)), tmp_path)
    storage.write(0, 0, b"")
    storage.finish(0)
    storage.publish()
    assert (tmp_path / "none").read_bytes() == b""


def test_a_tree_with_everything_in_it(tmp_path: Path) -> None:
    receive(opened(TREE, tmp_path))
    assert what_stands(tmp_path) == ["d", "d/a", "d/big", "d/empty", "d/link"]
    assert (tmp_path / "d" / "big").read_bytes() == BIG
    assert (tmp_path / "d" / "link").readlink() == Path("a")
    assert {path.stat().st_mtime_ns for path in (tmp_path / "d", tmp_path / "d" / "a", tmp_path / "d" / "empty")} == {
        TIME
    }
    assert (tmp_path / "d" / "a").stat().st_mode & stat.S_IXUSR
    assert not (tmp_path / "d" / "big").stat().st_mode & stat.S_IXUSR


def test_nothing_has_its_final_name_before_all_is_whole(tmp_path: Path) -> None:
    storage = opened(TREE, tmp_path)
    storage.write_small(1, b"words")
    storage.place_small([1])
    write_big(storage, 2)
    storage.finish(2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.part", "d.part.json"]
    storage.close()


def test_many_tops(tmp_path: Path) -> None:
    storage = opened(plan(file(0, "a", 1), file(1, "b", 1)), tmp_path)
    for index in (0, 1):
        storage.write_small(index, b"x")
    storage.place_small([0, 1])
    storage.publish()
    assert what_stands(tmp_path) == ["a", "b"]


def test_a_killed_receive_goes_on_from_its_last_block(tmp_path: Path) -> None:
    storage = opened(ONE, tmp_path)
    write_big(storage, 0, end=2 * BLOCK)
    placing.write_all(storage._now, b"unverified", 2 * BLOCK)
    storage.close()
    again = opened(ONE, tmp_path)
    assert again.part == (0, 2 * BLOCK)
    seen: list[bytes] = []
    again.hash_part(seen.append)
    assert b"".join(seen) == BIG[: 2 * BLOCK]
    write_big(again, 0, start=2 * BLOCK)
    again.finish(0)
    again.publish()
    assert (tmp_path / "big").read_bytes() == BIG


def test_a_whole_part_that_was_not_published(tmp_path: Path) -> None:
    broken_off(tmp_path)
    assert part_found(tmp_path) == (0, len(BIG))


def test_after_a_power_cut_only_synced_blocks_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = opened(ONE, tmp_path)
    write_big(storage, 0, end=BLOCK)
    storage.write(0, BLOCK, BIG[BLOCK : 2 * BLOCK])
    storage.close()
    monkeypatch.setattr(journal, "boot_id", lambda: "another run")
    assert part_found(tmp_path) == (0, BLOCK)


def test_a_part_that_was_cut_is_trusted_no_further_than_it_reaches(tmp_path: Path) -> None:
    broken_off(tmp_path)
    os.truncate(tmp_path / "big.part", BLOCK + 5)
    assert part_found(tmp_path) == (0, BLOCK)


def test_a_file_sent_from_its_start_again_forgets_the_part(tmp_path: Path) -> None:
    broken_off(tmp_path)
    again = opened(ONE, tmp_path)
    again.hash_part(lambda data: None)
    again.write(0, 0, BIG[:BLOCK])
    again.close()
    assert (tmp_path / "big.part").read_bytes() == BIG[:BLOCK]


def test_a_killed_tree_keeps_its_whole_files(tmp_path: Path) -> None:
    storage = opened(TREE, tmp_path)
    storage.write_small(1, b"words")
    storage.place_small([1])
    write_big(storage, 2, end=BLOCK)
    storage.close()
    again = opened(TREE, tmp_path)
    assert again.whole == {1}
    assert again.part == (2, BLOCK)
    again.hash_part(lambda data: None)
    write_big(again, 2, start=BLOCK)
    again.finish(2)
    again.publish()
    assert (tmp_path / "d" / "big").read_bytes() == BIG
    assert (tmp_path / "d" / "a").read_bytes() == b"words"


def test_small_files_that_were_not_placed_are_swept(tmp_path: Path) -> None:
    storage = opened(TREE, tmp_path)
    storage.write_small(1, b"words")
    storage.close()
    again = opened(TREE, tmp_path)
    assert again.whole == frozenset()
    assert sorted(path.name for path in (tmp_path / "d.part").iterdir()) == ["tree"]
    again.close()


@pytest.mark.parametrize("what", [ONE, TREE], ids=["file", "tree"])
def test_what_exists_is_refused_and_no_trace_left(tmp_path: Path, what: Plan) -> None:
    (tmp_path / what.name).write_text("precious")
    with pytest.raises(StorageError) as refused:
        opened(what, tmp_path)
    assert refused.value.reason is Reason.EXISTS
    assert what_stands(tmp_path) == [what.name]


def test_what_comes_to_exist_meanwhile_stays_and_the_part_too(tmp_path: Path) -> None:
    storage = opened(ONE, tmp_path)
    write_big(storage, 0)
    storage.finish(0)
    (tmp_path / "big").write_text("precious")
    with pytest.raises(StorageError) as refused:
        storage.publish()
    storage.close()
    assert refused.value.reason is Reason.EXISTS
    assert (tmp_path / "big").read_text() == "precious"
    with pytest.raises(StorageError):
        opened(ONE, tmp_path)
    (tmp_path / "big").unlink()
    again = opened(ONE, tmp_path)
    assert again.whole == {0}
    again.publish()
    assert (tmp_path / "big").read_bytes() == BIG


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_somebody_deleted_meanwhile_is_not_called_received(tmp_path: Path, overwrite: bool) -> None:
    if overwrite:
        (tmp_path / "big").write_text("an older one")
    storage = opened(ONE, tmp_path, overwrite=overwrite)
    write_big(storage, 0)
    storage.finish(0)
    (tmp_path / "big.part").unlink()
    with pytest.raises(StorageError, match="deleted what was received") as caught:
        storage.publish()
    assert caught.value.reason is Reason.DISK_FAILED
    storage.close()
    again = opened(ONE, tmp_path, overwrite=overwrite)
    assert again.part == (-1, 0)  # and it is received from its start
    again.close()


def test_nor_is_a_tree_of_which_somebody_deleted_a_file(tmp_path: Path) -> None:
    storage = opened(TREE, tmp_path)
    storage.write_small(1, b"words")
    storage.place_small([1])
    write_big(storage, 2)
    storage.finish(2)
    (tmp_path / "d.part" / "tree" / "d" / "a").unlink()
    with pytest.raises(StorageError, match="deleted what was received"):
        storage.publish()
    storage.close()
    again = opened(TREE, tmp_path)
    assert again.whole == {2}
    again.write_small(1, b"words")
    again.place_small([1])
    again.publish()
    assert (tmp_path / "d" / "a").read_text() == "words"


def test_overwriting_replaces_files_and_joins_folders(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a").write_text("old")
    (tmp_path / "d" / "kept").write_text("old")
    receive(opened(TREE, tmp_path, overwrite=True))
    assert (tmp_path / "d" / "a").read_text() == "words"
    assert (tmp_path / "d" / "kept").read_text() == "old"
    assert not list(tmp_path.glob("*.part*"))


def test_overwriting_never_writes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "d").symlink_to(tmp_path / "outside")
    with pytest.raises(StorageError):
        receive(opened(TREE, tmp_path / "in", overwrite=True))
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.parametrize("name", ["big.part", "big.part.json"])
def test_a_link_where_the_part_belongs_is_not_written_through(tmp_path: Path, name: str) -> None:
    (tmp_path / "precious").write_text("words")
    (tmp_path / name).symlink_to("precious")
    with pytest.raises(StorageError):
        opened(ONE, tmp_path)
    assert (tmp_path / "precious").read_text() == "words"
    assert (tmp_path / name).is_symlink()


def test_a_part_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "big.part").write_text("precious")
    with pytest.raises(StorageError) as refused:
        opened(ONE, tmp_path)
    assert refused.value.reason is Reason.EXISTS
    assert what_stands(tmp_path) == ["big.part"]


def test_the_part_of_a_changed_source_is_thrown_away(tmp_path: Path) -> None:
    storage = opened(ONE, tmp_path)
    write_big(storage, 0)
    storage.close()
    again = opened(plan(file(0, "big", len(BIG)), transfer=b"U" * 16), tmp_path)
    assert again.part == (-1, 0)
    assert not (tmp_path / "big.part").exists()
    again.close()


def test_a_torn_journal_means_from_the_start(tmp_path: Path) -> None:
    storage = opened(ONE, tmp_path)
    write_big(storage, 0)
    storage.close()
    (tmp_path / "big.part.json").write_text("{")
    again = opened(ONE, tmp_path)
    assert again.part == (-1, 0)
    again.close()


def test_one_receive_at_a_time(tmp_path: Path) -> None:
    storage = opened(ONE, tmp_path)
    with pytest.raises(StorageError) as refused:
        opened(ONE, tmp_path)
    assert refused.value.reason is Reason.BUSY
    storage.close()
    assert what_stands(tmp_path) == ["big.part.json"]


def test_more_than_the_disk_holds_is_refused_before(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as refused:
        opened(plan(file(0, "huge", 1 << 60)), tmp_path)
    assert refused.value.reason is Reason.DISK_FULL
    assert what_stands(tmp_path) == []


def test_a_disk_that_fills_up_leaves_a_part_to_go_on_from(tmp_path: Path) -> None:
    storage = opened(ONE, tmp_path)
    with largest_file(BLOCK + 1000), pytest.raises(StorageError) as full:
        write_big(storage, 0)
    storage.close()
    assert full.value.reason is Reason.DISK_FULL
    assert part_found(tmp_path) == (0, BLOCK)


def test_giving_up_leaves_nothing(tmp_path: Path) -> None:
    for what, index in ((ONE, 0), (TREE, 2)):
        storage = opened(what, tmp_path)
        storage.write(index, 0, BIG[:BLOCK])
        storage.discard()
    assert what_stands(tmp_path) == []


def test_a_name_of_255_bytes_has_a_part_beside_it(tmp_path: Path) -> None:
    name = "é" * 127 + "x"
    storage = opened(plan(file(0, name, 1)), tmp_path)
    storage.write(0, 0, b"x")
    storage.finish(0)
    storage.publish()
    assert what_stands(tmp_path) == [name]


def test_messages_show_foreign_names_escaped(tmp_path: Path) -> None:
    (tmp_path / "\x1b[31mred").touch()
    with pytest.raises(StorageError) as refused:
        opened(plan(file(0, "\x1b[31mred", 1)), tmp_path)
    assert "\x1b" not in refused.value.message
    assert "red" in refused.value.message


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError) as refused:
        opened(ONE, tmp_path / "file" / "below")
    assert refused.value.reason is Reason.DISK_FAILED


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = open_files()
    receive(opened(TREE, tmp_path))
    with pytest.raises(StorageError):
        opened(TREE, tmp_path)
    assert open_files() == before
