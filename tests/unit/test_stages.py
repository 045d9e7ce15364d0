"""The stages. That they are those which the code names is held in tests/unit/support/test_catalogue.py."""

from __future__ import annotations

from mayfly.stages import STAGES


def test_each_has_its_words() -> None:
    assert all(stage.isalpha() and stage.islower() for stage in STAGES)
    assert all(words.endswith(".") for words in STAGES.values())
