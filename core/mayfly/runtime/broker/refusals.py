"""A broker's stable error words as errors with words for people."""

from __future__ import annotations

from mayfly.errors import BrokerRefusedError, CodeGoneError
from mayfly.rendezvous.messages import ErrorName

_LATER = "It is tried again by itself."
_NEW_CODE = "Ask your friend for a new code."
_UPDATE = "Update Mayfly, or use another broker."

ANOTHER_VERSION = ("The broker speaks another version.", _UPDATE)
LEAVING = "The broker is about to leave."

_WORDS: dict[ErrorName, tuple[str, str]] = {
    ErrorName.VERSION: ANOTHER_VERSION,
    ErrorName.NO_RELAY: ("No relay is free at the broker.", _LATER),
    ErrorName.NO_SUCH_NAMEPLATE: ("Nobody waits at the broker under the number of this code.", _NEW_CODE),
    ErrorName.BURNED: ("The code was tried too often with wrong words, and is burnt.", _NEW_CODE),
    ErrorName.USED: ("The code has been used.", _NEW_CODE),
    ErrorName.BUSY: ("Somebody else is trying this code at this moment.", _LATER),
    ErrorName.CLOSED: ("The exchange at the broker has ended.", _LATER),
    ErrorName.UNKNOWN_MATCH: ("The broker has forgotten the exchange.", _LATER),
    ErrorName.UNKNOWN_POSTING: ("The broker has forgotten this relay.", _LATER),
    ErrorName.TOO_MANY: ("The broker has had too many requests from this network.", _LATER),
    ErrorName.FULL: ("The broker is full.", _LATER),
    ErrorName.DRAINING: (LEAVING, _LATER),
    ErrorName.STORE_DOWN: ("The broker has lost its memory for the moment.", _LATER),
    ErrorName.TIMEOUT: ("The broker says that our request was too slow.", _LATER),
    ErrorName.INTERNAL: ("The broker has a fault.", _LATER),
}
_OTHER = ("The broker does not take what this program asks.", _UPDATE)

PASSING = frozenset(
    {
        ErrorName.NO_RELAY,
        ErrorName.BUSY,
        ErrorName.CLOSED,
        ErrorName.UNKNOWN_MATCH,
        ErrorName.TOO_MANY,
        ErrorName.FULL,
        ErrorName.DRAINING,
        ErrorName.STORE_DOWN,
        ErrorName.TIMEOUT,
        ErrorName.INTERNAL,
    }
)
"""What may be otherwise a little later."""

_GONE = frozenset({ErrorName.NO_SUCH_NAMEPLATE, ErrorName.BURNED, ErrorName.USED})


def refusal(name: ErrorName, retry_after: float | None = None) -> BrokerRefusedError:
    """The error for a broker's refusal."""
    message, hint = _WORDS.get(name, _OTHER)
    kind = CodeGoneError if name in _GONE else BrokerRefusedError
    return kind(name.value, message, hint=hint, retry_after=retry_after)
