"""Prints the lowest version of each direct dependency that pyproject.toml allows, for pip's -c: `make lowest`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def lowest(requirements: list[str]) -> list[str]:
    """`name==version` for each `name>=version`, which all of ours have."""
    found = {
        f"{needed.name}=={bound.version}"
        for needed in map(Requirement, requirements)
        for bound in needed.specifier
        if bound.operator == ">="
    }
    return sorted(found, key=str.lower)


if __name__ == "__main__":
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    print("\n".join(lowest([*project["dependencies"], *project["optional-dependencies"]["dev"]])))
