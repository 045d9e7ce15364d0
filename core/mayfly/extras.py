"""How Mayfly is installed once more, with one of its extras, the way it was installed here."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

NAME = "mayfly-relay"


def how_to_install(extra: str) -> str:
    """A hint with the command to type. The clone is named where it is still there."""
    origin = _origin()
    if origin is None:
        return f"{_pip(f'{NAME}[{extra}]')} installs it."
    folder = _folder(origin)
    if folder is None:
        return f"In a clone of Mayfly, {_pip(f'.[{extra}]')} installs it."
    return f"{_pip(f'{folder}[{extra}]')} installs it."


def _origin() -> str | None:
    """The URL of the clone or file that was installed (direct_url.json, PEP 610); None if it was a package index."""
    from importlib.metadata import Distribution, PackageNotFoundError  # noqa: PLC0415 - 15 ms that --help need not spend

    try:
        text = Distribution.from_name(NAME).read_text("direct_url.json")
    except PackageNotFoundError:
        return ""  # run from a clone, without being installed
    try:
        return None if text is None else str(json.loads(text)["url"])
    except (ValueError, KeyError, TypeError):
        return ""  # damaged


def _folder(origin: str) -> Path | None:
    """The clone, where it is one, is still there, and can be read by us."""
    try:
        scheme, _, path, *_ = urlsplit(origin)
    except ValueError:
        return None
    folder = Path(unquote(path))
    return folder if scheme == "file" and os.path.isfile(folder / "pyproject.toml") else None  # noqa: PTH113 - never raises


def _pip(what: str) -> str:
    return f"`{shlex.join([sys.executable, '-m', 'pip', 'install', what])}`"
