"""What is listed, what is left out by name, and that a change under way is noticed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from mayfly.config import FilesConfig
from mayfly.errors import UsageError
from mayfly.files.records import EntryType, Kind, Reason
from mayfly.services.hashing import RunningHash
from mayfly.services.source import SourceError, SourceReader, piped, scan, text
from unit.services.manifests import digest, open_files


def tree(root: Path) -> Path:
    folder = root / "d"
    (folder / "sub" / "empty").mkdir(parents=True)
    (folder / "b").write_text("words")
    (folder / "b").chmod(0o755)
    (folder / "sub" / "a").write_text("more")
    (folder / "link").symlink_to("b")
    os.mkfifo(folder / "pipe")
    return folder


def test_a_folder_is_listed_before_what_is_in_it_and_in_order(tmp_path: Path) -> None:
    source = scan([tree(tmp_path)])
    assert ["/".join(entry.path) for entry in source.entries] == ["d", "d/b", "d/sub", "d/sub/a", "d/sub/empty"]
    assert [entry.index for entry in source.entries] == list(range(5))
    assert [entry.executable for entry in source.entries] == [False, True, False, False, False]
    assert source.kind is Kind.DIRECTORY
    assert source.name == "d"
    assert source.total == 9
    assert source.offer.entries == 5


def test_links_and_pipes_are_left_out_by_name(tmp_path: Path) -> None:
    assert list(scan([tree(tmp_path)]).left_out) == ["d/link", "d/pipe"]


def test_links_are_sent_as_links_if_asked(tmp_path: Path) -> None:
    source = scan([tree(tmp_path)], links=True)
    (link,) = [entry for entry in source.entries if entry.type is EntryType.SYMLINK]
    assert (link.path, link.target, link.size) == (("d", "link"), "b", 0)
    assert list(source.left_out) == ["d/pipe"]


def test_a_link_that_is_named_itself_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("words")
    (tmp_path / "name").symlink_to("real")
    (entry,) = scan([tmp_path / "name"]).entries
    assert (entry.path, entry.type, entry.size) == (("name",), EntryType.FILE, 5)


def test_many_paths(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(name)
    source = scan([tmp_path / name for name in "abc"])
    assert source.kind is Kind.FILES
    assert source.name == "a and 2 more"
    (tmp_path / "d").mkdir()
    assert scan([tmp_path / name for name in "ad"]).kind is Kind.MIXED
    assert scan([tmp_path / "a"]).kind is Kind.FILES


def test_the_working_folder_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree(tmp_path)
    monkeypatch.chdir(folder)
    assert scan([Path()]).name == "d"
    assert scan([Path("sub/..")]).name == "d"


def test_the_same_send_again_has_the_same_id_and_a_changed_one_another(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    first = scan([folder]).transfer
    assert scan([folder]).transfer == first
    os.utime(folder / "b", ns=(1, 1))
    assert scan([folder]).transfer != first


@pytest.mark.parametrize("wrong", ["missing", "unreadable", "two of a name", "not unicode", "many", "deep", "nothing"])
def test_what_cannot_be_sent_is_said(tmp_path: Path, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    paths, config, shown = [tmp_path / "x"], FilesConfig(), "x"
    if wrong == "unreadable":
        (tmp_path / "x").touch()
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    elif wrong == "two of a name":
        for name in "ab":
            (tmp_path / name).mkdir()
            (tmp_path / name / "x").touch()
        paths = [tmp_path / "a" / "x", tmp_path / "b" / "x"]
    elif wrong == "not unicode":
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/x\xff")).touch()
        paths, shown = [Path(os.fsdecode(os.fsencode(tmp_path) + b"/x\xff"))], "x\\udcff"
    elif wrong == "many":
        paths, config, shown = [tree(tmp_path)], FilesConfig(max_entries=3), "3"
    elif wrong == "deep":
        (tmp_path / "x" / "x" / "x").mkdir(parents=True)
        config = FilesConfig(max_depth=2)
    elif wrong == "nothing":
        os.mkfifo(tmp_path / "x")
        shown = "nothing"
    with pytest.raises(UsageError) as refused:
        scan(paths, config=config)
    assert shown in refused.value.message


def test_blocks_and_their_hashes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"0123456789")
    reader = SourceReader(scan([tmp_path / "x"]))
    first = reader.read(0, 4, RunningHash(), last=False)
    second = reader.read(0, 6, first.running, last=True)
    assert (first.data, first.ended, first.running.digest()) == (b"0123", False, digest(b"0123"))
    assert (second.data, second.ended, second.running.digest()) == (b"456789", True, digest(b"0123456789"))
    assert first.running.length == 4
    reader.close()


def test_going_on_behind_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"0123456789")
    reader = SourceReader(scan([tmp_path / "x"]))
    prefix = reader.hash_prefix(0, 4)
    assert prefix.digest() == digest(b"0123")
    assert reader.read(0, 6, prefix, last=True).running.digest() == digest(b"0123456789")
    assert reader.hash_prefix(0, 99).length == 10
    reader.close()


@pytest.mark.parametrize(
    ("how", "when"),
    [(how, when) for how in ("grown", "cut", "written") for when in ("before", "under way")]
    + [("replaced", "before"), ("a pipe now", "before")],  # under way, the file that was opened is read to its end
)
def test_a_change_is_noticed(tmp_path: Path, how: str, when: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"0123456789")
    reader = SourceReader(scan([path]))
    running = RunningHash() if when == "before" else reader.read(0, 4, RunningHash(), last=False).running
    if how == "grown":
        path.write_bytes(b"0123456789+")
    elif how == "cut":
        path.write_bytes(b"01")
    elif how == "written":
        path.write_bytes(b"012345678!")
        os.utime(path, ns=(5, 5))
    else:
        path.unlink()
        if how == "replaced":
            path.write_bytes(b"0123456789")
        else:
            os.mkfifo(path)
    with pytest.raises(SourceError) as noticed:
        reader.read(0, 10 - running.length, running, last=True)
    reader.close()
    assert noticed.value.reason is Reason.SOURCE_CHANGED
    assert "x was changed" in noticed.value.message


def test_a_file_that_is_gone_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    reader = SourceReader(scan([tmp_path / "x"]))
    (tmp_path / "x").unlink()
    with pytest.raises(SourceError) as failed:
        reader.read(0, 0, RunningHash(), last=True)
    assert failed.value.reason is Reason.SOURCE_FAILED


def test_the_bytes_of_a_folder_cannot_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        SourceReader(scan([tree(tmp_path)])).hash_prefix(0, 1)


def test_one_file_is_open_at_a_time(tmp_path: Path) -> None:
    before = open_files()
    for name in "abc":
        (tmp_path / name).write_text(name)
    reader = SourceReader(scan([tmp_path / name for name in "abc"]))
    for index in range(3):
        reader.read(index, 1, RunningHash(), last=True)
        assert open_files() == before + 1
    reader.close()
    assert open_files() == before


def test_a_text() -> None:
    source = text("Grüße", 5)
    assert (source.kind, source.total, len(source.entries)) == (Kind.TEXT, 7, 1)
    assert SourceReader(source).read(0, 7, RunningHash(), last=True).data.decode() == "Grüße"
    assert text("Grüße", 5).transfer == source.transfer != text("Gruss!!", 5).transfer


def test_standard_input_is_read_once_and_whole_blocks() -> None:
    ours, theirs = os.pipe()
    source = piped(ours, b"salt", 5)
    assert source.total is None
    assert not source.again
    reader = SourceReader(source)

    def feed() -> None:
        os.write(theirs, b"0123456789" * 2)
        os.write(theirs, b"tail")
        os.close(theirs)

    writer = threading.Thread(target=feed)
    writer.start()
    first = reader.read(0, 22, RunningHash(), last=False)
    second = reader.read(0, 22, first.running, last=False)
    writer.join()
    assert (first.data, first.ended) == (b"0123456789" * 2 + b"ta", False)
    assert (second.data, second.ended) == (b"il", True)
    with pytest.raises(SourceError):
        reader.read(0, 22, RunningHash(), last=False)
    os.close(ours)


def test_a_read_of_standard_input_can_be_interrupted() -> None:
    ours, theirs = os.pipe()
    reader = SourceReader(piped(ours, b"salt", 5))
    os.write(theirs, b"some")
    ended: list[BaseException] = []

    def read() -> None:
        try:
            reader.read(0, 100, RunningHash(), last=False)
        except SourceError as error:
            ended.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    while reader._open is None:
        threading.Event().wait(0.001)
    reader.interrupt()
    thread.join(10)
    assert len(ended) == 1
    reader.close()
    for descriptor in (ours, theirs):
        os.close(descriptor)
