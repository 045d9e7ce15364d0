"""Which of a user's settings this engine cannot follow. Apart from the rest, so that asking does not load libwebrtc."""

from __future__ import annotations

from mayfly.transport.base import IpPolicy, LinkSettings


def lacking(settings: LinkSettings) -> str | None:
    """The option among these settings that this engine lacks, as it is typed; None when it has all of them.

    libwebrtc opens sockets on every address of the computer and checks from each of them. So it cannot keep a promise
    that only some are used; it can keep the promise that only some are told.
    """
    if settings.bind:
        return "--bind"
    if settings.ip_policy is IpPolicy.LAN:
        return "--ip-policy lan"
    return None
