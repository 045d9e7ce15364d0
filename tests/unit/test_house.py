"""Rules of the house that no linter knows: file sizes, a test file for each source file, nothing of one machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.programs import ROOT
from support.tree import PACKAGES, sources

MAX_LINES = 400
SKIPPED_FOLDERS = {"__pycache__", "results", "build", "dist"}
HIDDEN_AND_OURS = {".ci", ".gitignore"}
TEXT = {".py", ".md", ".toml", ".sh", ".cfg", ".ini", ".yaml", ".yml", ".txt", ".service", ""}

TESTED_ELSEWHERE = {
    "core/mayfly/signaling/description.py": "data without behaviour; the codes' and the SDP's tests fill it",
    "core/mayfly/files/disk.py": "plain data; both machines' tests fill it",
    "core/mayfly/files/events.py": "plain data; both machines' tests fill it",
    "core/mayfly/sctp/endings.py": "words; every test of the association reads them",
    "core/mayfly/sctp/flight.py": "plain data; the sender's tests fill it",
    "core/mayfly/sctp/samples.py": "plain data; the tests of the controllers fill it",
    "core/mayfly/transport/base.py": "the interface alone; each engine's tests are its tests",
    "core/mayfly/transport/aiortc/assembly.py": "real layers on real sockets: tests/integration/test_link_aiortc.py",
    "core/mayfly/transport/aiortc/dtls.py": "real layers on real sockets: tests/integration/test_link_aiortc.py",
    "core/mayfly/transport/aiortc/engine.py": "real layers on real sockets: tests/integration/test_link_aiortc.py",
    "core/mayfly/transport/wrtc/connection.py": "libwebrtc on real sockets: tests/integration/test_link_wrtc.py",
    "core/mayfly/transport/wrtc/engine.py": "libwebrtc on real sockets: tests/integration/test_link_wrtc.py",
    "broker_optional/mayfly_broker/app.py": "a whole server: tests/integration/test_broker_hostile.py and tests/system",
    "broker_optional/mayfly_broker/options.py": "plain data; tests/unit/cli/test_broker.py fills it",
    "broker_optional/mayfly_broker/records.py": "plain data; the registry's tests fill it",
    "broker_optional/mayfly_broker/redis_store.py": "a real Redis: tests/integration/test_redis_store.py",
    "broker_optional/mayfly_broker/routes.py": "a table; tests/unit/broker/test_openapi.py holds both its users to it",
    "core/mayfly_cli/__main__.py": "two lines; every system test runs it",
}
"""Source files without a test file of their own, and why."""

# Package registries and mirrors: the machine's own settings choose them, never a file of ours.
REGISTRY = re.compile(
    r"(pyp[i]|python[h]osted|npm[j]s|yarn[p]kg|debia[n]|ubunt[u])\.(org|com|net)\b|--(extra-)?index-url|--registry"
)
# Somebody's home or workplace. Paths of the system (/etc, /usr, /run) are everybody's, and so is a reader's home.
MACHINE_PATH = re.compile(r"(?<![\w.])/(home/(?!you/)\w+|Users/\w+|root/|work/|tmp/\w+)")


def files() -> list[Path]:
    """Every file of the tree that a person wrote."""
    found = []
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT)
        hidden = any(part.startswith(".") and part not in HIDDEN_AND_OURS for part in inside.parts)
        skipped = hidden or SKIPPED_FOLDERS & set(inside.parts)
        if path.is_file() and not skipped and path.suffix in TEXT:
            found.append(path)
    return found


def name(path: Path) -> str:
    """A path as the messages show it."""
    return path.relative_to(ROOT).as_posix()


def test_files_stay_short() -> None:
    counts = {name(path): len(path.read_text().splitlines()) for path in files() if path.suffix == ".py"}
    long = {path: count for path, count in counts.items() if count > MAX_LINES}
    assert not long, f"split these, one responsibility each: {long}"


def expected_test(path: Path) -> Path:
    """Where the tests of a source file belong: tests/unit/<package>/test_<file>.py."""
    package = next(package for package in PACKAGES if path.is_relative_to(ROOT / package))
    inside = path.relative_to(ROOT / package)
    return ROOT / "tests/unit" / PACKAGES[package] / inside.parent / f"test_{inside.stem}.py"


def test_each_source_file_has_its_test_file() -> None:
    missing = {
        name(path): name(expected_test(path))
        for path in sources()
        if name(path) not in TESTED_ELSEWHERE and not expected_test(path).is_file()
    }
    assert not missing, "\n".join(f"{source} has no {test}" for source, test in missing.items())


def test_no_exception_is_out_of_date() -> None:
    for source in TESTED_ELSEWHERE:
        assert (ROOT / source).is_file(), f"{source} is gone: take it off the list"
        assert not expected_test(ROOT / source).is_file(), f"{source} has a test file: take it off the list"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    unmarked = [
        name(folder)
        for folder in {path.parent for path in (ROOT / package).rglob("*.py")}
        if not (folder / "__init__.py").is_file()
    ]
    assert not unmarked, f"these have no __init__.py: {unmarked}"


@pytest.mark.parametrize("pattern", [REGISTRY, MACHINE_PATH], ids=["registry hosts", "machine paths"])
def test_the_tree_names_nothing_of_one_machine(pattern: re.Pattern[str]) -> None:
    found = [
        f"{name(path)}:{number}: {line.strip()}"
        for path in files()
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_every_public_module_has_a_docstring() -> None:
    silent = [
        name(path) for path in sources() if not path.read_text(encoding="utf-8").lstrip().startswith(('"""', 'r"""'))
    ]
    assert not silent, silent


def test_no_test_file_is_imported() -> None:
    """What tests share stands in tests/support, or in a module of their own folder that holds no tests."""
    found = [
        f"{name(path)}: {line}"
        for path in files()
        if path.is_relative_to(ROOT / "tests") and path.suffix == ".py"
        for line in re.findall(r"^ *(?:from|import) .*\btest_.*", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert not found, "\n".join(found)
