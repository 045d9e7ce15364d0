"""The JSON bodies of the broker's interface, version 1, as frozen structs; core/PROTOCOL.md has them in words.

`parse(kind, body)` turns foreign bytes into one of them or raises MessageError; `serialise(message)` is the way back;
`schemas()` gives their JSON Schemas, of which the broker makes its OpenAPI document. Unknown members are ignored,
so that members can be added. Binary values are base64url without padding (RFC 4648 §5), times are seconds from now: no
clock of the other side is trusted or needed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar, cast, get_args

import msgspec
from msgspec import Meta, Struct

from mayfly.config import RendezvousConfig

VERSION = 1

LIMITS = RendezvousConfig()

_BASE64_LIMIT = (LIMITS.max_message * 4 + 2) // 3


class ErrorName(StrEnum):
    """Why a request was refused: `error` in an ErrorBody. Stable; each has one HTTP status."""

    BAD_REQUEST = "bad-request"
    VERSION = "version-unsupported"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not-found"
    UNKNOWN_POSTING = "unknown-posting"
    UNKNOWN_MATCH = "unknown-match"
    NO_SUCH_NAMEPLATE = "no-such-nameplate"
    NO_RELAY = "no-relay"
    METHOD = "method-not-allowed"
    TIMEOUT = "timeout"
    BUSY = "busy"
    CLOSED = "closed"
    OUT_OF_ORDER = "out-of-order"
    MAILBOX_FULL = "mailbox-full"
    BURNED = "burned"
    USED = "used"
    TOO_LARGE = "too-large"
    MEDIA_TYPE = "media-type"
    TOO_MANY = "too-many"
    INTERNAL = "internal"
    FULL = "full"
    DRAINING = "draining"
    STORE_DOWN = "store-down"


STATUS: dict[ErrorName, int] = {
    ErrorName.BAD_REQUEST: 400,
    ErrorName.VERSION: 400,
    ErrorName.UNAUTHORIZED: 401,
    ErrorName.NOT_FOUND: 404,
    ErrorName.UNKNOWN_POSTING: 404,
    ErrorName.UNKNOWN_MATCH: 404,
    ErrorName.NO_SUCH_NAMEPLATE: 404,
    ErrorName.NO_RELAY: 404,
    ErrorName.METHOD: 405,
    ErrorName.TIMEOUT: 408,
    ErrorName.BUSY: 409,
    ErrorName.CLOSED: 409,
    ErrorName.OUT_OF_ORDER: 409,
    ErrorName.MAILBOX_FULL: 409,
    ErrorName.BURNED: 410,
    ErrorName.USED: 410,
    ErrorName.TOO_LARGE: 413,
    ErrorName.MEDIA_TYPE: 415,
    ErrorName.TOO_MANY: 429,
    ErrorName.INTERNAL: 500,
    ErrorName.FULL: 503,
    ErrorName.DRAINING: 503,
    ErrorName.STORE_DOWN: 503,
}
"""The HTTP status of each error."""


class MessageError(Exception):
    """A body is not what it should be. `name` is BAD_REQUEST or VERSION; the text says what and where, in plain words,
    and repeats nothing of the body."""

    def __init__(self, name: ErrorName, message: str) -> None:
        super().__init__(message)
        self.name = name


# `$` also matches before a line end in Python, and in no schema validator: (?!\n) makes them agree.
ID = "[A-Za-z0-9_-]{16}"
TOKEN = "[A-Za-z0-9_-]{22}"  # noqa: S105 - a pattern
Id = Annotated[str, Meta(pattern=rf"^{ID}(?!\n)$", description="96 random bits")]
Token = Annotated[str, Meta(pattern=rf"^{TOKEN}(?!\n)$", description="128 random bits; the Bearer token")]
PublicKey = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}(?!\n)$", description="an X25519 public key")]
Nameplate = Annotated[
    str, Meta(pattern=r"^[1-9][0-9]{0,6}(?!\n)$", description="the number at the head of a short code")
]
Blob = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9_-]+(?!\n)$", max_length=_BASE64_LIMIT, description="base64url, opaque to the broker"),
]
Seconds = Annotated[float, Meta(ge=0, le=LIMITS.max_lifetime)]
Lifetime = Annotated[float, Meta(ge=LIMITS.min_lifetime, le=LIMITS.max_lifetime)]
Number = Annotated[int, Meta(ge=1, le=LIMITS.max_messages)]
Cursor = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Capacity = Annotated[int, Meta(ge=0, le=LIMITS.max_capacity)]

Upstream = Literal["direct", "socks", "http", "tor", "bridge"]
Nat = Literal["open", "cone", "symmetric", "unknown"]
PortClass = Literal["web", "ssh", "mail", "chat", "high", "low"]
CloseReason = Literal["done", "wrong-word", "failed", "expired", "left"]
Outcome = Literal["done", "wrong-word", "failed"]

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class Message(Struct, frozen=True, omit_defaults=True):
    """The base of all bodies."""


class About(Message, frozen=True):
    """What a relay of the pool offers. `serves` names the classes of ports that its policy serves whole."""

    upstream: Upstream
    nat: Nat = "unknown"
    serves: Annotated[tuple[PortClass, ...], Meta(max_length=len(get_args(PortClass)))] = ()
    remaining: Seconds = 0
    load: Annotated[float, Meta(ge=0, le=1)] = 0


class PoolPosting(Message, frozen=True, tag="pool", tag_field="mode"):
    """A relay offers itself to `capacity` more strangers, for at most `lifetime`. Offers are sealed to `key`."""

    version: Literal[1]
    key: PublicKey
    capacity: Capacity
    lifetime: Lifetime
    about: About


class FriendPosting(Message, frozen=True, tag="friend", tag_field="mode"):
    """A relay waits for one friend, who will know its nameplate: the one that it had at a broker which was restarted,
    if that is free, else another."""

    version: Literal[1]
    lifetime: Lifetime
    nameplate: Nameplate | None = None


NewPosting = PoolPosting | FriendPosting


class PostingUpdate(Message, frozen=True):
    """What has changed; what is left out stays. A capacity below the open matches ends none of them."""

    capacity: Capacity | None = None
    lifetime: Lifetime | None = None
    about: About | None = None


class PostingCreated(Message, frozen=True):
    """The posting stands for `expires_in` seconds after each poll. `nameplate` is there for friends alone."""

    posting: Id
    token: Token
    expires_in: Seconds
    nameplate: Nameplate | None = None


class Renewed(Message, frozen=True):
    """The answer to an update."""

    expires_in: Seconds


class Opened(Message, frozen=True, tag="opened", tag_field="type"):
    """A client was matched with the posting."""

    seq: Cursor
    match: Id


class Arrived(Message, frozen=True, tag="message", tag_field="type"):
    """The client of a match has sent its message number `n`."""

    seq: Cursor
    match: Id
    n: Number
    body: Blob


class Ended(Message, frozen=True, tag="ended", tag_field="type"):
    """A match is over, and its seat is free."""

    seq: Cursor
    match: Id
    reason: CloseReason


PostingEvent = Opened | Arrived | Ended


class PostingNews(Message, frozen=True):
    """What has happened to a posting after a cursor, the oldest first; empty when the wait is over. `closing` says that
    this broker leaves in so many seconds, and that the relay does well to post elsewhere too."""

    events: Annotated[tuple[PostingEvent, ...], Meta(max_length=LIMITS.max_events)]
    cursor: Cursor
    expires_in: Seconds
    closing: Seconds | None = None


class Want(Message, frozen=True):
    """What a client asks of a relay. `nat` is the client's own kind, so that the two kinds go together."""

    nat: Nat = "unknown"
    upstream: Upstream | None = None
    serves: PortClass | None = None


