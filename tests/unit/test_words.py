"""What people read of errors: each says what to do next, and one word means one thing."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main

from mayfly.errors import ForgedError, MayflyError, StreamResetError, UpstreamError, WrongWordsError
from mayfly.pt.errors import VersionError
from mayfly.runtime.events import Failed, Warned
from mayfly_cli.main import app
from support.programs import ROOT
from support.tree import PACKAGES, sources

TOLD_TO_AN_APPLICATION = (UpstreamError, StreamResetError, VersionError)
"""They end one connection, and become a reply to the program that opened it."""

WITH_WORDS_OF_THEIR_OWN = (ForgedError, WrongWordsError)

NOTHING_TO_DO = {
    ("core/mayfly/services/transfers.py", "message"): "a file is sent anew, or names are changed: told, and done",
    (
        "core/mayfly_cli/chatting.py",
        "message",
    ): "a command of the chat was mistyped; the message shows its form",
}
"""Warnings without a next step: where, with the expression of the message."""

OTHER_WORDS = {
    r"far end|other end\b": "the other side",
    r"folder": "directory",
    r"machine": "computer",
    r"\bthe peer\b": "the other side",
}
"""What would be a second word for a thing, with the first."""


@cache
def module_of(path: Path) -> ModuleType:
    package = next(package for package in PACKAGES if path.is_relative_to(ROOT / package))
    return importlib.import_module(".".join(path.relative_to((ROOT / package).parent).with_suffix("").parts))


def calls() -> Iterator[tuple[str, ast.Call, type[Any]]]:
    """Each place where an error, a warning or the event of an error is made: the file, the call, the class."""
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
        for call in found:
            assert isinstance(call.func, ast.Name)
            if not re.search(r"Error$|^Warned$|^Failed$", call.func.id):
                continue
            made = getattr(module_of(path), call.func.id, None)
            if inspect.isclass(made) and issubclass(made, MayflyError | Warned | Failed):
                yield path.relative_to(ROOT).as_posix(), call, made


CALLS = list(calls())


def hint_of(call: ast.Call, made: type[Any]) -> ast.expr | None:
    """The expression of a call's hint."""
    named = next((keyword.value for keyword in call.keywords if keyword.arg == "hint"), None)
    names = [name for name in inspect.signature(made).parameters if name != "self"]
    place = names.index("hint") if "hint" in names else len(call.args)
    return named or (call.args[place] if place < len(call.args) else None)


def starred(call: ast.Call) -> bool:
    return any(isinstance(argument, ast.Starred) for argument in call.args)


def test_the_places_are_found() -> None:
    assert len(CALLS) > 200
    assert {made.__name__ for _, _, made in CALLS} >= {
        "UsageError",
        "ConnectError",
        "TorError",
        "Warned",
        "StorageError",
    }


def test_every_error_that_a_person_can_see_says_what_to_do_next() -> None:
    silent = [
        f"{path}:{call.lineno}"
        for path, call, made in CALLS
        if issubclass(made, MayflyError)
        and not issubclass(made, (*TOLD_TO_AN_APPLICATION, *WITH_WORDS_OF_THEIR_OWN))
        and not made.advice
        and ((hint := hint_of(call, made)) is None or ast.unparse(hint) == "''")
    ]
    assert silent == []


def test_every_warning_says_what_to_do_next() -> None:
    silent = {
        (path, ast.unparse(call.args[1]))
        for path, call, made in CALLS
        if issubclass(made, Warned) and hint_of(call, made) is None and not starred(call)
    }
    assert silent == set(NOTHING_TO_DO)


@pytest.mark.parametrize("kind", WITH_WORDS_OF_THEIR_OWN)
def test_errors_with_words_of_their_own_say_what_to_do_next(kind: type[Any]) -> None:
    assert kind().hint


def shown() -> Iterator[tuple[str, str]]:
    """All words of errors, warnings, hints and help, each with its place."""
    for path, call, made in CALLS:
        if issubclass(made, TOLD_TO_AN_APPLICATION):
            continue
        for node in ast.walk(call):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path}:{call.lineno}", node.value
    for made in {made for _, _, made in CALLS if issubclass(made, MayflyError)}:
        yield made.__name__, made.advice
    root: Any = typer.main.get_command(app)
    for name, command in {**root.commands, **root.commands["code"].commands, "": root}.items():
        yield f"mayfly {name} --help", str(command.help)
        for param in command.params:
            yield f"mayfly {name} --{param.name}", str(param.help)


@pytest.mark.parametrize("other", OTHER_WORDS)
def test_one_word_means_one_thing(other: str) -> None:
    found = [f"{place}: {text!r}" for place, text in shown() if re.search(other, text)]
    assert found == [], f"say: {OTHER_WORDS[other]}"


def test_hints_and_messages_are_plain_sentences() -> None:
    wrong = [
        f"{path}:{call.lineno}: {node.value!r}"
        for path, call, _ in CALLS
        for node in ast.walk(call)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"  |\.\.\.$|!$", node.value)
    ]
    assert wrong == []
