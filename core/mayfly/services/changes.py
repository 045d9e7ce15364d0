"""What was made safe in a sender's list, in words for the receiver's user."""

from __future__ import annotations

from mayfly.files.manifest import Manifest
from mayfly.runtime.terminal import printable

_NAMED = 5
"""How many are named; a hostile list may hold a million."""


def in_words(manifest: Manifest) -> str:
    """Which names were changed and which links left out, the first few by name. Foreign text in it is escaped."""
    said = [
        f"{_path(each.asked)} is called {_path(each.path)}, because {' and '.join(why.value for why in each.changes)}"
        for each in manifest.renamed[:_NAMED]
    ]
    said += [f"the link {_path(each.path)} is left out: {each.why}" for each in manifest.left_out[: _NAMED - len(said)]]
    if more := manifest.changes - len(said):
        said.append(f"and {more} more")
    return f"To be safe on this computer: {'; '.join(said)}."


def _path(parts: tuple[str, ...]) -> str:
    return printable("/".join(parts))
