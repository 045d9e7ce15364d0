"""Two homes behind routers of their own, with private addresses inside and one public address outside.

    async with routers(Nat.CONE, Nat.SYMMETRIC) as net:        needs root and nft
        net.at("volunteer", "curl", …)                         the argv that runs a command on that computer
        await net.volunteer.move(address=True)                 its router forgets its mappings and makes others

Five namespaces: the computers `volunteer` (192.168.5.2) and `friend` (192.168.6.2), a router in front of each, and the
world between them, where a web server and STUN servers can be run. The public addresses are none that a relay
refuses; nobody outside sees them.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum

from support.namespaces import inside, joined, uplink
from support.programs import Program, program, run

WEB = "9.9.9.10"
STUN = ("9.9.9.1", "9.9.9.2")
"""Two of them: one alone cannot tell that a router maps by destination."""

TURN = "9.9.9.3"

_COMPUTERS = {"volunteer": 5, "friend": 6}


class Nat(Enum):
    """How a router maps, and whom it lets in: all but OPEN only who was sent to from inside (RFC 4787 §4, §5)."""

    OPEN = "open"
    """One socket, one mapping, and everybody is let in, as by a forwarded port."""

    CONE = "cone"
    """One socket, one mapping."""

    SYMMETRIC = "symmetric"
    """Another port for each destination."""


class Router:
    """The one in front of a computer."""

    def __init__(self, space: str, network: int, nat: Nat) -> None:
        self._space = space
        self._network = network
        self._nat = nat
        self._host = 2
        self._first_port = 20_000

    async def translate(self, ports: str = "") -> None:
        """Map so from now on; what is mapped already stays as it is."""
        how = "fully-random" if self._nat is Nat.SYMMETRIC else ports
        let_in = f"iifname wan meta l4proto udp dnat to 192.168.{self._network}.2" if self._nat is Nat.OPEN else ""
        rules = f"""
            table ip nat
            delete table ip nat
            table ip nat {{
                chain post {{ type nat hook postrouting priority srcnat; oifname wan meta l4proto udp masquerade {how}
                    oifname wan masquerade
                }}
                chain pre {{ type nat hook prerouting priority dstnat; {let_in}
                }}
                chain in {{ type filter hook input priority 0; iifname wan ct state new drop
                }}
            }}
        """
        await run(*inside(self._space, program("nft"), "-f", "-"), stdin=rules.encode())

    async def move(self, *, address: bool) -> None:
        """Forget every mapping and make others: at another public `address`, as when a line is dialled anew, or at the
        same one with other ports, as when a router has started again."""
        before = self._host
        if address:
            self._host += 1
        else:
            await self.translate(f"to :{self._first_port}-{self._first_port + 999}")
            self._first_port += 1000
        # The kernel forgets what was masqueraded as an address when that is taken away.
        await self._ip(f"addr del {self._network}.0.0.{before}/24 dev wan")
        await self._ip(f"addr add {self._network}.0.0.{self._host}/24 dev wan")
        await self._ip(f"route add default via {self._network}.0.0.1")

    async def _ip(self, line: str) -> None:
        await run(program("ip"), "-n", self._space, *line.split())


@dataclass(frozen=True, slots=True)
class Routers:
    """Both homes and the world."""

    prefix: str
    volunteer: Router
    friend: Router

    def at(self, place: str, *argv: str) -> list[str]:
        """The argv that runs a command on a computer, or in the `world`."""
        return inside(f"{self.prefix}-{place}", *argv)

    @contextlib.asynccontextmanager
    async def services(self) -> AsyncIterator[int]:
        """A web server (`support.http`) at WEB and STUN servers. Gives the port of the web server."""
        async with (
            Program.running(*self.at("world", sys.executable, "-m", "support.http", WEB)) as web,
            Program.running(*self.at("world", sys.executable, "-m", "support.stun", *STUN)) as stun,
        ):
            await web.until(lambda: bool(web.lines), "its port")
            await stun.until(lambda: bool(stun.lines), "STUN")
            yield int(web.lines[0])


@contextlib.asynccontextmanager
async def routers(volunteer: Nat, friend: Nat, *, mapping_lasts: int = 120) -> AsyncIterator[Routers]:
    """Have them while the block lasts. A mapping is forgotten after so many seconds in which nothing passed."""
    prefix = f"mayfly-{os.getpid()}"
    made = [
        Router(f"{prefix}-{name}-router", network, nat)
        for (name, network), nat in zip(_COMPUTERS.items(), (volunteer, friend), strict=True)
    ]
    net = Routers(prefix, *made)
    spaces = [f"{prefix}-world", *(f"{prefix}-{name}{part}" for name in _COMPUTERS for part in ("", "-router"))]
    async with joined(spaces, _cables(prefix, spaces, mapping_lasts)):
        for router in made:
            await router.translate()
        yield net


def _cables(prefix: str, spaces: list[str], mapping_lasts: int) -> str:
    """The commands that make the namespaces and join them."""
    world = f"{prefix}-world"
    lines = [f"ip netns add {space}" for space in spaces]
    lines += [f"ip -n {space} link set lo up" for space in spaces]
    lines += [f"ip netns exec {space} sysctl -qw net.ipv4.ip_forward=1" for space in spaces]
    lines += [f"ip -n {world} addr add {address}/32 dev lo" for address in (WEB, TURN, *STUN)]
    # What is sent to private addresses is lost without a word: coturn ends an allocation when it is told of that.
    lines += [f"ip -n {world} route add default dev lo"]
    for name, network in _COMPUTERS.items():
        computer, router = f"{prefix}-{name}", f"{prefix}-{name}-router"
        lines += uplink(computer, "eth0", router, "lan", f"192.168.{network}")
        lines += uplink(router, "wan", world, f"to{network}", f"{network}.0.0")
        timeouts = (f"net.netfilter.nf_conntrack_udp_timeout{which}={mapping_lasts}" for which in ("", "_stream"))
        lines.append(f"ip netns exec {router} sysctl -qw {' '.join(timeouts)}")
    return "\n".join(lines)
