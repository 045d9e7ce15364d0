"""The product's packages and their modules."""

from __future__ import annotations

from pathlib import Path

from support.programs import ROOT

PACKAGES = {
    "core/mayfly": "",
    "core/mayfly_cli": "cli",
    "relay/mayfly_relay": "relay",
    "client/mayfly_client": "client",
    "broker_optional/mayfly_broker": "broker",
}
"""Each import package with the folder of tests/unit that holds its tests."""


def sources() -> list[Path]:
    """Every module of the product, without the packages' own `__init__`."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return sorted(path for path in found if path.name != "__init__.py")
