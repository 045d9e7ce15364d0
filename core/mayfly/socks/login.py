"""Who may use the proxy: anybody, or the holder of one user name and password."""

from __future__ import annotations

import hmac

from mayfly.socks.events import Credentials


class Login:
    """Checks credentials. Without a required pair anybody is admitted, whatever they give."""

    def __init__(self, pair: tuple[str, str] | None) -> None:
        self._wanted = None if pair is None else Credentials(pair[0].encode(), pair[1].encode())

    @property
    def required(self) -> bool:
        """Whether an application must log in."""
        return self._wanted is not None

    def admits(self, given: Credentials | None) -> bool:
        """Compare in a time that does not depend on where the first difference stands."""
        if self._wanted is None:
            return True
        if given is None:
            return False
        name = hmac.compare_digest(given.username, self._wanted.username)
        password = hmac.compare_digest(given.password, self._wanted.password)
        return name and password
