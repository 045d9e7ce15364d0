"""What the distribution needs: its dependencies and theirs, as the installed packages state them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DISTRIBUTION = "mayfly-relay"
USERS = ("native", "redis")
"""The extras that people install."""
DEVELOPERS = (*USERS, "dev")
"""Those of `make test`."""


def needed(extras: Iterable[str]) -> dict[str, Distribution]:
    """Every installed package that the distribution with these extras needs on this Python, by canonical name."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(DISTRIBUTION, extra) for extra in ("", *extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            sys.exit(f"{name} is not installed: make venv")
        for line in found[name].requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                name_of_it = canonicalize_name(requirement.name)
                waiting += [(name_of_it, more) for more in ("", *requirement.extras)]
    del found[DISTRIBUTION]
    return dict(sorted(found.items()))
