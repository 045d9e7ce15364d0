"""What the broker counts, for Prometheus.

Every number is rounded up to a multiple of eight, so that who reads /metrics sees few single comings and goings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

BIN = 8

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def binned(count: int) -> int:
    """Rounded up to a multiple of BIN."""
    return -(-count // BIN) * BIN


class Tally(Collector):
    """The counters of one process, and the gauges that `gauges` reads when somebody asks."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        """By operation and status."""
        self.refused: Counter[str] = Counter()
        """By error name."""
        self.matches: Counter[str] = Counter()
        """Made, by mode."""
        self.gauges: dict[str, tuple[str, Callable[[], int]]] = {}
        """By name, with words for people."""
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """What Prometheus' client asks for."""
        requests = CounterMetricFamily("mayfly_broker_requests", "Requests answered.", labels=["operation", "status"])
        for (operation, status), count in sorted(self.requests.items()):
            requests.add_metric([operation, str(status)], binned(count))
        yield requests
        refused = CounterMetricFamily("mayfly_broker_refused", "Requests refused, by error.", labels=["error"])
        for name, count in sorted(self.refused.items()):
            refused.add_metric([name], binned(count))
        yield refused
        matches = CounterMetricFamily("mayfly_broker_matches", "Clients that were given a relay.", labels=["mode"])
        for mode, count in sorted(self.matches.items()):
            matches.add_metric([mode], binned(count))
        yield matches
        for name, (words, read) in self.gauges.items():
            yield GaugeMetricFamily(f"mayfly_broker_{name}", words, value=binned(read()))

    def text(self) -> bytes:
        """The whole in Prometheus' text format."""
        return generate_latest(self._registry)
