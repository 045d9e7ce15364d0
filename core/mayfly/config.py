"""The limits that face a peer, frozen, each with the memory that it can cost.

Everything that a peer can make this process hold is bounded by a number on this page. The worst case of one session is
`MuxConfig.worst_case_memory`; a relay multiplies it by its clients.
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class MuxConfig:
    """The multiplexer's limits. Sizes are bytes, times are seconds."""

    usual_message: int = 16 * KIB
    """Bytes of a full message, and of a stream's turn, on a link that carries little: a keystroke waits behind it."""

    max_message: int = 64 * KIB
    """Bytes of a full message on a link that has room for two of them, and so is fast enough for them to delay nothing.
    Every message costs an engine and an event loop some work; fewer are cheaper."""

    max_receive_message: int = 64 * KIB
    """Largest message we accept; told to the peer in HELLO. A bigger one ends the session with MESSAGE_TOO_BIG."""

    initial_connection_window: int = 2 * MIB
    """Credit for all streams together before the first MAX_DATA; kept free above what the open streams may hold."""

    max_connection_window: int = 32 * MIB
    """Where the connection window stops growing. Bytes received and not consumed never pass it: at most this much."""

    initial_stream_window: int = 64 * KIB
    """Credit for one stream before its first MAX_STREAM_DATA. Small, so that hundreds of readers that stopped do not
    hold the whole connection window; a stream that is read grows fourfold a round trip. All that streams have grown by,
    head starts included, stays within three eighths of `max_connection_window`: 12 MiB of the 32."""

    max_stream_window: int = 8 * MIB
    """Where a stream's window stops growing. Counts within the connection's."""

    max_streams: int = 1024
    """Streams that the peer may have open at once, and that we open at most ourselves, whatever the peer allows.
    An idle one costs about 3 KiB in the multiplexer."""

    send_buffer: int = 256 * KIB
    """Bytes of one stream that wait to be sent; then writes are refused."""

    send_pool: int = 32 * MIB
    """What all streams together may have waiting, but for `send_floor`: a peer that stops reading fills it. No stream
    gets more than a quarter of what is left, so those that still move find room."""

    send_floor: int = 16 * KIB
    """What each stream may always have waiting, however full the pool: at most this much times `max_streams` more."""

    max_gaps: int = 4096
    """Separate pieces held out of order in all streams together, at about 250 bytes of bookkeeping each: 1 MiB."""

    max_datagrams: int = 64
    """Datagrams that wait each way; the oldest is dropped. At most this many times `max_datagram`, so 1 MiB."""

    max_datagram: int = 16 * KIB - 64
    """Largest DATAGRAM payload that we accept. It travels in one message."""

    max_span: float = 366 * 24 * 3600.0
    """Seconds: longer spans that a peer tells of (a lifetime, a GOAWAY's deadline) count as this."""

    max_reason: int = 256
    """Bytes of a CONNECTION_CLOSE or GOAWAY reason that we send, and that we keep."""

    ping_after: float = 4.0
    """Silence after which a PING asks whether the peer is there."""

    dead_after: float = 12.0
    """Silence after which the link is dead. With one ping period of slack this is within 15 s."""

    hello_timeout: float = 30.0
    """How long the peer's HELLO may take once the channel is open."""

    report_delay: float = 0.02
    """How long the word that all of a stream was read, or an end nobody waits for, may wait for another message."""

    interactive_bytes: int = 128 * KIB
    """A stream whose queue stays full for this many bytes is bulk until it runs empty."""

    fairness_bytes: int = 256 * KIB
    """A lower class that waits while this much of higher classes is sent gets one turn."""

    def __post_init__(self) -> None:
        if not 1200 <= self.usual_message <= self.max_message <= self.max_receive_message:
            raise ValueError("usual_message, max_message, max_receive_message must rise in this order from 1200 on")
        if self.max_datagram + 64 > self.max_receive_message:
            raise ValueError("a datagram must fit a message")
        if self.max_reason > 800:
            raise ValueError("a reason must fit the smallest message")
        if self.initial_stream_window > self.max_stream_window:
            raise ValueError("initial_stream_window is above max_stream_window")
        if self.initial_connection_window > self.max_connection_window:
            raise ValueError("initial_connection_window is above max_connection_window")

    @property
    def worst_case_memory(self) -> int:
        """Bytes that a hostile peer can make one session hold, bookkeeping included (see tests/unit/mux)."""
        received = 2 * self.max_connection_window  # small pieces are copied together; a copy exists while that happens
        early = self.initial_connection_window + self.max_receive_message
        datagrams = 2 * self.max_datagrams * self.max_datagram
        unsent = self.send_pool + self.max_streams * self.send_floor
        return unsent + received + early + datagrams + self.max_gaps * 256 + self.max_streams * 4 * KIB


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """How a link is made and fed. Sizes are bytes, times are seconds."""

    high_water: int = 256 * KIB
    """Bytes in the engine's send buffer above which nothing more is put into it. On a slow path it is less, where the
    engine knows the rate: what waits there nothing can overtake."""

    native_high_water: int = 512 * KIB
    """The same for libwebrtc, which grows its window only while it never runs out: a round trip's acknowledgements come
    within milliseconds. Below it there is room for 16 MiB."""

    offer_lifetime: float = 15 * 60
    """How long an offer waits for its answer, and what its code says."""

    answer_lifetime: float = 15 * 60
    """How long an answerer keeps checking while a person carries the answer back."""

    connect_timeout: float = 30.0
    """How long ICE, DTLS and SCTP may take once the offerer has the answer."""

    keepalive_interval: float = 10.0
    """Between packets that hold a NAT mapping open while a code travels."""

    stun_timeout: float = 5.0
    """How long gathering waits for the STUN servers."""

    max_candidates: int = 16
    """Candidates of the peer that are looked at; the rest are ignored."""


