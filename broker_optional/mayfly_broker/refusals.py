"""Why the broker says no, in the words that a person gets to read."""

from __future__ import annotations

from mayfly.rendezvous.messages import LIMITS, ErrorBody, ErrorName

WORDS: dict[ErrorName, str] = {
    ErrorName.BAD_REQUEST: "The request does not fit the protocol.",
    ErrorName.VERSION: "This broker speaks another version of the protocol.",
    ErrorName.UNAUTHORIZED: "The token is missing, or belongs to something else.",
    ErrorName.NOT_FOUND: "There is nothing here. The interface is described at /openapi.json.",
    ErrorName.UNKNOWN_POSTING: "The posting is unknown: it lapsed, left, or the broker was restarted. Post again.",
    ErrorName.UNKNOWN_MATCH: "The match is unknown: it is long over, or the broker was restarted. Ask for a new one.",
    ErrorName.NO_SUCH_NAMEPLATE: "No relay waits under this number. The code may be mistyped, or its relay has left.",
    ErrorName.METHOD: "This cannot be done here with this method.",
    ErrorName.TIMEOUT: "The request took too long to arrive.",
    ErrorName.BUSY: "Somebody is using this code at this moment. Try again shortly.",
    ErrorName.CLOSED: "The match is over.",
    ErrorName.OUT_OF_ORDER: "Messages are numbered from 1 without a gap, and a number keeps its message.",
    ErrorName.MAILBOX_FULL: f"A match carries at most {LIMITS.max_messages} messages each way, and 8 KiB of them.",
    ErrorName.BURNED: "The code was tried too often and is void. The relay has to make a new one.",
    ErrorName.USED: "The code has been used. The relay has to make a new one for each friend.",
    ErrorName.TOO_LARGE: f"The body is larger than {LIMITS.max_body} bytes.",
    ErrorName.MEDIA_TYPE: "Bodies are application/json, neither compressed nor otherwise encoded.",
    ErrorName.TOO_MANY: "Too many requests come from this network. Try again later.",
    ErrorName.INTERNAL: "The broker has made a mistake.",
    ErrorName.NO_RELAY: "No relay that fits is free at this moment. Try again shortly, or ask for less.",
    ErrorName.FULL: "The broker is full. Try again later, or another broker.",
    ErrorName.DRAINING: "The broker is leaving. Try another one, or this one again shortly.",
    ErrorName.STORE_DOWN: "The broker cannot reach its store. Try again shortly.",
}
"""One sentence or two for each error."""


class RefusedError(Exception):
    """A request cannot be granted. `retry_after` is in seconds, where trying again makes sense."""

    def __init__(self, name: ErrorName, *, retry_after: float | None = None, message: str = "") -> None:
        super().__init__(name.value)
        self.name = name
        self.retry_after = retry_after
        self.message = message or WORDS[name]

    @property
    def body(self) -> ErrorBody:
        """What the one who asked is told."""
        return ErrorBody(self.name, self.message, self.retry_after)