class PoolMatch(Message, frozen=True, tag="pool", tag_field="mode"):
    """A client wants a relay of the pool, but none of `exclude`, which have just failed or are in use."""

    version: Literal[1]
    want: Want = Want()
    exclude: Annotated[tuple[Id, ...], Meta(max_length=LIMITS.max_exclude)] = ()


class FriendMatch(Message, frozen=True, tag="friend", tag_field="mode"):
    """A client wants the relay behind a nameplate. Its second message costs the short code a try."""

    version: Literal[1]
    nameplate: Nameplate


NewMatch = PoolMatch | FriendMatch


class MatchCreated(Message, frozen=True):
    """A seat is held for the client for `expires_in` seconds. `key` and `about` are there in the pool alone."""

    match: Id
    token: Token
    posting: Id
    expires_in: Seconds
    key: PublicKey | None = None
    about: About | None = None


class NewMessage(Message, frozen=True):
    """Each side numbers its messages in a match from 1. The same number again with the same body changes nothing."""

    n: Number
    body: Blob


class Mail(Message, frozen=True):
    """One message of the other side."""

    n: Number
    body: Blob


class Mailbox(Message, frozen=True):
    """The other side's messages after a cursor, which is the number of the last one. Once `closed`, no more come."""

    messages: Annotated[tuple[Mail, ...], Meta(max_length=LIMITS.max_messages)]
    cursor: Cursor
    closed: CloseReason | None = None
    closing: Seconds | None = None


