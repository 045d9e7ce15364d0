"""Writes the tables of core/CATALOGUE.md from the code: `make catalogue`. What stands between them is written by hand.

The sources are the enumeration of exit codes, the table of stages, and the docstrings and types of the events.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
import textwrap
from functools import partial
from pathlib import Path

from mayfly.errors import ExitCode
from mayfly.runtime.event import SHOWN_AS, Event
from mayfly.runtime.events import EVENTS
from mayfly.stages import STAGES
from support.event_samples import SAMPLES

PATH = Path(__file__).resolve().parents[2] / "core/CATALOGUE.md"

TYPES = {
    "str": ("string", ""),
    "int": ("integer", ""),
    "bool": ("boolean", ""),
    "Foreign": ("string", "foreign"),
    "UnixTime": ("integer", "Unix time in seconds"),
    "UnixMilliseconds": ("integer", "Unix time in milliseconds"),
    "Seconds": ("number", "seconds"),
    "Milliseconds": ("number", "milliseconds"),
    "Bytes": ("integer", "bytes"),
    "BytesPerSecond": ("number", "bytes a second"),
    "Percent": ("integer", "percent"),
    "tuple[str, ...]": ("array of strings", ""),
    "tuple[Foreign, ...]": ("array of strings", "foreign"),
    "tuple[dict[str, Any], ...]": ("array of objects", ""),
    "dict[str, Any]": ("object", ""),
}
"""The JSON type and the unit of each type that a member of an event may have."""


def members(event: type[Event]) -> list[tuple[str, str, str, str]]:
    """The name, JSON type, unit and meaning of each member of an event, in order."""
    kinds = [kind for kind in reversed(event.__mro__) if issubclass(kind, Event) and kind is not Event]
    return [member for kind in kinds for member in _own_members(kind)]


def _own_members(kind: type[Event]) -> list[tuple[str, str, str, str]]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    found: list[tuple[str, str, str, str]] = []
    for field, after in zip(tree.body, tree.body[1:], strict=False):
        if not isinstance(field, ast.AnnAssign) or "ClassVar" in ast.unparse(field.annotation):
            continue
        spelt, _, nothing = ast.unparse(field.annotation).partition(" | ")
        shown, unit = TYPES[spelt]
        name = ast.unparse(field.target)
        found.append((SHOWN_AS.get(name, name), shown + (" or null" if nothing else ""), unit, _docstring(after)))
    return found


def _docstring(node: ast.stmt) -> str:
    assert isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant), "a member without a docstring"
    return " ".join(str(node.value.value).split())


def told_by(event: type[Event]) -> tuple[str, str]:
    """What an event means, and the commands that tell it."""
    meaning, _, tellers = inspect.cleandoc(event.__doc__ or "").partition("\n\nTold by: ")
    return " ".join(meaning.split()), " ".join(tellers.split()).removesuffix(".")


def example(event: type[Event]) -> str:
    """A line as `--json` prints it, but that letters beyond ASCII are shown."""
    shown = next(shown for sample, shown in SAMPLES if type(sample) is event)
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


def _exit_codes() -> str:
    rows = [[str(code.value), f"`{code.name}`", code.meaning, code.remedy] for code in ExitCode]
    return _table(["code", "name", "when", "what to do"], rows)


def _stages() -> str:
    return _table(["stage", "what failed"], [[f"`{stage}`", meaning] for stage, meaning in STAGES.items()])


def _events() -> str:
    parts: list[str] = []
    for event in EVENTS:
        meaning, tellers = told_by(event)
        rows = [[f"`{name}`", kind, unit, said] for name, kind, unit, said in members(event)]
        parts += [
            f"### {event.event}",
            f"{meaning} Told by: {tellers}.",
            _table(["member", "type", "unit", "meaning"], rows),
            f"```json\n{example(event)}\n```",
        ]
    return "\n\n".join(parts)


BLOCKS = {"exit codes": _exit_codes, "stages": _stages, "events": _events}
"""What stands between `<!-- NAME -->` and `<!-- end -->`."""


def renewed(text: str) -> str:
    """The text of the catalogue, with each block as the code has it now."""
    for name, block in BLOCKS.items():
        marks = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        written = f"\n{block()}\n\n"
        text, count = re.subn(marks, partial(_filled, written), text, flags=re.DOTALL)
        assert count == 1, f"there is no one place for {name}"
    return text


def _filled(written: str, marks: re.Match[str]) -> str:
    return f"{marks[1]}{written}{marks[2]}"


if __name__ == "__main__":
    PATH.write_text(renewed(PATH.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"wrote {PATH.name}\n")
