"""Durations, sizes, rates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly_cli.units import LONGEST, clock, counted, duration, in_words, rate, size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("1h 30m", 5400), ("1d", 86400), ("1.5h", 5400),
        ("45", 45), ("0.5", 0.5), ("0", 0), ("0s", 0), (" 5m ", 300), ("1d2h3m4s", 93784),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "h", "2 hours", "30m1h", "1h1h", "-5s", "1e3", "inf", "nan", "٣s", "5S", "1h30", ".5h", "400d", "9" * 16],
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        duration(text)


@given(st.integers(0, 300), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_is_the_sum_of_its_parts(days: int, hours: int, minutes: int, seconds: int) -> None:
    expected = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    assert duration(f"{days}d{hours}h{minutes}m{seconds}s") == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("5MB", 5_000_000), ("5 MB", 5_000_000), ("500kB", 500_000), ("500KB", 500_000), ("2GiB", 2 * 1024**3),
        ("1TB", 10**12), ("1.5MB", 1_500_000), ("100", 100), ("100B", 100), ("7KiB", 7168), ("0.5B", 1),
    ],
)  # fmt: skip
def test_sizes(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize("text", ["", "5", "5B", "5MB"])
def test_a_size_is_never_zero(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        size(text.replace("5", "0"))


@pytest.mark.parametrize(
    "text", ["5MB/s", "20Mbit", "5M", "5mb", "5Mb", "MB", "-1MB", "1e3", "5 M B", "5PB", "5iB", "٣MB"]
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        size(text)


def test_a_lone_b_is_explained() -> None:
    with pytest.raises(ValueError, match="bits or bytes"):
        rate("5Mb/s")


@pytest.mark.parametrize(
    ("text", "bytes_a_second"),
    [
        ("5MB/s", 5e6), ("5MB", 5e6), ("500kB/s", 5e5), ("20Mbit/s", 2.5e6), ("20mbit", 2.5e6), ("8bit/s", 1),
        ("1MiB/s", 1048576), ("100", 100), ("0.5kB/s", 500),
    ],
)  # fmt: skip
def test_rates(text: str, bytes_a_second: float) -> None:
    assert rate(text) == bytes_a_second


@pytest.mark.parametrize("text", ["", "0", "0MB/s", "fast", "5MB/m", "5Mibit/s", "5Mbps", "/s", "5/s"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        rate(text)


@given(st.text(max_size=40) | st.from_regex(r"[0-9.]{0,20} ?[kKMGT]?i?(B|b|bit)?(/s)?[dhms0-9]*", fullmatch=True))
def test_any_text_gives_a_sensible_number_or_a_value_error(text: str) -> None:
    for convert, least in ((duration, 0.0), (size, 1), (rate, 0.0)):
        try:
            value = convert(text)
        except ValueError:
            continue
        assert least <= value < 1e28
        assert convert is not duration or value <= LONGEST


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"), (-5, "0 seconds"), (1, "1 second"), (59.6, "1 minute"), (90, "1 minute 30 seconds"),
        (125, "2 minutes"), (600, "10 minutes"), (3600, "1 hour"), (5400, "1 hour 30 minutes"),
        (5399.7, "1 hour 30 minutes"),
        (86400, "1 day"), (90000, "1 day 1 hour"), (86400 * 3 + 1800, "3 days"), (86400 * 3 + 3700, "3 days 1 hour"),
    ],
)  # fmt: skip
def test_durations_for_people(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


@given(st.floats(0, LONGEST))
def test_what_people_read_is_close_to_the_truth(seconds: float) -> None:
    total = 0
    lengths = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
    parts = in_words(seconds).split()
    for count, unit in zip(parts[::2], parts[1::2], strict=True):
        total += int(count) * lengths[unit.removesuffix("s")]
    assert abs(total - seconds) <= max(0.5, seconds * 0.26 if seconds < 300 else seconds * 0.11)
    assert len(parts) <= 4


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (0.2, "0:01"), (59.5, "1:00"), (754, "12:34"), (3723, "1:02:03"), (1e9, ">100 h")],
)
def test_clocks(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_counts_with_their_nouns() -> None:
    assert [counted(number, "circuit") for number in (0, 1, 2)] == ["0 circuits", "1 circuit", "2 circuits"]
    assert [counted(number, "match", "matches") for number in (1, 2)] == ["1 match", "2 matches"]
