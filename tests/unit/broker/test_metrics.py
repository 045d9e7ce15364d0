"""What is counted is rounded."""

from __future__ import annotations

import re

import pytest

from mayfly_broker.metrics import BIN, Tally, binned


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (1, 8), (8, 8), (9, 16)])
def test_binned(count: int, expected: int) -> None:
    assert binned(count) == expected


def test_every_number_is_a_multiple() -> None:
    tally = Tally()
    tally.requests["match", 201] += 3
    tally.refused["no-relay"] += 9
    tally.matches["pool"] += 17
    tally.gauges = {"postings": ("Relays that wait.", lambda: 1001)}
    text = tally.text().decode()
    values = [float(line.rpartition(" ")[2]) for line in text.splitlines() if not line.startswith("#")]
    assert sorted(values) == [8, 16, 24, 1008]
    assert all(value % BIN == 0 for value in values)
    assert 'mayfly_broker_requests_total{operation="match",status="201"} 8.0' in text
    assert re.search(r"^# HELP mayfly_broker_postings Relays that wait\.$", text, re.MULTILINE)
