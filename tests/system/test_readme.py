"""Our pages, word by word: every console block is typed at real terminals, on computers in a small Internet.

What cannot be, and why, stands in support.unplayed; tests/unit/test_pages.py finds blocks that nobody plays.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from support.internet import internet
from support.mayfly import command
from support.pages import sections
from support.player import play
from support.programs import ROOT, Program, program
from support.scenes import SCENES, Scene

pytestmark = [pytest.mark.needs("root", "ip", "curl", "chromium", "redis-server"), pytest.mark.timeout(150)]

BROWSER = """\
#!/bin/sh
exec {} --headless --no-sandbox --disable-gpu --ignore-certificate-errors --dump-dom --user-data-dir="$HOME/c" "$@"
"""


def furnish(home: Path) -> None:
    """What a person's home holds before the page begins."""
    for folder in (home, home / "run", home / "photos", home / "Downloads", home / "bin"):
        folder.mkdir(mode=0o700)
    (home / "film.mkv").write_bytes(os.urandom(3_000_000))
    (home / "photos" / "beach.jpg").write_bytes(os.urandom(5000))
    (home / "bin" / "mayfly").symlink_to(command()[0])
    browser = home / "bin" / "chromium"
    browser.write_text(BROWSER.format(program("chromium")))
    browser.chmod(0o755)


def offline_pip(packages: Path) -> dict[str, str]:
    """The variables with which pip installs from a directory without any network: all but Mayfly is there already."""
    packages.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "mayfly" not in path.name:
            (packages / path.name).symlink_to(path)
    return {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PYTHONPATH": str(packages), "MAKEFLAGS": ""}


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
async def test_what_the_page_shows_is_what_happens(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("w")
    (folder / "net").mkdir()
    async with contextlib.AsyncExitStack() as stack:
        net = await stack.enter_async_context(internet(folder / "net"))

        def start(where: str) -> tuple[Sequence[str], Mapping[str, str], Path]:
            computer = scene.computers[where]
            home = folder / computer
            if not home.exists():
                furnish(home)
                if computer == "operator":
                    for made, name in zip(net.broker_certificate, ("chain.pem", "key.pem"), strict=True):
                        shutil.copy(made, home / name)
                if computer == "friend":
                    (home / "film.mkv").unlink()
            variables = {
                "HOME": str(home),
                "XDG_RUNTIME_DIR": str(home / "run"),
                "XDG_CONFIG_HOME": str(home / ".config"),
                "XDG_STATE_HOME": str(home / ".local" / "state"),
                "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            }
            if scene.in_clone:
                variables |= offline_pip(folder / "packages")
            return net.at(computer), variables | net.trust, ROOT if scene.in_clone else home

        for program_there in scene.running:
            await stack.enter_async_context(Program.running(*net.at("operator", *program_there)))
        page = sections(scene.page)
        await play([[block for name in act for block in page[name]] for act in scene.acts], scene.computers, start)
