"""Serving a stream that the peer opened: its header, then whatever that asks for, and in the end nothing stays open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mayfly.config import StreamHeaderConfig
from mayfly.errors import StreamCode, StreamResetError
from mayfly.runtime.stream import Stream
from mayfly.wire.header import Header

Serve = Callable[[Stream, Header], Awaitable[None]]
"""Serves a stream behind its header, to its end. May raise StreamResetError."""


async def serve_stream(stream: Stream, serve: Serve, config: StreamHeaderConfig) -> None:
    """Read the header, and let `serve` do the rest. Raises nothing for what the peer does.

    The stream is reset with TIMEOUT when the header does not come whole in time, and with INTERNAL for an error of our
    own, which goes on to the caller.
    """
    try:
        try:
            header = await stream.read_header(config.timeout)
        except TimeoutError:
            stream.reset(StreamCode.TIMEOUT)
            return
        await serve(stream, header)
    except StreamResetError:
        pass  # the peer has changed its mind, or has left
    except Exception:
        stream.reset(StreamCode.INTERNAL)
        raise
    finally:
        # Ends what is still open. After an answer that was no, that is the peer's half.
        stream.reset(StreamCode.CANCELLED)
