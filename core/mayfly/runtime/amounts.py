"""Bytes as people write them."""

from __future__ import annotations


def amount(size: float) -> str:
    """In powers of 1000 and three or four digits: `0 B`, `999 B`, `1.2 kB`, `10.0 GB`."""
    if size < 1000:
        return f"{size:.0f} B"
    prefixes = "kMGTPE"
    power = next((power for power in range(1, len(prefixes)) if size < 999.95 * 1000**power), len(prefixes))
    return f"{size / 1000**power:.1f} {prefixes[power - 1]}B"
