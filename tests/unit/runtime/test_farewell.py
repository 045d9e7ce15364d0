"""The words for an end that has left."""

from __future__ import annotations

import pytest

from mayfly.runtime.farewell import has_left
from mayfly.wire.hello import Role


@pytest.mark.parametrize("role", Role)
def test_each_role_is_named_as_people_know_it(role: Role) -> None:
    name = "the other side" if role is Role.PEER else f"the {role.name.lower()}"
    assert has_left(role) == f"{name} has left"