class ErrorBody(Message, frozen=True):
    """Every refusal. `message` is for people, `retry_after` is there where trying again makes sense."""

    error: ErrorName
    message: str
    retry_after: Seconds | None = None


class Health(Message, frozen=True):
    """The broker runs, and its store answers."""

    status: Literal["ok", "draining"]
    version: int


BODIES: dict[str, Any] = {
    "NewPosting": NewPosting,
    "PostingUpdate": PostingUpdate,
    "PostingCreated": PostingCreated,
    "Renewed": Renewed,
    "PostingNews": PostingNews,
    "NewMatch": NewMatch,
    "MatchCreated": MatchCreated,
    "NewMessage": NewMessage,
    "Mailbox": Mailbox,
    "ErrorBody": ErrorBody,
    "Health": Health,
}
"""Every body by its name."""

M = TypeVar("M", bound=Message)

_ENCODER = msgspec.json.Encoder()


def _whole(text: str) -> float:
    """3.0 is a whole number too, as it is in JSON Schema: not every language writes those without a fraction."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


_DECODER = msgspec.json.Decoder(float_hook=_whole)


def parse(kind: type[M], body: bytes) -> M:
    """A body of one kind. Raises MessageError."""
    message: M = _parse(kind, body)
    return message


def parse_new_posting(body: bytes) -> NewPosting:
    """The body of a new posting, of either mode. Raises MessageError."""
    message: NewPosting = _parse(NewPosting, body)
    return message


def parse_new_match(body: bytes) -> NewMatch:
    """The body of a new match, of either mode. Raises MessageError."""
    message: NewMatch = _parse(NewMatch, body)
    return message


def parse_about(body: bytes) -> About:
    """What a relay offers, as a store has kept it. Raises MessageError."""
    about: About = _parse(About, body)
    return about


def serialise(message: Message) -> bytes:
    """The bytes of a body, UTF-8."""
    return _ENCODER.encode(message)


A = TypeVar("A", Mailbox, PostingNews)


def leaving(answer: A, seconds: float | None) -> A:
    """The same answer of a broker that leaves in so many seconds."""
    return msgspec.structs.replace(answer, closing=seconds)


def schemas() -> tuple[dict[str, Any], dict[str, Any]]:
    """JSON Schema: for each name in BODIES how to refer to it, and the components that the references lead to."""
    references, components = msgspec.json.schema_components(BODIES.values(), ref_template="#/components/schemas/{name}")
    return dict(zip(BODIES, references, strict=True)), dict(components)


def _parse(kind: Any, body: bytes) -> Any:
    limit = LIMITS.max_answer if kind is PostingNews else LIMITS.max_body
    if len(body) > limit:
        raise MessageError(ErrorName.BAD_REQUEST, f"The body is larger than {limit} bytes.")
    try:
        value = _DECODER.decode(body)
        if _other_version(value):
            raise MessageError(ErrorName.VERSION, f"This end speaks version {VERSION} of the broker's protocol alone.")
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise MessageError(ErrorName.BAD_REQUEST, f"The body does not fit: {_where(error)}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MessageError(ErrorName.BAD_REQUEST, "The body is not JSON in UTF-8.") from None


def _other_version(value: object) -> bool:
    """Whether a body says that it is of another version: nothing else in it can then be judged."""
    version = cast("dict[str, object]", value).get("version") if isinstance(value, dict) else None
    return isinstance(version, int) and not isinstance(version, bool) and version != VERSION


def _where(error: msgspec.ValidationError) -> str:
    """msgspec's own words name types, members and rules, except where they repeat a value that is not one of a list."""
    text, at, place = str(error).partition(" - at `")
    text = "a value is not one of those allowed" if text.startswith("Invalid") else text
    return text + at + place
