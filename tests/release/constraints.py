"""Prints constraints.txt: the version of every package that this interpreter's environment has for the tests.

`make constraints` runs it in an environment of the newest versions that pyproject.toml allows.
"""

from __future__ import annotations

from release.needed import DEVELOPERS, needed

HEAD = """\
# The versions that the tests were run with, for pip's -c. Made by `make constraints`.
"""


def constraints() -> str:
    """The whole file."""
    return HEAD + "".join(f"{name}=={package.version}\n" for name, package in needed(DEVELOPERS).items())


if __name__ == "__main__":
    print(constraints(), end="")
