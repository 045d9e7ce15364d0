"""constraints.txt: plain pins, within pyproject.toml's bounds, of what these tests run with."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import Requirement

from release.constraints import HEAD
from release.needed import DEVELOPERS, needed
from unit.release.project import requirements

FILE = Path(__file__).resolve().parents[3] / "constraints.txt"
PIN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*==[0-9]+(\.[0-9a-z]+)*")


def pins() -> dict[str, str]:
    """The versions, by name."""
    lines = FILE.read_text().removeprefix(HEAD).splitlines()
    return dict(line.split("==") for line in lines)


def test_every_line_is_a_name_and_a_version() -> None:
    text = FILE.read_text()
    assert text.startswith(HEAD)
    lines = text.removeprefix(HEAD).splitlines()
    names = [line.partition("==")[0] for line in lines]
    assert names == sorted(set(names))
    assert [line for line in lines if not PIN.fullmatch(line)] == []


def test_pins_are_within_the_bounds() -> None:
    found = pins()
    for name, requirement in requirements(*DEVELOPERS).items():
        assert requirement.specifier.contains(found[name]), f"{requirement} is {found[name]}: make constraints"


def test_pins_satisfy_what_dependencies_ask_of_each_other() -> None:
    found = pins()
    for name, package in needed(DEVELOPERS).items():
        for asked in map(Requirement, package.requires or ()):
            if asked.name in found and (asked.marker is None or asked.marker.evaluate({"extra": ""})):
                assert asked.specifier.contains(found[asked.name], prereleases=True), f"{name} asks for {asked}"


def test_the_tests_run_with_what_is_pinned() -> None:
    found = pins()
    here = {name: package.version for name, package in needed(DEVELOPERS).items()}
    other = {name: (version, found.get(name)) for name, version in here.items() if found.get(name) != version}
    assert not other, f"installed and pinned: {other}. make venv takes what is pinned, make constraints pins the newest"
