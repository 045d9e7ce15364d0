"""What the two ends of a session say of themselves in HELLO."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from mayfly.config import MuxConfig
from mayfly.wire.hello import SESSION_ID_SIZE, Hello, Role, Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHello:
    """What our end says of itself."""

    role: Role
    policy: str = ""
    lifetime: float | None = None
    upstream: Upstream | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerHello:
    """What the peer says of itself. `policy` is foreign text; `lifetime` is in seconds from when it was said."""

    role: Role
    policy: str
    lifetime: float | None
    upstream: Upstream | None = None


def own_hello(config: MuxConfig, local: LocalHello) -> Hello:
    """Our HELLO: the limits that the configuration sets, and a new session's identifier."""
    return Hello(
        max_message=config.max_receive_message,
        max_data=config.initial_connection_window,
        max_stream_data=config.initial_stream_window,
        max_streams=config.max_streams,
        max_datagram=config.max_datagram,
        session_id=secrets.token_bytes(SESSION_ID_SIZE),
        role=local.role,
        policy=local.policy,
        lifetime=None if local.lifetime is None else max(0, int(local.lifetime)),
        upstream=local.upstream,
    )


def heard(hello: Hello, config: MuxConfig) -> PeerHello:
    """What the peer's HELLO says of it, within reason."""
    lifetime = None if hello.lifetime is None else min(hello.lifetime, config.max_span)
    return PeerHello(role=hello.role, policy=hello.policy, lifetime=lifetime, upstream=hello.upstream)
