"""What a program does when its user chose nothing."""

from __future__ import annotations

from mayfly.services.options import HubOptions


def test_nothing_is_accepted_or_replaced_unless_chosen() -> None:
    options = HubOptions()
    assert options.control
    assert options.accept_into is None
    assert not options.overwrite
    assert (options.session, options.user, options.directory) == (None, None, None)
