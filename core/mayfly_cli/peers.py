"""What the other sides of a run are called on the screen: by number where there may be several, by name where known."""

from __future__ import annotations

from mayfly.runtime.events import Status
from mayfly_cli.names import shown

_OPPOSITE = {"relay": "client", "client": "relay"}


class Peers:
    """Those of one command. What a peer is follows from `program`, until it is told."""

    def __init__(self, program: str) -> None:
        self._usual = _OPPOSITE.get(program, "peer")
        self._roles: dict[int, str] = {}
        self._names: dict[int, str] = {}

    def connected(self, number: int, role: str) -> str:
        """Take note of one who has come; what to call it."""
        self._roles[number] = role
        return self.called(number)

    def there_already(self, status: Status) -> None:
        """Take note of those of the program that the command is attached to."""
        self._usual = _OPPOSITE.get(status.program, "peer")
        for peer in status.peers:
            self._roles[peer["peer"]] = peer["role"]
            if peer.get("name"):
                self._names[peer["peer"]] = peer["name"]

    def called(self, number: int) -> str:
        """Safe to print."""
        role = self._roles.get(number, self._usual)
        if role == "client":
            return f"client {number}" + (f" ({shown(self._names[number])})" if number in self._names else "")
        if role != "relay":
            return "the other side"
        return f"relay {number}" if max([number, *self._roles]) > 1 else "the relay"
