"""The man pages in deploy/man: made from the options that --help shows, complete, no complaint of groff or mandoc."""

from __future__ import annotations

import re
import subprocess
from functools import cache

import pytest

from mayfly.errors import ExitCode
from support import manpages
from support.command_line import commands, options

made = cache(manpages.pages)
WORDS = [words for words, command in commands().items() if words]


def rendered(name: str) -> str:
    """A page as a reader searches it: without macros and font changes."""
    return re.sub(r"\\f[BIR]|\\&", "", made()[name]).replace("\\-", "-")


def page_of(words: str) -> str:
    return f"mayfly-{words.replace(' ', '-')}.1"


def test_the_pages_are_what_the_options_say() -> None:
    there = {path.name: path.read_text(encoding="ascii") for path in manpages.FOLDER.iterdir()}
    assert [name for name, _ in there.items() ^ made().items()] == [], "run `make man`"


def test_each_command_has_its_page() -> None:
    assert set(made()) == {"mayfly.1", *map(page_of, WORDS)}
    for words in WORDS:
        assert f"mayfly {words}\n" in rendered("mayfly.1")


@pytest.mark.parametrize("words", WORDS)
def test_each_option_argument_and_variable_is_there(words: str) -> None:
    page = rendered(page_of(words))
    named = set(re.findall(r"--[a-z-]+", "\n".join(re.findall(r"^\.TP\n(-.*)\n", page, re.MULTILINE))))
    assert named == options(words)
    for param in commands()[words].params:
        if param.param_type_name == "argument":
            assert f".TP\n{param.metavar}\n" in page
        else:
            variable = param.envvar or f"MAYFLY_{words}_{param.name}".upper().replace(" ", "_")
            assert f".TP\n{variable}\nAs {param.opts[0]}.\n" in page


def test_each_exit_code_is_there() -> None:
    for code in ExitCode:
        assert f".TP\n{code.value}\n" in made()["mayfly.1"].replace("\\fB", "").replace("\\fR", "")


@pytest.mark.needs("groff")
@pytest.mark.parametrize("name", ["mayfly.1", *map(page_of, WORDS)])
def test_groff_has_nothing_to_complain_of(name: str) -> None:
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8"], input=made()[name], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    assert "SEE ALSO" in re.sub(r".\x08|\x1b\[\d*m", "", done.stdout)


@pytest.mark.needs("mandoc")
@pytest.mark.parametrize("name", ["mayfly.1", *map(page_of, WORDS)])
def test_mandoc_has_nothing_to_complain_of(name: str) -> None:
    command = ["mandoc", "-T", "lint", "-W", "warning"]
    done = subprocess.run(command, input=made()[name], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")
