"""The note beside a part: locked, of fixed length, worth nothing when it is torn."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mayfly.services.journal import SIZE, BusyError, Journal, Note, boot_id, trusted
from unit.services.manifests import open_files

NOTE = Note("ab" * 16, 3, 5 << 20, 4 << 20)


def reopened(root: int) -> Note | None:
    journal = Journal.open(root, "j")
    journal.close()
    return journal.note


def written(root: int, note: Note = NOTE) -> None:
    journal = Journal.open(root, "j")
    journal.write(note, sync=True)
    journal.close()


def test_what_was_written_last_is_read(root: int) -> None:
    written(root)
    written(root, Note("cd" * 16, publishing=True))
    found = reopened(root)
    assert found == Note("cd" * 16, boot=boot_id(), publishing=True)


def test_a_new_journal_says_nothing(root: int) -> None:
    assert reopened(root) is None


def test_its_length_never_changes(root: int, tmp_path: Path) -> None:
    for number in (0, 1 << 62):
        written(root, Note("ab" * 16, 1_000_000, number, number))
        assert (tmp_path / "j").stat().st_size == SIZE
    assert json.loads((tmp_path / "j").read_text())["written"] == 1 << 62


def test_only_one_process_has_it(root: int) -> None:
    journal = Journal.open(root, "j")
    with pytest.raises(BusyError):
        Journal.open(root, "j")
    journal.close()
    Journal.open(root, "j").close()


def test_one_that_its_last_owner_deletes_meanwhile_is_not_taken(
    root: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        (tmp_path / "j").unlink()
        real(descriptor, operation)

    with monkeypatch.context() as patched, pytest.raises(BusyError):
        patched.setattr(fcntl, "flock", flock)
        Journal.open(root, "j")
    Journal.open(root, "j").close()


def test_one_that_cannot_be_read_leaves_no_descriptor(root: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, "broken")

    before = open_files()
    with monkeypatch.context() as patched, pytest.raises(OSError):
        patched.setattr(os, "pread", fail)
        Journal.open(root, "j")
    assert open_files() == before


def test_it_is_its_owner_s_alone(root: int, tmp_path: Path) -> None:
    written(root)
    assert stat.S_IMODE((tmp_path / "j").stat().st_mode) == 0o600


def test_a_link_in_its_place_is_refused(root: int, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("words")
    (tmp_path / "j").symlink_to("precious")
    with pytest.raises(OSError):
        Journal.open(root, "j")
    assert (tmp_path / "precious").read_text() == "words"


def test_written_bytes_count_in_the_same_run_of_the_machine(root: int) -> None:
    written(root)
    found = reopened(root)
    assert found is not None
    assert trusted(found) == NOTE.written


def test_after_a_power_cut_only_synced_bytes_count() -> None:
    assert trusted(Note("ab", 3, 5, 4, boot="another run")) == 4
    assert trusted(Note("ab", 3, 5, 4, boot="")) == 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.binary(max_size=2 * SIZE))
def test_any_bytes_are_read_or_worth_nothing(root: int, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "j").write_bytes(data)
    assert reopened(root) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["transfer", "file", "written", "boot", "version", "other"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    )
)
def test_fields_of_wrong_types_are_worth_nothing(root: int, tmp_path: Path, fields: dict[str, object]) -> None:
    whole = {
        "transfer": "ab",
        "file": 0,
        "written": 0,
        "synced": 0,
        "boot": "",
        "publishing": False,
        "version": 1,
    } | fields
    (tmp_path / "j").write_bytes(json.dumps(whole).encode().ljust(SIZE)[:SIZE])
    found = reopened(root)
    if found is not None:
        assert isinstance(found.transfer, str)
        assert all(type(number) is int for number in (found.file, found.written, found.synced))


def test_a_torn_note_is_worth_nothing(root: int, tmp_path: Path) -> None:
    written(root)
    whole = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(whole[: SIZE // 3])
    assert reopened(root) is None
