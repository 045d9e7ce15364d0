from __future__ import annotations

import hmac

import pytest

from mayfly.socks.events import Credentials
from mayfly.socks.login import Login


@pytest.mark.parametrize("given", [None, Credentials(b"", b""), Credentials(b"\xff", b"x")])
def test_anybody_is_admitted_where_nothing_is_required(given: Credentials | None) -> None:
    assert not Login(None).required
    assert Login(None).admits(given)


@pytest.mark.parametrize(
    ("given", "admitted"),
    [
        (Credentials("zoë".encode(), b"s3same"), True),
        (Credentials(b"zo", b"s3same"), False),
        (Credentials("zoë".encode(), b"s3sam"), False),
        (Credentials("zoë".encode(), b""), False),
        (Credentials(b"", b"s3same"), False),
        (Credentials(b"\xff", b"\xff"), False),
        (None, False),
    ],
)
def test_a_required_pair_admits_its_holder_alone(given: Credentials | None, admitted: bool) -> None:
    login = Login(("zoë", "s3same"))
    assert login.required
    assert login.admits(given) is admitted


def test_both_halves_are_always_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def compare(given: bytes, wanted: bytes) -> bool:
        compared.append(given)
        return given == wanted

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert not Login(("user", "pass")).admits(Credentials(b"other", b"wrong"))
    assert compared == [b"other", b"wrong"]
