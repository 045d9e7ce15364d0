"""Every path of the interface, once: the application routes by this table, and the OpenAPI document is made of it."""

from __future__ import annotations

from dataclasses import dataclass

from mayfly.rendezvous.messages import ErrorName


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `body` and `answer` name bodies of mayfly.rendezvous.messages; `query` parameters of `openapi`."""

    method: str
    path: str
    operation: str
    summary: str
    status: int = 200
    body: str | None = None
    answer: str | None = None
    query: tuple[str, ...] = ()
    bearer: bool = True
    errors: tuple[ErrorName, ...] = ()


_OPEN = (ErrorName.BAD_REQUEST, ErrorName.VERSION, ErrorName.FULL)
_POSTING = (ErrorName.BAD_REQUEST, ErrorName.UNKNOWN_POSTING, ErrorName.BURNED, ErrorName.USED)
_MATCH = (ErrorName.BAD_REQUEST, ErrorName.UNKNOWN_MATCH)

ROUTES = (
    Route(
        "POST", "/v1/postings", "post", "A relay waits for clients.",
        status=201, body="NewPosting", answer="PostingCreated", bearer=False, errors=_OPEN,
    ),
    Route(
        "PATCH", "/v1/postings/{posting}", "update", "Change what the relay says of itself, and renew the posting.",
        body="PostingUpdate", answer="Renewed", errors=_POSTING,
    ),
    Route("DELETE", "/v1/postings/{posting}", "leave", "Wait no longer.", status=204, errors=_POSTING[:2]),
    Route(
        "GET", "/v1/postings/{posting}/next", "news", "What has happened to the posting; waits until something has.",
        answer="PostingNews", query=("wait", "after"), errors=_POSTING,
    ),
    Route(
        "POST", "/v1/matches", "match", "A client wants a relay.",
        status=201, body="NewMatch", answer="MatchCreated", bearer=False,
        errors=(
            *_OPEN, ErrorName.NO_SUCH_NAMEPLATE, ErrorName.BUSY, ErrorName.BURNED, ErrorName.USED, ErrorName.NO_RELAY
        ),
    ),
    Route(
        "POST", "/v1/matches/{match}/messages", "send", "Send to the other side, and wait for what it says.",
        body="NewMessage", answer="Mailbox", query=("wait", "after"),
        errors=(*_MATCH, ErrorName.CLOSED, ErrorName.OUT_OF_ORDER, ErrorName.MAILBOX_FULL),
    ),
    Route(
        "GET", "/v1/matches/{match}/messages", "mailbox", "What the other side says; waits until it says something.",
        answer="Mailbox", query=("wait", "after"), errors=_MATCH,
    ),
    Route(
        "DELETE", "/v1/matches/{match}", "close", "End the match, and say how it went.",
        status=204, query=("outcome",), errors=_MATCH,
    ),
    Route("GET", "/healthz", "health", "Whether the broker runs and its store answers.", answer="Health", bearer=False),
)  # fmt: skip

ANYWHERE = (ErrorName.TOO_MANY, ErrorName.INTERNAL, ErrorName.DRAINING, ErrorName.STORE_DOWN, ErrorName.NOT_FOUND)
"""Errors that any request may meet."""

WITH_BODY = (ErrorName.TIMEOUT, ErrorName.TOO_LARGE, ErrorName.MEDIA_TYPE)
"""Errors that any request with a body may meet."""
