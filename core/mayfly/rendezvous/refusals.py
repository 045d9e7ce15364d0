"""A relay's refusals as errors with words for the client's person."""

from __future__ import annotations

from mayfly.errors import RefusedError
from mayfly.rendezvous.envelope import Reason

TRY_AGAIN = "Try again, or with another relay."

_WORDS = {
    Reason.WRONG_WORDS: "The relay says that the words are wrong.",
    Reason.FULL: "The relay has no seat free.",
    Reason.LEAVING: "The relay is about to leave.",
    Reason.UNREADABLE: "The relay could not read our offer.",
    Reason.NO_ADDRESS: "The relay has no address that it may offer.",
}


def refused(reason: Reason) -> RefusedError:
    """The error for a refusal."""
    return RefusedError(_WORDS[reason], hint=TRY_AGAIN)
