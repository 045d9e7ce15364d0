"""Dependencies: bounds that mean something, each of them used, and none used that is not named."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from release.needed import DISTRIBUTION, USERS, needed
from support.programs import ROOT
from unit.release.project import requirements

SOURCES = ("core", "relay", "client", "broker_optional")
OURS = {"mayfly", "mayfly_cli", "mayfly_relay", "mayfly_client", "mayfly_broker"}

NO_UPPER_BOUND = {"cryptography"}
"""pyproject.toml says why."""

PROGRAMS = {
    "build", "hatchling", "import-linter", "mypy", "pyright", "pytest-asyncio", "pytest-timeout", "pytest-xdist",
    "ruff", "schemathesis", "types-psutil", "types-pyyaml",
}  # fmt: skip
"""What developers run, or what runs by itself, without being imported."""


def modules(path: Path) -> Iterator[str]:
    """The top modules that a file imports, also by `importlib.import_module` with a name written out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_]):
                yield name.partition(".")[0]


def imported(*folders: str) -> set[str]:
    """The distributions of others that are imported there."""
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    foreign = {module for path in paths for module in modules(path)} - OURS - sys.stdlib_module_names
    owners = packages_distributions()
    return {canonicalize_name(owners[module][0]) for module in foreign if module in owners}


def test_each_dependency_is_used_and_each_that_is_used_is_named() -> None:
    assert imported(*SOURCES) == set(requirements(*USERS))


def test_what_the_tests_import_is_named_and_what_developers_install_is_used() -> None:
    developers = set(requirements("dev")) - set(requirements())
    used = imported("tests")
    assert used <= set(requirements("dev", "bench"))
    assert developers - used == PROGRAMS


def test_each_dependency_has_a_lowest_and_a_first_untested_version() -> None:
    for name, requirement in requirements(*USERS, "dev", "bench").items():
        operators = sorted(specifier.operator for specifier in requirement.specifier)
        expected = [">="] if name in NO_UPPER_BOUND else ["<", ">="]
        assert operators == expected, requirement
        assert requirement.url is None


def test_what_is_needed_includes_what_dependencies_need() -> None:
    found = needed(USERS)
    assert set(requirements(*USERS)) <= set(found)
    assert "yarl" in found, "aiohttp needs it"
    assert "pytest" not in found
    assert DISTRIBUTION not in found
    assert "redis" not in needed(())