@dataclass(frozen=True, slots=True)
class SocksConfig:
    """The local proxy's limits, which face local applications."""

    max_handshake: int = 8 * KIB
    """Bytes of a SOCKS or HTTP CONNECT request; more is refused."""

    handshake_timeout: float = 30.0
    """Seconds for an application to finish its request."""

    max_connections: int = 1024
    """Local connections at once, each with at most one stream's buffers."""


@dataclass(frozen=True, slots=True)
class SpliceConfig:
    """What a stream that is joined to a TCP connection may hold beside the multiplexer's buffers. Sizes are bytes."""

    piece: int = 32 * KIB
    """Taken from the stream at a time."""

    write_high: int = 16 * KIB
    """Bytes that wait for TCP above which nothing more is taken."""

    @property
    def worst_case(self) -> int:
        """Bytes that one stream can hold here: what waited below the mark, and one piece on top."""
        return self.write_high + self.piece


@dataclass(frozen=True, slots=True)
class StreamHeaderConfig:
    """Limits of the header with which each stream starts."""

    max_header: int = 512
    """Bytes of a header or an answer. A name takes at most 255 of them."""

    timeout: float = 30.0
    """Seconds for a header to arrive whole."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What one link may hold below the multiplexer, whatever the far end sends. Sizes are bytes, times are seconds."""

    max_message: int = 256 * KIB
    """Largest message either way: what aiortc, libwebrtc and Chromium all take. A bigger one ends the link."""

    max_early: int = 1 * MIB
    """Messages that arrive before the session has started."""

    max_waiting: int = 4 * MIB
    """Datagrams that wait for DTLS, each with 128 bytes of bookkeeping; more are dropped, as the network would. With
    batches they wait during the handshake alone."""

    max_datagram: int = 16 * KIB + 256
    """Largest datagram that is let in: one DTLS record (RFC 6347 §4.1). Loopback and jumbo frames carry such."""

    max_reassembly: int = 4 * MIB
    """Bytes of unfinished messages: SCTP's receive window. One message more is held while its gap is being filled.
    Enough for 200 Mbit/s at 100 ms, with a queue on the way."""

    max_ahead: int = 4096
    """Packets that may have overtaken a missing one, at about 600 bytes of bookkeeping each."""

    max_span: int = 16384
    """How far past a missing TSN others are taken in, and sent: at most half as many gaps, of 200 bytes each."""

    linger: float = 3.0
    """How long close() waits for what was sent to be acknowledged. SCTP needs a second to notice a lost last packet."""

    @property
    def worst_case_memory(self) -> int:
        """Bytes that a hostile far end can make one link hold."""
        chunks = 600 * (self.max_ahead + self.max_message // 256) + 100 * self.max_span
        return self.max_early + self.max_waiting + self.max_reassembly + 2 * self.max_message + chunks


@dataclass(frozen=True, slots=True)
class SctpConfig:
    """How an association of our own behaves in time and in packets. Sizes are bytes, times are seconds."""

    base_packet: int = 1188
    """An SCTP packet that passes every path: with DTLS, UDP and IPv6 around it below 1,280. What is sent at first."""

    packet_sizes: tuple[int, ...] = (1352, 1432, 16 * KIB)
    """What is tried beyond it: a VPN on Ethernet, Ethernet itself, and one DTLS record, which loopback carries."""

    max_probes: int = 3
    """Times that a size is tried in a row."""

    probe_interval: float = 2.0
    """Between them."""

    search_interval: float = 600.0
    """Until the path is searched anew (RFC 8899 §5.1.1)."""

    rto_initial: float = 1.0
    """Retransmission timeout before anything was measured (RFC 9260 §6.3.1)."""

    rto_margin: float = 0.2
    """At least so much above the round-trip time, which covers what far ends may delay a SACK."""

    rto_max: float = 10.0
    """Where the timeout stops doubling, so that a path that comes back is noticed soon."""

    max_retransmits: int = 10
    """Timeouts in a row after which the far end is gone."""

    max_handshakes: int = 8
    """Times that INIT, COOKIE ECHO, SHUTDOWN or a stream reset is sent again."""

    sack_delay: float = 0.02
    """How long a single packet may wait for its SACK (RFC 9260 §6.2 allows 0.2)."""

    probe_margin: float = 0.03
    """Beyond two round trips of silence, before the last packet is sent again as a question (RFC 8985 §7)."""


@dataclass(frozen=True, slots=True)
class FilesConfig:
    """What one transfer of files may hold, whatever its peer sends. Sizes are bytes."""

    max_entries: int = 1_000_000
    """Files, directories and links of one transfer; more are refused. `entry_memory` bytes each while it runs."""

    max_manifest: int = 64 * MIB
    """Bytes of all ENTRY records of one transfer together."""

    max_depth: int = 64
    """Directories in each other."""

    max_path: int = 2048
    """Bytes of one path, or of a link's target, as UTF-8. With the target directory it stays below Linux's 4,096."""

    max_text: int = 1 * MIB
    """Bytes of a transfer that is text, which is shown and not written to a file."""

    files_ahead: int = 4096
    """Files that the receiver asks for before the first of them is finished, at about 100 bytes each: small files
    then cost no round trip."""

    read_ahead: int = 2 * MIB
    """Bytes that the sender has asked its disk for, or has read, and that the stream has not taken yet."""

    max_unstored: int = 8 * MIB
    """Bytes that the sender has read from its disk and the receiver has not on its own: a chunk. Whatever ends a
    transfer, going on sends no more than that again. The sender holds `read_ahead` of it at most, so this costs no
    memory; at 100 ms of round trip it allows 60 MB/s or more."""

    max_unwritten: int = 8 * MIB
    """Bytes that wait for the receiver's disk; beyond it nothing more is read from the stream."""

    max_changes: int = 1000
    """Changed names, and links left out, of which the words are kept; the others are only counted."""

    def __post_init__(self) -> None:
        if min(self.read_ahead, self.max_unwritten) < MIB:
            raise ValueError("read_ahead and max_unwritten hold at least one block of 1 MiB")
        if self.max_unstored < 2 * MIB:
            raise ValueError("max_unstored holds at least two blocks, or a stream of unknown size could not go on")
        if self.max_path < 255:
            raise ValueError("max_path holds at least one name of 255 bytes")

    @property
    def entry_memory(self) -> int:
        """Bytes that one entry costs, its path apart (see tests/unit/files/test_manifest.py)."""
        return 640

    @property
    def worst_case_memory(self) -> int:
        """Bytes that a hostile sender can make one accepted transfer hold."""
        manifest = 4 * self.max_manifest + self.max_entries * self.entry_memory
        return manifest + 2 * self.max_unwritten + self.files_ahead * 100 + self.max_changes * 4 * self.max_path


@dataclass(frozen=True, slots=True)
class ChatConfig:
    """What one chat room holds for its peers, and how fast each may talk. Sizes are bytes, times are seconds."""

    max_participants: int = 32
    """Processes that the room knows at once, with those that are away; at most 62, so that one record names all."""

    max_waiting: int = 256
    """Messages kept for one participant until it has them. A further one is not kept, and its author told so."""

    max_waiting_bytes: int = 512 * KIB
    """Text of those messages, as UTF-8; it may take four times that in memory."""

    max_share: int = 128
    """How many of them may be of one author, and half the bytes, so that nobody uses up another's room."""

    max_queue: int = 1 * MIB
    """Bytes that wait to be written to one half of one session's streams. A peer that lets it pass that is dropped."""

    keep_away: float = 600.0
    """How long a participant whose link was lost may come back to its name and its messages."""

    record_rate: float = 20.0
    """Records a second that are read from one participant in the long run; ten times that from one that forwards."""

    record_burst: float = 200.0
    """Records that may come at once."""

    byte_rate: float = 64.0 * KIB
    """Bytes of records a second, likewise."""

    byte_burst: float = 256.0 * KIB
    """Bytes that may come at once."""

    def __post_init__(self) -> None:
        if not 1 <= self.max_participants <= 62:
            raise ValueError("max_participants must lie between 1 and 62")
        if not 1 <= self.max_share <= self.max_waiting:
            raise ValueError("max_share is above max_waiting")
        if self.max_queue < self.max_waiting_bytes + self.max_waiting * KIB:
            raise ValueError("max_queue must hold all that waits for a participant")

    @property
    def worst_case_memory(self) -> int:
        """Bytes that hostile peers can make one room hold."""
        settled = self.max_waiting * 2 * self.max_participants * 100
        return self.max_participants * (4 * self.max_waiting_bytes + 2 * self.max_queue + settled) + 4 * MIB


@dataclass(frozen=True, slots=True)
class RendezvousConfig:
    """What a body of the broker's interface may hold. Part of the protocol: both ends know these numbers."""

    max_body: int = 16 * KIB
    """Bytes of any other body. A longer request is refused unread."""

    max_answer: int = 64 * KIB
    """Bytes of the news of a posting, the only answer that may be longer than `max_body`."""

    max_events: int = 8
    """Events in one answer of news; what else there is comes with the next."""

    max_message: int = 4 * KIB
    """Bytes of one sealed message, before base64url."""

    max_messages: int = 8
    """Messages that one side sends in one match."""

    max_capacity: int = 64
    """Matches that one posting serves at once."""

    max_exclude: int = 32
    """Postings that a client may ask not to be given."""

    min_lifetime: float = 10.0
    """Seconds: nobody posts for less, which only brings traffic."""

    max_lifetime: float = 7 * 24 * 3600.0
    """Seconds: the longest span in any body, and the longest that a posting may stand."""

    max_wait: float = 25.0
    """Seconds: a long poll is answered after this, whatever happens. Below the idle time-out of common proxies."""
