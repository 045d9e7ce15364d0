"""The limits of a transfer: which contradict each other, and what they add up to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mayfly.config import MIB, FilesConfig
from mayfly.files.records import MAX_RECORD

WRONG = [{"read_ahead": MIB - 1}, {"max_unwritten": MIB - 1}, {"max_unstored": 2 * MIB - 1}, {"max_path": 254}]


@pytest.mark.parametrize("wrong", WRONG)
def test_limits_that_contradict_each_other_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"holds? at least"):
        replace(FilesConfig(), **wrong)


def test_the_longest_entry_fits_a_record() -> None:
    config = FilesConfig()
    components = config.max_depth + 1
    assert 8 + 1 + 9 + 8 + 8 + config.max_path + 2 * components + 1 + 2 + config.max_path <= MAX_RECORD


def test_the_worst_case_follows_its_parts() -> None:
    config = FilesConfig()
    assert config.worst_case_memory < 1024 * MIB
    for name, by in (
        ("max_entries", 1),
        ("max_manifest", 1),
        ("max_unwritten", 1),
        ("files_ahead", 1),
        ("max_changes", 1),
    ):
        larger = replace(config, **{name: getattr(config, name) + by})
        assert larger.worst_case_memory > config.worst_case_memory, name


def test_one_big_file_costs_little() -> None:
    config = FilesConfig()
    assert config.read_ahead + 2 * config.max_unwritten <= 24 * MIB
    assert config.max_unstored <= config.max_unwritten, "an honest sender's chunk never stops the reading"
