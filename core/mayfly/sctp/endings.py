"""Why an association ended, in words for people. None holds an address or anything that the far end wrote."""

from __future__ import annotations

CLOSED = "the other side closed the link"
MALFORMED = "the other side sent a malformed packet"
FOREIGN_CHANNEL = "the other side opened a channel that was not agreed"
NOT_BINARY = "the other side sent a message that is not binary"
TOO_BIG = "the other side sent a message that is too big"
UNACKNOWLEDGED = "the other side acknowledged what was never sent"
ABANDONED = "the other side left out messages of a reliable channel"
SILENT = "the other side no longer answers"
SEND_FAILED = "the link can no longer send"


class BrokenRuleError(Exception):
    """The far end broke the protocol; the argument is one of the reasons above. Never leaves this package."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
