"""The source distribution and the wheel: what is in them, and the command as people install it, on each Python here."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mayfly import __version__
from support import socks
from support.homes import at_home
from support.interpreters import interpreters
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, introduce, split_address
from support.programs import ROOT, Program, run
from support.tcp import echo, serving

PACKAGES = (
    "core/mayfly",
    "core/mayfly_cli",
    "relay/mayfly_relay",
    "client/mayfly_client",
    "broker_optional/mayfly_broker",
)
OUTSIDE = {"PYTHONPATH": ""}
"""Nothing of the source tree can be imported."""


@dataclass(frozen=True, slots=True)
class Built:
    """What `python -m build` has made: the wheel from the source distribution, and that from the tree."""

    source: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both, built once."""
    folder = tmp_path_factory.mktemp("dist")
    argv = (sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    done = subprocess.run(argv, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (source,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Built(source, wheel)


def ours() -> set[str]:
    """Each file of the packages, as the wheel names it."""
    found = [(package, path) for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]
    kept = [(package, path) for package, path in found if "__pycache__" not in path.parts]
    return {path.relative_to((ROOT / package).parent).as_posix() for package, path in kept}


def test_the_wheel_holds_the_packages_and_the_man_pages_and_nothing_else(built: Built) -> None:
    assert built.wheel.name == f"mayfly_relay-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
    metadata = {name for name in names if name.partition("/")[0] == f"mayfly_relay-{__version__}.dist-info"}
    data = f"mayfly_relay-{__version__}.data/data/share/man/man1"
    pages = {f"{data}/{page.name}" for page in (ROOT / "deploy" / "man").iterdir()}
    assert pages
    assert names - metadata == ours() | pages
    assert {name.partition("/")[2] for name in metadata} >= {"METADATA", "entry_points.txt", "licenses/LICENSE"}


def test_the_source_distribution_can_be_tested_and_deployed(built: Built) -> None:
    with tarfile.open(built.source) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "Makefile", "constraints.txt", "pyproject.toml"} <= names
    for folder in (*PACKAGES, "deploy", "tests/unit", "tests/system", "tests/support"):
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert {path.relative_to(ROOT).as_posix() for path in files} <= names


@contextlib.asynccontextmanager
async def installed(place: Path, *args: str) -> AsyncIterator[MayflyProcess]:
    """A command of that environment, outside of the source tree, under --json."""
    process = MayflyProcess()
    argv = (str(place / "bin" / "mayfly"), *args, "--json")
    with at_home(None) as home:
        async with Program.running(*argv, env=home | OUTSIDE, cwd=place, on_line=process.take_line) as program:
            process.attach(program)
            yield process


@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", interpreters())
async def test_the_wheel_runs_in_a_clean_environment(built: Built, version: str, tmp_path: Path) -> None:
    place = tmp_path / "clean"
    await run(interpreters()[version], "-m", "venv", place)
    pip = (place / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile")
    await run(*pip, "-c", ROOT / "constraints.txt", built.wheel, env=OUTSIDE, cwd=place, timeout=200)
    mayfly = place / "bin" / "mayfly"
    assert (await run(mayfly, "--version", env=OUTSIDE, cwd=place)).text == f"mayfly {__version__}\n"
    assert "Usage: mayfly" in (await run(mayfly, "--help", env=OUTSIDE, cwd=place)).text
    page = "mayfly-relay.1"
    assert (place / "share/man/man1" / page).read_text() == (ROOT / "deploy/man" / page).read_text()
    async with (
        serving(echo) as server,
        installed(place, "relay", *LOOPBACK, *OPEN_LOOPBACK) as relay,
        installed(place, "client", "-", *LOOPBACK, "--socks", "127.0.0.1:0") as client,
    ):
        await introduce(relay, client)
        proxy = split_address((await client.event("listening"))["address"])
        async with await socks.connect(proxy, *server) as connection, asyncio.timeout(10):
            connection.writer.write(b"x")
            assert await connection.reader.readexactly(1) == b"x"
