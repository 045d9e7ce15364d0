"""core/CATALOGUE.md lists what the code tells: every exit code, stage and event, with the members that machines see."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from typing import Any

import pytest
import typer.main

from mayfly import errors
from mayfly.errors import ExitCode, MayflyError
from mayfly.runtime.events import EVENTS, Event, Status
from mayfly.services.hub import Hub
from mayfly.services.underway import Underway
from mayfly.stages import STAGES
from mayfly_cli.main import app
from support import catalogue
from support.documents import SOURCES
from support.event_samples import SAMPLES
from support.pages import the_block

NEVER_SHOWN = {"stream"}
"""Stages of errors that end one connection of an application; they reach no event."""

PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array of strings": (list,),
    "array of objects": (list,),
}


def written() -> str:
    return catalogue.PATH.read_text(encoding="utf-8")


def test_the_catalogue_is_what_the_code_says() -> None:
    assert written() == catalogue.renewed(written()), "run `make catalogue`"


def test_a_change_in_the_code_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STAGES, "code", "Something else.")
    assert written() != catalogue.renewed(written())


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.event)
def test_the_members_are_those_that_machines_see(event: type[Event]) -> None:
    for sample, shown in SAMPLES:
        if type(sample) is event:
            documented = [name for name, *_ in catalogue.members(event)]
            assert documented == list(_flat(shown))[1:]
            for name, kind, *_ in catalogue.members(event):
                value = _flat(shown)[name]
                expected = PYTHON_TYPES[kind.removesuffix(" or null")]
                assert isinstance(value, expected) or (value is None and kind.endswith(" or null")), name


def _flat(shown: dict[str, Any]) -> dict[str, Any]:
    """The path's members as members of the event, as they are documented."""
    flat: dict[str, Any] = {}
    for name, value in shown.items():
        if name == "path":
            flat |= {f"path.{inner}": one for inner, one in value.items()}
        else:
            flat[name] = value
    return flat


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.event)
def test_each_event_says_what_it_means_and_who_tells_it(event: type[Event]) -> None:
    meaning, tellers = catalogue.told_by(event)
    assert meaning.endswith(".")
    names = {*typer.main.get_command(app).commands, "code inspect", "relay newnym"}  # type: ignore[attr-defined] # a group
    assert tellers == "every command" or set(tellers.split(", ")) <= names
    for name, _, _, said in catalogue.members(event):
        assert said.endswith("."), name


@pytest.mark.parametrize(
    ("member", "source", "other_words"),
    [
        ("peers", Hub._peer, {"local", "remote"}),
        ("transfers", Underway.status, {"in", "out", "offered", "progress"}),
    ],
)
def test_what_status_says_of_each_is_listed(member: str, source: object, other_words: set[str]) -> None:
    said = next(said for name, _, _, said in catalogue.members(Status) if name == member)
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(source))).body  # type: ignore[arg-type] # a function
    (given,) = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    assert isinstance(given, ast.Dict)
    keys = {str(key.value) for key in given.keys if isinstance(key, ast.Constant)}
    assert set(re.findall(r"`(\w+)`", said)) == keys | other_words


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.event)
def test_the_examples_are_lines_of_json(event: type[Event]) -> None:
    assert json.loads(catalogue.example(event))["event"] == event.event


def test_the_events_on_the_page_have_the_members_that_machines_see() -> None:
    schema = {shown["event"]: list(shown) for _, shown in SAMPLES}
    events = [json.loads(line) for line in the_block("README.md", "json").splitlines()]
    assert events
    assert [list(event) for event in events] == [schema[event["event"]] for event in events]


def test_the_stages_are_those_that_errors_and_warnings_name() -> None:
    kinds = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, MayflyError)]
    stages = {kind.stage for kind in kinds}
    for path in SOURCES:
        for match in re.finditer(r'\bstage ?= ?"(\w+)"|(?:Warned|Failed)\(\s*"(\w+)"', path.read_text()):
            stages.add(match[1] or match[2])
    assert set(STAGES) == stages - NEVER_SHOWN


def test_exit_codes_never_change_and_each_has_its_words() -> None:
    assert {code.value: code.name for code in ExitCode} == {
        0: "OK",
        1: "INTERNAL",
        2: "USAGE",
        3: "BAD_CODE",
        4: "NO_CONNECTION",
        5: "LINK_LOST",
        6: "CANNOT_LISTEN",
        7: "NO_SESSION",
        8: "DECLINED",
        9: "CANCELLED",
        10: "INCOMPLETE",
        11: "UNDELIVERED",
        130: "INTERRUPTED",
    }
    for code in ExitCode:
        assert code.brief
        assert code.meaning.endswith(".")
        assert code.remedy.endswith(".")
