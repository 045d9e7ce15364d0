"""The bench's command line: what our pages say to type is understood, and names what there is."""

from __future__ import annotations

import re
import shlex

import pytest

from bench import __main__ as bench
from bench.families import all_families
from support.pages import PAGES
from support.programs import ROOT

FAMILIES = {family.name for family in all_families()}
SHOWN = sorted(
    {
        spelled
        for page in PAGES
        for spelled in re.findall(r"`(?:make bench )?(BENCH=[^`]+)`", (ROOT / page).read_text(encoding="utf-8"))
    }
)


def test_the_pages_show_some() -> None:
    assert len(SHOWN) > 5


@pytest.mark.parametrize("spelled", SHOWN)
def test_what_a_page_shows_is_understood(spelled: str) -> None:
    (word,) = shlex.split(spelled)  # what the shell hands to make
    arguments = bench.arguments_of(shlex.split(word.removeprefix("BENCH=")))  # what make's shell hands to the bench
    assert set(arguments.only) <= FAMILIES


def test_the_list_names_all(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--list"])
    assert bench.main() == 0
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == FAMILIES


def test_a_family_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--only", "wishes"])
    assert bench.main() == 2
    assert "there is no family wishes" in capsys.readouterr().err
