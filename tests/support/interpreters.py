"""The Pythons of this computer on which Mayfly should run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13")
"""Those that pyproject.toml names."""

_WORKS = "import ensurepip, sys, venv; assert sys.version_info[:2] == ({})"


def interpreters() -> dict[str, Path]:
    """One for each version that is at hand and can make virtual environments, by version."""
    return {version: found for version in VERSIONS if (found := _find(version)) is not None}


def _find(version: str) -> Path | None:
    name = f"python{version}"
    places = [Path(sys.executable).parent, *map(Path, os.environ.get("PATH", "").split(os.pathsep))]
    # pyenv's shims start the chosen version only; the others stand beside them.
    for shims in [place for place in places if place.name == "shims"]:
        places += sorted(shims.parent.glob(f"versions/{version}.*/bin"))
    for place in places:
        found = shutil.which(name, path=place)
        if found is not None and _works(found, version):
            return Path(found)
    return None


def _works(python: str, version: str) -> bool:
    check = _WORKS.format(version.replace(".", ", "))
    return subprocess.run([python, "-c", check], capture_output=True, timeout=30, check=False).returncode == 0
