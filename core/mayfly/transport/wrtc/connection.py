"""One peer connection with its one channel, from gathering to open, and the words for what failed on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import webrtc

from mayfly.errors import ConnectError, UsageError
from mayfly.signaling.description import Description, Kind, Setup
from mayfly.signaling.sdp import from_sdp, to_sdp
from mayfly.transport.base import CHANNEL, LABEL, LinkSettings
from mayfly.transport.connecting import deadline_of_the_rest, no_address, no_path, no_progress, refused
from mayfly.transport.wrtc.options import checkable, configuration, disclosed
from mayfly.transport.wrtc.path import Selected, selected

PQC_TRIAL = "WebRTC-EnableDtlsPqc"
"""The field trial that makes the DTLS hello the one of today's Chromium. It counts only before the first connection."""

_LOOK = 0.5
"""Seconds between looks whether the offerer has come, of which no event tells."""


class NativeConnection:
    """A libwebrtc peer connection. Raises UsageError for a server that it cannot read."""

    def __init__(self, settings: LinkSettings, *, offerer: bool) -> None:
        self._settings = settings
        self._offerer = offerer
        self._remote: Description | None = None
        self._generation = 0
        if webrtc.field_trials.get(PQC_TRIAL) != "Enabled":
            webrtc.field_trials[PQC_TRIAL] = "Enabled"
        try:
            self._pc = webrtc.RTCPeerConnection(configuration(settings))
        except webrtc.RTCException as error:
            raise UsageError(
                "a STUN or TURN server cannot be read",
                hint="write it like --turn turn:turn.example.org:3478, --stun stun.example.org:3478",
            ) from error
        channel = webrtc.RTCDataChannelInit(ordered=settings.ordered, negotiated=True, id=CHANNEL)
        self.channel = self._pc.create_data_channel(LABEL, channel)
        self._changed = asyncio.Event()
        self._pc.on("icegatheringstatechange", self._on_change)
        self._pc.on("iceconnectionstatechange", self._on_change)
        self._pc.on("connectionstatechange", self._on_change)
        self.channel.on("open", self._on_change)
        self.channel.on("close", self._on_change)

    def on_failed(self, callback: Callable[[], None]) -> None:
        """Call back when the connection has failed for good."""

        def look(_event: webrtc.Event) -> None:
            if self._pc.connection_state == "failed":
                callback()

        self._pc.on("connectionstatechange", look)

    def on_path(self, callback: Callable[[], None]) -> None:
        """Call back when another path is taken. To be called once there is one."""
        if self._pc.sctp is not None:
            self._pc.sctp.transport.ice_transport.on("selectedcandidatepairchange", lambda _event: callback())

    async def path(self) -> Selected | None:
        """The path in use, as of now."""
        theirs = () if self._remote is None else self._remote.candidates
        return selected(await self._pc.get_stats(), theirs)

    async def gather(self) -> None:
        """Make our offer, or our answer to what was taken, and find our addresses. Raises GatheringError."""
        await self._pc.set_local_description()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.config.stun_timeout):
                while self._pc.ice_gathering_state != "complete":
                    self._changed.clear()
                    await self._changed.wait()
        if not self.describe(Kind.OFFER, Setup.ACTPASS).candidates:
            raise no_address("connect to a network, or choose another --ip-policy, --stun or --turn")

    def describe(self, kind: Kind, setup: Setup) -> Description:
        """What the far end has to know, as of now."""
        found = from_sdp(self._local_sdp(), kind)
        return replace(found, setup=setup, candidates=disclosed(found.candidates, self._settings))

    @property
    def symmetric(self) -> bool | None:
        """Whether two STUN servers see one socket of ours at different addresses; None when they do not."""
        mapped: dict[str, set[str]] = {}
        for line in self._local_sdp().splitlines():
            words = line.split()
            if line.startswith("a=candidate:") and "srflx" in words and "raddr" in words:
                base = " ".join(words[words.index("raddr") : words.index("raddr") + 4])
                mapped.setdefault(base, set()).add(f"{words[4]} {words[5]}")
        return True if any(len(addresses) > 1 for addresses in mapped.values()) else None

    async def take(self, remote: Description) -> None:
        """Take what the far end says of itself, all but its candidates. Raises ConnectError."""
        self._remote = remote
        kind = webrtc.RTCSdpType.offer if remote.kind is Kind.OFFER else webrtc.RTCSdpType.answer
        without = to_sdp(replace(remote, candidates=()))
        try:
            await self._pc.set_remote_description(webrtc.RTCSessionDescriptionInit(kind, without))
        except (webrtc.RTCException, TypeError) as error:
            raise ConnectError("the code cannot be used with this engine", hint="exchange new codes") from error

    async def opened(self, patience: float) -> None:
        """Wait for the open channel. ICE may take `patience` seconds, all the rest `connect_timeout` more.

        Raises ConnectError with the stage that failed.
        """
        brief = self._settings.config.connect_timeout
        loop = asyncio.get_running_loop()
        begin = loop.time()
        try:
            async with asyncio.timeout(patience):
                await self._until_path()
        except TimeoutError:
            raise no_path(offerer=self._offerer, symmetric=self.symmetric) from None
        deadline = deadline_of_the_rest(begin, patience, brief, loop.time())
        try:
            async with asyncio.timeout_at(deadline):
                await self._until_open()
        except TimeoutError:
            raise no_progress("handshake" if self._dtls_state() != "connected" else "channel") from None

    async def check(self) -> None:
        """Check the far end's candidates: for the first time, or anew, so that our NAT goes on to let it in.

        libwebrtc lets go of a candidate that stays silent for a quarter of a minute. The same one is new to it, and is
        checked again, where its generation is higher.
        """
        if self._remote is None:
            return
        ours = self.describe(Kind.OFFER, Setup.ACTPASS).candidates
        theirs = checkable(self._remote.candidates, ours, self._settings.config.max_candidates)
        for line in to_sdp(replace(self._remote, candidates=theirs)).splitlines():
            if line.startswith("a=candidate:"):
                candidate = f"{line.removeprefix('a=')} generation {self._generation}"
                with suppress(webrtc.RTCException):
                    await self._pc.add_ice_candidate(
                        webrtc.RTCIceCandidateInit(candidate, sdp_mid="0", sdp_m_line_index=0)
                    )
        self._generation += 1

    def close(self) -> None:
        """Free everything at once. Idempotent."""
        self._pc.close()
        self._changed.set()

    def _on_change(self, _event: webrtc.Event) -> None:
        self._changed.set()

    def _local_sdp(self) -> str:
        local = self._pc.local_description
        return "" if local is None else local.sdp

    async def _until_path(self) -> None:
        while True:
            self._changed.clear()
            self._check_closed()
            if self._dtls_state() in ("connected", "failed"):
                return
            if self._ice_state() in ("connected", "completed") and await self._far_end_came():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._changed.wait()

    async def _far_end_came(self) -> bool:
        """Whether the far end knows us. An offerer may answer our checks before that; its own come only then."""
        if self._offerer:
            return True
        pairs = (stats for stats in (await self._pc.get_stats()).values() if stats.type == "candidate-pair")
        return any(isinstance(pair, webrtc.RTCIceCandidatePairStats) and pair.requests_received for pair in pairs)

    async def _until_open(self) -> None:
        while self.channel.ready_state != "open":
            self._check_closed()
            if self._dtls_state() == "failed":
                raise _refused()
            if self.channel.ready_state == "closed":
                raise refused("it closed the link", "channel")
            self._changed.clear()
            await self._changed.wait()

    def _check_closed(self) -> None:
        if self._pc.signaling_state == "closed":
            raise ConnectError("this link was given up", hint="exchange new codes")

    def _ice_state(self) -> str:
        sctp = self._pc.sctp
        return "new" if sctp is None else str(sctp.transport.ice_transport.state.value)

    def _dtls_state(self) -> str | None:
        sctp = self._pc.sctp
        return None if sctp is None else str(sctp.transport.state.value)


def _refused() -> ConnectError:
    # libwebrtc checks the fingerprint inside the handshake, and says no more than that it failed.
    return ConnectError(
        "the encrypted handshake failed (DTLS): it was disturbed, or a certificate is not the one in its code, "
        "as with someone in the middle",
        hint="exchange new codes over another way; where the handshake is blocked, try --dtls-role on either side",
        stage="handshake",
    )
