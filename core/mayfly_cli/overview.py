"""What a running program does, as `mayfly status` shows it to people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from mayfly.runtime.amounts import amount
from mayfly.runtime.events import Status
from mayfly.runtime.terminal import printable
from mayfly_cli.names import shown
from mayfly_cli.paths import way
from mayfly_cli.units import counted, in_words

SHORT_ID = 8
"""Characters of a transfer's id that are shown, and that are enough to name it where they are unique."""


def overview(status: Status) -> Iterator[Text]:
    """The lines, safe to print."""
    leaving = ", leaving" if status.draining else ""
    yield Text(
        f"{status.session}: a {status.program}, running for {in_words(status.uptime)} (process {status.pid}){leaving}",
        "bold",
    )
    if status.upstream is not None:
        yield from map(Text, _upstream(status.upstream))
    if not status.peers:
        yield Text("  Nobody is connected.")
    for peer in status.peers:
        yield Text("  " + _peer(peer))
    if status.who:
        yield Text(f"  In the chat: {shown(status.name)} (you), {', '.join(map(shown, status.who))}")
    roles = {peer["peer"]: peer["role"] for peer in status.peers}
    for transfer in status.transfers:
        yield Text("  " + _transfer(transfer, f"{roles.get(transfer['peer'], 'peer')} {transfer['peer']}"))


def _upstream(upstream: dict[str, Any]) -> Iterator[str]:
    yield f"  Upstream: {printable(str(upstream['kind']))}"
    if "state" not in upstream:
        return
    version = f" {printable(str(upstream['version']))}" if upstream.get("version") else ""
    problem = f" ({printable(str(upstream['problem']))})" if upstream.get("problem") else ""
    circuits: list[dict[str, Any]] = upstream.get("circuits") or []
    built = [circuit for circuit in circuits if circuit["state"] == "built"]
    yield f"  Tor{version}: {printable(str(upstream['words']))}{problem}, {counted(len(built), 'circuit')} built"
    for circuit in built:
        if circuit.get("client") is not None:
            hops = " → ".join(printable(str(hop)) for hop in circuit["hops"])
            yield f"    client {circuit['client']}: circuit {printable(str(circuit['id']))} by {hops}"


def _peer(peer: dict[str, Any]) -> str:
    path: dict[str, Any] = peer.get("path") or {}
    name = f", called {shown(str(peer['name']))}" if peer.get("name") else ""
    parts: list[str] = []
    if peer.get("rtt_ms") is not None:
        parts.append(f"round trip {peer['rtt_ms']:.0f} ms")
    parts += [
        f"{counted(peer.get('streams', 0), 'connection')} open",
        f"{amount(peer.get('sent', 0))} sent, {amount(peer.get('received', 0))} received",
        f"for {in_words(peer.get('seconds', 0))}",
    ]
    return f"{peer['role']} {peer['peer']}{name}: {way(path.get('local'), path.get('remote'))}; {', '.join(parts)}"


def _transfer(transfer: dict[str, Any], who: str) -> str:
    to = "to" if transfer["direction"] == "out" else "from"
    total = transfer.get("total")
    of = "" if total is None else f" of {amount(total)}"
    rate = f", {amount(transfer.get('rate') or 0)}/s"
    return (
        f"transfer {printable(str(transfer['transfer'])[:SHORT_ID])}: {printable(str(transfer['name']))} {to} {who}, "
        f"{amount(transfer.get('bytes') or 0)}{of}{rate}, {transfer['state']}"
    )
