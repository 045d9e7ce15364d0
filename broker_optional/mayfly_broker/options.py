"""What a broker is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mayfly_broker.config import BrokerConfig
from mayfly_broker.prefixes import Network


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen: a host and a port, or the path of a Unix socket."""

    host: str = "127.0.0.1"
    port: int = 8040
    path: Path | None = None

    @property
    def text(self) -> str:
        """As people write it."""
        if self.path is not None:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM: the certificate with its chain, and its key."""

    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class BrokerOptions:
    """Everything that `mayfly broker` takes."""

    listen: Place = field(default_factory=Place)
    metrics: Place | None = None
    """Where /metrics is served; None for beside everything else."""
    tls: Tls | None = None
    trusted: tuple[Network, ...] = ()
    """Reverse proxies whose X-Forwarded-For is believed."""
    store: str = "memory"
    """`memory`, or the URL of a Redis."""
    access_log: bool = False
    config: BrokerConfig = field(default_factory=BrokerConfig)
