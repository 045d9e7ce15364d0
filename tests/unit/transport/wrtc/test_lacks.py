"""What the native engine lacks, as it is typed."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from mayfly.transport.base import IpPolicy, LinkSettings, TurnServer
from mayfly.transport.wrtc.lacks import lacking

TURN = TurnServer("turn:turn.example:3478", "user", "word")


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        (LinkSettings(), None),
        (LinkSettings(bind=(ip_address("127.0.0.1"),)), "--bind"),
        (LinkSettings(ip_policy=IpPolicy.LAN), "--ip-policy lan"),
        (LinkSettings(ip_policy=IpPolicy.TURN_ONLY, turn=(TURN,)), None),
    ],
)
def test_what_is_lacking(settings: LinkSettings, option: str | None) -> None:
    assert lacking(settings) == option
