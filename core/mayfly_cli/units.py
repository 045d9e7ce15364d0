"""Durations, sizes and rates as people write them, and durations as people read them.

::

    duration = number | part {part}     part = number ("d" | "h" | "m" | "s"), each unit once, big units first
    size     = number | number bytes    bytes = ["k"|"M"|"G"|"T"|"Ki"|"Mi"|"Gi"|"Ti"] "B"
    rate     = number | number bytes ["/s"] | number bits ["/s"]     bits = ["k"|"M"|"G"|"T"] "bit"
    number   = digits ["." digits]

A bare number is seconds, bytes, or bytes a second. k is 1000, Ki is 1024; prefixes may be written in either case. A
lone `b` is refused: some mean bits by it and some bytes.
"""

from __future__ import annotations

import math
import re

_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,9})?"
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile("".join(rf"(?:(?P<{unit}>{_NUMBER})\s*{unit}\s*)?" for unit in _SECONDS), re.ASCII)
_AMOUNT = re.compile(rf"({_NUMBER})\s*(?:([kmgt]i?)?(b|bit)(/s)?)?", re.ASCII | re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}

LONGEST = 366 * 86400.0
"""No duration is longer, in seconds: event loops and calendars stay within what they can represent."""

DURATION_FORM = "a duration such as 30s, 10m, 2h or 1h30m"
SIZE_FORM = "a size such as 500kB, 5MB or 2GiB"
RATE_FORM = "a rate such as 500kB/s, 5MB/s or 20Mbit/s"


def duration(text: str) -> float:
    """Seconds. Raises ValueError for anything outside the grammar, or beyond a year."""
    text = text.strip()
    if re.fullmatch(_NUMBER, text, re.ASCII):
        seconds = float(text)
    else:
        match = _DURATION.fullmatch(text)
        if match is None or not text:
            raise ValueError(f"is not {DURATION_FORM}")
        seconds = sum(float(match[unit] or 0) * length for unit, length in _SECONDS.items())
    if seconds > LONGEST:
        raise ValueError("is longer than a year")
    return seconds


def size(text: str) -> int:
    """Bytes, at least 1. Raises ValueError."""
    amount, per_second, bits = _amount(text, SIZE_FORM)
    if per_second or bits:
        raise ValueError(f"is not {SIZE_FORM}")
    return max(1, round(amount))


def rate(text: str) -> float:
    """Bytes a second, above 0. Raises ValueError."""
    amount, _, bits = _amount(text, RATE_FORM)
    return amount / 8 if bits else amount


def _amount(text: str, form: str) -> tuple[float, bool, bool]:
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"is not {form}")
    number, prefix, unit, per_second = match.groups(default="")
    bits = unit.lower() == "bit"
    if unit == "b":
        raise ValueError("has a lone b, which may mean bits or bytes: write B for bytes, bit for bits")
    if bits and prefix.lower().endswith("i"):
        raise ValueError(f"is not {form}")
    base = 1024 if prefix.lower().endswith("i") else 1000
    amount = float(number) * base ** _POWERS[prefix[:1].lower()]
    if amount <= 0:
        raise ValueError("must be above zero")
    return amount, bool(per_second), bits


def in_words(seconds: float) -> str:
    """A duration for people, in at most two units, rounded: `1 hour 30 minutes`, `45 seconds`."""
    left = max(0, round(seconds))
    if left >= 120:
        left = round(left / 60) * 60
    if left >= 86400 * 2:
        left = round(left / 3600) * 3600
    parts: list[str] = []
    for name, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, length)
        if count:
            parts.append(counted(count, name))
    return " ".join(parts[:2]) or "0 seconds"


def counted(number: int, one: str, more: str = "") -> str:
    """`1 connection`, `3 connections`; a plural that is not made with an s is given."""
    return f"1 {one}" if number == 1 else f"{number} {more or one + 's'}"


def clock(seconds: float) -> str:
    """A span as a clock shows it: `0:07`, `12:30`, `1:02:03`; more than 100 hours as `>100 h`."""
    if seconds > 360_000:
        return ">100 h"
    minutes, second = divmod(math.ceil(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute}:{second:02d}"
