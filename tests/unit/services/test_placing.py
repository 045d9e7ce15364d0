"""Steps on the file system: whole or not at all, below one folder, links never followed."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

import pytest

from mayfly.services import placing
from unit.services.manifests import open_files


@pytest.fixture(params=["the system call", "the way without it"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "the way without it":
        monkeypatch.setattr(placing, "_renameat2", None)
        monkeypatch.setattr(placing, "_syncfs", None)


def test_a_folder_is_made_on_the_way(tmp_path: Path, root: int) -> None:
    with placing.folder(root, ["a", "b"], create=True) as inside:
        assert os.fstat(inside).st_ino == (tmp_path / "a" / "b").stat().st_ino


def test_a_link_on_the_way_is_not_followed(tmp_path: Path, root: int) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "in").symlink_to("outside")
    with pytest.raises(OSError) as refused, placing.folder(root, ["in", "new"], create=True):
        pass
    assert refused.value.errno in (errno.ELOOP, errno.ENOTDIR)
    assert not list((tmp_path / "outside").iterdir())


def test_no_descriptor_is_left_open(root: int) -> None:
    before = open_files()
    with placing.folder(root, ["a", "b", "c"], create=True):
        pass
    with pytest.raises(FileNotFoundError), placing.folder(root, ["a", "missing"]):
        pass
    assert open_files() == before


@pytest.mark.usefixtures("either_way")
def test_a_file_moves_to_a_free_name(tmp_path: Path, root: int) -> None:
    (tmp_path / "a").write_text("words")
    placing.move_without_replacing((root, "a"), (root, "b"))
    assert placing.names(root) == ["b"]
    assert (tmp_path / "b").read_text() == "words"


@pytest.mark.usefixtures("either_way")
def test_a_folder_moves_to_a_free_name(tmp_path: Path, root: int) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("words")
    placing.move_without_replacing((root, "a"), (root, "b"))
    assert (tmp_path / "b" / "x").read_text() == "words"


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("source", ["file", "folder"])
@pytest.mark.parametrize("there", ["file", "folder", "dangling link"])
def test_nothing_that_stands_there_is_replaced(tmp_path: Path, root: int, source: str, there: str) -> None:
    if source == "file":
        (tmp_path / "a").write_text("new")
    else:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "x").touch()
    if there == "file":
        (tmp_path / "b").write_text("old")
    elif there == "folder":
        (tmp_path / "b").mkdir()
    else:
        (tmp_path / "b").symlink_to("nowhere")
    before = os.lstat(tmp_path / "b").st_ino
    with pytest.raises(FileExistsError):
        placing.move_without_replacing((root, "a"), (root, "b"))
    assert os.lstat(tmp_path / "b").st_ino == before
    assert placing.exists((root, "a"))


def test_replacing_a_link_leaves_what_it_points_to(tmp_path: Path, root: int) -> None:
    (tmp_path / "precious").write_text("old")
    (tmp_path / "b").symlink_to("precious")
    (tmp_path / "a").write_text("new")
    placing.move_replacing((root, "a"), (root, "b"))
    assert (tmp_path / "precious").read_text() == "old"
    assert not (tmp_path / "b").is_symlink()


def test_what_stands_at_a_name(tmp_path: Path, root: int) -> None:
    (tmp_path / "file").write_text("12345")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    assert placing.size((root, "file")) == 5
    assert placing.size((root, "folder")) is None
    assert placing.size((root, "missing")) is None
    assert placing.is_folder((root, "folder"))
    assert not placing.is_folder((root, "link"))
    assert placing.exists((root, "link"))


def test_a_merge_joins_folders_and_replaces_files(tmp_path: Path, root: int) -> None:
    for place, name, words in [
        ("new", "same", "new"),
        ("new", "only", "new"),
        ("old", "same", "old"),
        ("old", "kept", "old"),
    ]:
        folder = tmp_path / place / "sub"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(words)
    placing.merge((root, "new"), (root, "old"))
    assert {path.name: path.read_text() for path in (tmp_path / "old" / "sub").iterdir()} == {
        "same": "new",
        "only": "new",
        "kept": "old",
    }
    assert not (tmp_path / "new").exists()


def test_a_merge_does_not_follow_a_link_out(tmp_path: Path, root: int) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "old").symlink_to("outside")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "x").touch()
    with pytest.raises(OSError):
        placing.merge((root, "new"), (root, "old"))
    assert not list((tmp_path / "outside").iterdir())


def test_removing_a_tree_spares_what_its_links_point_to(tmp_path: Path, root: int) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "x").touch()
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / "sub" / "link").symlink_to(tmp_path / "precious")
    placing.remove((root, "tree"))
    placing.remove((root, "never was"))
    assert placing.names(root) == ["precious"]
    assert (tmp_path / "precious" / "x").exists()


def test_short_writes_are_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda descriptor, data, offset: real(descriptor, data[:3], offset))
    with (tmp_path / "x").open("wb") as file:
        placing.write_all(file.fileno(), b"0123456789", 2)
    assert (tmp_path / "x").read_bytes() == b"\0\x000123456789"


@pytest.mark.usefixtures("either_way")
def test_syncing_works_with_and_without_the_system_call(tmp_path: Path, root: int) -> None:
    (tmp_path / "x").write_text("words")
    placing.sync_many(root, ["x"])
    descriptor = os.open(tmp_path / "x", os.O_RDONLY)
    placing.sync_data(descriptor)
    os.close(descriptor)


def failing(number: int, calls: list[int]) -> object:
    """The C library's function, that fails with this number."""

    def fail(*_: object) -> int:
        calls.append(number)
        ctypes.set_errno(number)
        return -1

    return fail


def test_a_disk_that_cannot_be_synced_is_told(root: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "_syncfs", failing(errno.EIO, []))
    with pytest.raises(OSError) as told:
        placing.sync_many(root, [])
    assert told.value.errno == errno.EIO


@pytest.mark.parametrize(("number", "moved"), [(errno.ENOSYS, True), (errno.EINVAL, True), (errno.EIO, False)])
def test_a_move_that_the_file_system_does_not_know_is_made_in_two_steps(
    tmp_path: Path, root: int, monkeypatch: pytest.MonkeyPatch, number: int, moved: bool
) -> None:
    (tmp_path / "x").write_text("words")
    monkeypatch.setattr(placing, "_renameat2", failing(number, []))
    if moved:
        placing.move_without_replacing((root, "x"), (root, "y"))
    else:
        with pytest.raises(OSError):
            placing.move_without_replacing((root, "x"), (root, "y"))
    assert [(tmp_path / name).exists() for name in "xy"] == [not moved, moved]


def test_a_file_system_without_the_call_is_synced_file_by_file(
    tmp_path: Path, root: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_text("words")
    synced: list[int] = []
    calls: list[int] = []
    monkeypatch.setattr(placing, "_syncfs", failing(errno.ENOSYS, calls))
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    placing.sync_many(root, ["x"])
    assert calls == [errno.ENOSYS]
    assert synced == [(tmp_path / "x").stat().st_ino, tmp_path.stat().st_ino]


def test_a_tree_is_merged_onto_nothing(tmp_path: Path, root: int) -> None:
    (tmp_path / "from" / "deep").mkdir(parents=True)
    (tmp_path / "from" / "deep" / "x").write_text("words")
    placing.merge((root, "from"), (root, "onto"))
    assert (tmp_path / "onto" / "deep" / "x").read_text() == "words"
    assert not (tmp_path / "from").exists()
