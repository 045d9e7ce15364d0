"""A home for each process, or for those of one person: programs under test never meet by their control sockets."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

RUNTIME = "XDG_RUNTIME_DIR"


@dataclass(frozen=True, slots=True)
class Home:
    """One person's computer, as far as Mayfly sees it: control sockets, state, and a folder for files."""

    path: Path

    @classmethod
    def made(cls, path: Path) -> Home:
        """Make the folders. The path must be short: a control socket's may have 107 bytes."""
        self = cls(path)
        for folder in (self.path, self.runtime, self.state, self.files):
            folder.mkdir(mode=0o700)
        return self

    @property
    def runtime(self) -> Path:
        """Where control sockets stand."""
        return self.path / "run"

    @property
    def state(self) -> Path:
        """What Mayfly remembers."""
        return self.path / "state"

    @property
    def files(self) -> Path:
        """What the person sends and receives."""
        return self.path / "files"

    @property
    def env(self) -> dict[str, str]:
        """The variables that make it so."""
        return {RUNTIME: str(self.runtime), "XDG_STATE_HOME": str(self.state), "HOME": str(self.path)}


@contextlib.contextmanager
def at_home(env: Mapping[str, str] | None) -> Generator[dict[str, str]]:
    """The variables with a home of the process's own, removed at the end, unless they name one."""
    if env is not None and RUNTIME in env:
        yield dict(env)
        return
    with tempfile.TemporaryDirectory(prefix="mayfly-", ignore_cleanup_errors=True) as folder:
        yield Home.made(Path(folder) / "home").env | dict(env or {})
