"""The brake on guessers."""

from __future__ import annotations

from mayfly_broker.claims import Claims


def test_a_window_has_so_many_tries() -> None:
    claims = Claims(2, 60, 100)
    assert [claims.claim("a", 100), claims.claim("a", 110), claims.claim("a", 120)] == [None, None, 40]
    assert claims.claim("b", 120) is None
    assert claims.claim("a", 160) is None


def test_it_forgets_those_whose_window_is_over() -> None:
    claims = Claims(2, 60, 1000)
    for number in range(100):
        claims.claim(str(number), 0)
    claims.claim("new", 121)
    assert len(claims) == 1


def test_it_holds_so_many_at_most() -> None:
    claims = Claims(1, 60, 10)
    for number in range(100):
        assert claims.claim(str(number), 1) is None
    assert len(claims) == 10
    assert claims.claim("99", 2) is not None
