"""Where things are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from mayfly_cli import places


@pytest.mark.skipif("sys.platform != 'linux'")
def test_each_has_its_place_in_the_user_s_directories(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert places.config_directory() == tmp_path / "config" / "mayfly"
    assert places.state_directory() == tmp_path / "state" / "mayfly"
