"""Engines by name, and what `auto` takes."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from mayfly.errors import UsageError
from mayfly.extras import how_to_install
from mayfly.transport import engines
from mayfly.transport.base import IpPolicy, LinkSettings
from mayfly.transport.engines import make_engine, missed_by_native

BOUND = LinkSettings(bind=(ip_address("127.0.0.1"),))


@pytest.mark.parametrize("name", ["auto", "aiortc", "aiortc-stock"])
def test_engines_by_name(name: str) -> None:
    assert make_engine(name).name == name


@pytest.mark.needs("wrtc")
def test_the_native_engine_by_name() -> None:
    assert make_engine("wrtc").name == "wrtc"


def test_an_unknown_engine_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        make_engine("wishful")
    assert "aiortc" in caught.value.hint


def test_without_its_package_the_native_engine_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "native_installed", lambda: False)
    with pytest.raises(UsageError, match="not installed") as caught:
        make_engine("wrtc")
    assert caught.value.hint == how_to_install("native")
    assert missed_by_native("auto", BOUND) is None
    assert engines._best(LinkSettings()).name == "aiortc"


@pytest.mark.needs("wrtc")
def test_auto_takes_what_has_the_options() -> None:
    assert engines._best(LinkSettings()).name == "wrtc"
    assert engines._best(BOUND).name == "aiortc"
    assert missed_by_native("auto", BOUND) == "--bind"
    assert missed_by_native("auto", LinkSettings(ip_policy=IpPolicy.LAN)) == "--ip-policy lan"
    assert missed_by_native("auto", LinkSettings()) is None
    assert missed_by_native("aiortc", BOUND) is None
