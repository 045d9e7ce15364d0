"""No block of our pages goes unread: what is typed is played by a test, and what cannot be is named with its reason."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest

from support.pages import PAGES, Block, every_block
from support.programs import ROOT
from support.scenes import SCENES
from support.unplayed import ELSEWHERE, LANGUAGES, UNPLAYED

BLOCKS = every_block()
NAMES = [f"{block.page}: {block.section}: {block.language} {number}" for number, block in enumerate(BLOCKS)]
PLAYED = {(scene.page, section) for scene in SCENES for act in scene.acts for section in act}
COMMANDS = sorted({command for block in BLOCKS for command in block.commands if block.language == "console"})
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for part in ("core", "relay", "client", "broker_optional")
    for path in (ROOT / part).rglob("*.py")
)


@pytest.mark.parametrize("block", BLOCKS, ids=NAMES)
def test_every_block_is_of_a_kind_that_somebody_checks(block: Block) -> None:
    assert block.language in LANGUAGES, "name the block's language behind its fence; support.unplayed lists them"
    if block.language not in ("console", "sh"):
        typed = re.search(r"^(\$|mayfly|sudo|make|pip) .*$", block.text, re.MULTILINE)
        assert typed is None, "what people type stands in a console block"


@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if block.commands],
    ids=[name for name, block in zip(NAMES, BLOCKS, strict=True) if block.commands],
)
def test_every_command_is_played_or_named_with_a_reason(block: Block) -> None:
    if (block.page, block.section) not in PLAYED:
        assert [command for command in block.commands if command not in UNPLAYED | ELSEWHERE] == []


def test_nothing_is_excused_that_no_page_shows() -> None:
    assert set(UNPLAYED | ELSEWHERE) - set(COMMANDS) == set()
    assert {(page, section) for page, section in PLAYED} <= {(block.page, block.section) for block in BLOCKS}


@pytest.mark.parametrize(("command", "test"), ELSEWHERE.items())
def test_what_another_test_runs_it_takes_from_the_page(command: str, test: str) -> None:
    assert f'"{command}"' in (ROOT / test).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", UNPLAYED)
def test_what_is_not_run_is_good_shell_and_names_what_exists(command: str) -> None:
    assert subprocess.run(["sh", "-n", "-c", command], check=False).returncode == 0
    for word in shlex.split(command):
        if word.startswith("deploy/"):
            assert (ROOT / word).exists()
    if command.startswith("make "):
        assert re.search(rf"^{command.split()[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_each_target_of_make_that_a_page_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"`make ([a-z]+)\b[^`]*`", (ROOT / page).read_text(encoding="utf-8")))
        assert named <= targets, page


def test_what_tor_s_log_is_said_to_say_is_in_the_code() -> None:
    for block in BLOCKS:
        if block.language == "log":
            for line in block.text.splitlines():
                said = re.match(r"Bridge line 1: (\w+(?: [\w']+)+)", line)
                assert said is None or said[1].split(" (")[0] in CODE, line
