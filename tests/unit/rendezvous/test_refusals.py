"""Every reason has its words."""

from __future__ import annotations

from mayfly.rendezvous.envelope import Reason
from mayfly.rendezvous.refusals import refused


def test_every_reason_has_words_of_its_own() -> None:
    assert len({refused(reason).message for reason in Reason}) == len(Reason)
