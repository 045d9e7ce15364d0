"""The limits that face those who come to a broker, frozen, each with what it costs.

Those of the protocol itself stand in `mayfly.config`, as RendezvousConfig.
"""

from __future__ import annotations

from dataclasses import dataclass

from mayfly.config import KIB


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """What strangers can make a broker hold and do. Times are seconds."""

    max_postings: int = 20_000
    """Relays that wait, at about 2 KiB each. A further one is told `full`."""

    max_matches: int = 10_000
    """Matches that are open or were closed within `linger`."""

    max_mailbox: int = 8 * KIB
    """Characters of all messages of one side of a match."""

    max_connections: int = 16_000
    """Connections of all peers together, at about 20 KiB each with a long poll on it; a further one is closed."""

    lease: float = 45.0
    """A posting stands for so long after its last poll began or ended."""

    cut_lease: float = 10.0
    """And for so long after the connection of a poll was cut: the relay has died, or comes back at once."""

    match_lifetime: float = 60.0
    """A match ends after this, finished or not."""

    linger: float = 15.0
    """How long a closed match can still be read, so that the last message and the reason arrive."""

    tries: int = 3
    """Guesses that one short code is good for: matches that got as far as telling right words from wrong ones."""

    openings: int = 12
    """Matches that it is good for, however early they break off: a code that is only kept busy ends, too."""

    nameplate_rest: float = 600.0
    """How long a nameplate is not given out again, so that an old code never leads to a stranger."""

    max_nameplate: int = 9_999_999
    """The largest nameplate. Those in use and those at rest together are no more."""

    prefix_postings: int = 64
    """Postings of one address prefix at a time."""

    prefix_matches: int = 64
    """Open matches of one address prefix at a time."""

    prefix_connections: int = 512
    """Connections of one address prefix at a time."""

    prefix_claims: int = 10
    """Nameplates that one address prefix may try in `claim_window`, right or wrong."""

    claim_window: float = 60.0
    """The window of `prefix_claims`; one counter of about 200 bytes for each prefix that has used it."""

    prefix_rate: float = 20.0
    """Requests a second of one address prefix in the long run."""

    prefix_burst: float = 200.0
    """Requests of one prefix that may come at once."""

    max_prefixes: int = 65_536
    """Prefixes whose rate is remembered at a time, about 250 bytes each; the one heard of longest ago is forgotten."""

    request_timeout: float = 10.0
    """How long the body of a request may take."""

    handshake_timeout: float = 10.0
    """How long the TLS handshake of a connection may take."""

    idle_timeout: float = 30.0
    """How long a connection may stay open without a request whose head has come whole."""

    drain: float = 10.0
    """How long open matches may go on when the broker leaves."""

    @property
    def worst_case_memory(self) -> int:
        """Bytes that hostile peers can make a broker hold in its own memory, Redis or not."""
        matches = self.max_matches * (2 * (2 * self.max_mailbox) + 4 * KIB)
        connections = self.max_connections * 20 * KIB
        return self.max_postings * 2 * KIB + matches + connections + self.max_prefixes * 450
