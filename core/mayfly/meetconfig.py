"""The limits of those who meet through a broker or an onion service: the second part of config.py."""

from __future__ import annotations

from dataclasses import dataclass

from mayfly.config import KIB


@dataclass(frozen=True, slots=True)
class MeetingConfig:
    """What brokers and those whom we meet there can make us hold, and how long we wait. Times are seconds."""

    max_response: int = 256 * KIB
    """Bytes of a broker's response; a longer one is refused unread. One is held for each request under way."""

    max_matches: int = 32
    """Matches that a relay works on at once, whatever the broker hands it; each holds a few messages and, once an offer
    was opened, one link in the making."""

    tries: int = 3
    """Wrong words after which a short code is burnt: a guesser's chance is this many in 65,536."""

    connect_timeout: float = 5.0
    """To reach a broker, TLS included; then the next one is tried."""

    answer_timeout: float = 15.0
    """For a broker's response, on top of what we ask it to wait."""

    exchange_timeout: float = 10.0
    """For the other side's next message in a match; then the exchange is given up."""

    first_timeout: float = 4.0
    """For a client's first message, which it sends as soon as it is matched; then its seat is given up."""

    connect_link: float = 15.0
    """For the link once both sides have offer and answer; then another relay is tried."""

    backoff: float = 0.5
    """The first pause after a failure; each further one doubles it, and each is drawn from the half below."""

    max_backoff: float = 30.0
    """Where the pauses stop growing."""

    friend_backoff: float = 4.0
    """The same where two people wait."""


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """How a client keeps several relays. Times are seconds; each relay costs a session's and a link's worst case."""

    relays: int = 2
    """Links that are kept. While some are being replaced there may be twice as many."""

    replace_ahead: float = 60.0
    """So long before a relay said that it leaves, or a quarter of its time where that is less, another is fetched."""

    forget_failures: float = 600.0
    """How long a relay that failed is not asked for again, unless there is no other."""

    max_failures: int = 24
    """Failed relays that are remembered: with those in use they fit what a broker lets a client exclude."""

    quiet: float = 0.3
    """How long a relay may be silent after a new stream's request, or four round trips where that is more; then the
    stream is opened on another relay."""

    ask_after: float = 0.5
    """Silence of a relay with a stream on it after which it is asked for a sign of life."""

    ask_idle: float = 1.0
    """The same where nothing has come lately but answers to that."""

    ask_again: float = 0.15
    """Between two questions while there is no answer. Each travels by itself: where a tenth of the packets is lost each
    way, one of the eight that `give_up` has time for at a round trip of 0.3 s is answered in all but 2 of a million
    silences."""

    give_up: float = 1.5
    """Silence from the first question on after which a relay is given up and its streams are reset, or five round trips
    where that is more."""

    alone: float = 3.0
    """At least so long where there is no other relay: there it would only cost streams that may yet go on."""

    watch: float = 1.0
    """Between two looks at the speed of each relay."""

    no_relay: float = 20.0
    """How long an application's request waits for a relay where there is none."""

    backoff: float = 0.5
    """As in MeetingConfig, between failed tries to get a relay."""

    max_backoff: float = 30.0
    """Where these pauses stop growing."""

    speed_sample: int = 256 * KIB
    """Bytes a second above which a relay's speed counts as measured."""

    def __post_init__(self) -> None:
        if not 1 <= self.relays <= 8:
            raise ValueError("a client keeps 1 to 8 relays")


@dataclass(frozen=True, slots=True)
class OnionConfig:
    """What a relay's onion service does for callers, who cannot be told apart. Times are seconds."""

    max_line: int = 4 * KIB
    """Bytes of one line. A code takes a few hundred."""

    max_callers: int = 8
    """Calls at once. Each may hold one offer, with its sockets, until it is answered or late."""

    call_timeout: float = 20.0
    """How long a caller may take to say what it wants."""

    answer_timeout: float = 60.0
    """How long an offer waits for its answer. Both ways lead through six relays of Tor's each."""

    offer_rate: float = 0.2
    """Offers a second in the long run: each asks the STUN servers."""

    offer_burst: int = 8
    """Offers that may be made at once."""

    retry_after: float = 5.0
    """When a caller that was too many may come back, and a caller's own pause between two tries."""

    connect_timeout: float = 30.0
    """How long tor may take to reach the service, before a caller starts over."""

    patience: float = 180.0
    """How long a caller tries. A new service can take a minute until it is found."""

    @property
    def worst_case_memory(self) -> int:
        """Bytes that callers can make us hold: what was read and not understood yet, and an offer of 64 KiB each."""
        return self.max_callers * (64 * KIB + self.max_line + 64 * KIB)
