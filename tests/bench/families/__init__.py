"""The families that there are: every module of this folder that has a FAMILY, in the order of their names."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from bench.family import Family


def all_families() -> list[Family]:
    """Import each, and give what it says of itself."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [import_module(f"{__name__}.{name}") for name in names]
    return [module.FAMILY for module in modules if isinstance(getattr(module, "FAMILY", None), Family)]
