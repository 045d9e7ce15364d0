"""Prints THIRD_PARTY.md with the table of what Mayfly needs and under which licences: `make licences` keeps it.

The text around the table, where the licences are judged, is a person's.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution
from pathlib import Path

from release.needed import USERS, needed

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "THIRD_PARTY.md"

ACCEPTED = {
    "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "LGPL-3.0-only", "MIT", "MIT-0", "PSF-2.0",
}  # fmt: skip
"""SPDX names of the licences that THIRD_PARTY.md has judged."""

READ_BY_HAND = {
    "prompt-toolkit": "BSD-3-Clause",
    "segno": "BSD-3-Clause",
    "uvloop": "Apache-2.0 OR MIT",
}
"""Where the package states less than its licence file."""

SPELLINGS = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "ISC License": "ISC",
    "LGPLv3": "LGPL-3.0-only",
    "MIT License": "MIT",
}
"""What packages call a licence, and its SPDX name."""

_CLASSIFIER = "License :: OSI Approved :: "
_HEADING = "| package | licence |\n|---|---|\n"


def licence(name: str, package: Distribution) -> str:
    """The SPDX expression of a package's licence, or what it says instead of one."""
    if name in READ_BY_HAND:
        return READ_BY_HAND[name]
    fields = ("License-Expression", "License", "Classifier")
    expression, free, classifiers = (package.metadata.get_all(field, []) for field in fields)
    classified = [each.removeprefix(_CLASSIFIER) for each in classifiers if each.startswith(_CLASSIFIER)]
    said = " OR ".join(expression or free or classified)
    return SPELLINGS.get(said, said)


def parts(expression: str) -> set[str]:
    """The licences that an SPDX expression names."""
    return set(re.split(r" (?:AND|OR|WITH) ", re.sub(r"[()]", "", expression)))


def table() -> str:
    """The rows for everything that is needed, as installed here."""
    packages = needed(USERS)
    return _HEADING + "".join(f"| {name} | {licence(name, package)} |\n" for name, package in packages.items())


def page(old: str) -> str:
    """The page with a fresh table."""
    before, _, rest = old.partition(_HEADING)
    after = re.sub(r"\A(?:\|.*\n)*", "", rest)
    return before + table() + after


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
