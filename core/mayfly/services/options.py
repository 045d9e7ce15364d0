"""What the user of a program chose for its chat, its transfers and its control socket."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class HubOptions:
    """One run's. A relay, a client and a peer have the same."""

    control: bool = True
    """Whether commands can attach."""

    session: str | None = None
    """The session's name for `--session`; None takes the program's, with a number where it is taken."""

    directory: Path | None = None
    """Where the control socket stands; None takes the user's runtime directory."""

    user: str | None = None
    """Our name in the chat; None takes the program's. Others see it."""

    accept_into: Path | None = None
    """Accept every offer into this directory; None accepts nothing by itself."""

    overwrite: bool = False
    """Whether files that are accepted so may replace existing ones."""
