"""Where programs of this user keep what outlives them. `mayfly --help` must not pay for platformdirs."""

from __future__ import annotations

from pathlib import Path


def config_directory() -> Path:
    """What the user has written for them."""
    from platformdirs import user_config_path  # noqa: PLC0415

    return user_config_path("mayfly", appauthor=False)


def state_directory() -> Path:
    """What is of use next time."""
    from platformdirs import user_state_path  # noqa: PLC0415

    return user_state_path("mayfly", appauthor=False)
