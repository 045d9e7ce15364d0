"""The hint that says how an extra is installed is right for each way that Mayfly itself came."""

from __future__ import annotations

import json
import shlex
import sys
import types
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

import pytest

from mayfly.extras import how_to_install

PIP = shlex.join([sys.executable, "-m", "pip", "install"])


def installed_from(monkeypatch: pytest.MonkeyPatch, origin: object) -> None:
    """Let Mayfly have come from there; None is a package index."""
    text = None if origin is None else json.dumps(origin)
    found = types.SimpleNamespace(read_text={"direct_url.json": text}.get)
    monkeypatch.setattr(Distribution, "from_name", lambda _name: found)


@pytest.mark.parametrize("editable", [False, True])
def test_from_a_clone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, editable: bool) -> None:
    clone = tmp_path / "my clone"
    clone.mkdir()
    (clone / "pyproject.toml").touch()
    installed_from(monkeypatch, {"url": clone.as_uri(), "dir_info": {"editable": editable}})
    assert how_to_install("native") == f"`{PIP} '{clone}[native]'` installs it."


def test_from_a_clone_that_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed_from(monkeypatch, {"url": (tmp_path / "gone").as_uri(), "dir_info": {}})
    assert how_to_install("redis") == f"In a clone of Mayfly, `{PIP} '.[redis]'` installs it."


def test_from_a_wheel_or_a_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = tmp_path / "mayfly_relay-0.1.0-py3-none-any.whl"
    wheel.touch()
    for url in (wheel.as_uri(), "https://git.example/mayfly.git"):
        installed_from(monkeypatch, {"url": url})
        assert how_to_install("native") == f"In a clone of Mayfly, `{PIP} '.[native]'` installs it."


@pytest.mark.parametrize("origin", [{}, [], {"url": "http://["}, {"url": None}])
def test_from_who_knows_where(monkeypatch: pytest.MonkeyPatch, origin: object) -> None:
    installed_from(monkeypatch, origin)
    assert how_to_install("native") == f"In a clone of Mayfly, `{PIP} '.[native]'` installs it."


def test_from_a_package_index(monkeypatch: pytest.MonkeyPatch) -> None:
    installed_from(monkeypatch, None)
    assert how_to_install("native") == f"`{PIP} 'mayfly-relay[native]'` installs it."


def test_not_installed_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Distribution:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(Distribution, "from_name", missing)
    assert how_to_install("native") == f"In a clone of Mayfly, `{PIP} '.[native]'` installs it."


def test_what_is_installed_here_came_from_this_clone() -> None:
    """Not a fake: pip has written what is read."""
    root = Path(__file__).resolve().parents[2]
    assert how_to_install("native") == f"`{PIP} {shlex.quote(f'{root}[native]')}` installs it."
