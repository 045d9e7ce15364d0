"""A world of its own for one scenario: a network namespace with loopback alone, whose only name server is the test's.

Run as a program inside it, with a kind of proxy: `python -m support.closed_world socks5`. Prints one JSON object: what
the name server was asked, and what the proxy heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

from support import socks
from support.mayfly import OPEN_LOOPBACK, tunnel
from support.names import name_server
from support.programs import program, run
from support.proxies import made_up

NAME = "secret.mayfly.example"
ANSWERS = {
    "direct": (),
    "socks5": (b"\x05\x00", b"\x05\x04\x00\x01\0\0\0\0\0\0"),
    "http": (b"HTTP/1.1 502 No\r\n\r\n",),
}
_ENTER = 'ip link set lo up && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'


async def scenario(folder: Path, kind: str) -> dict[str, list[str]]:
    """Run it inside a new world; needs root."""
    resolver = folder / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    inside = [sys.executable, "-m", "support.closed_world", kind]
    argv = [program("unshare"), "--net", "--mount", "sh", "-c", _ENTER, "sh", str(resolver), *inside]
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    done = await run(*argv, env={"PATH": path}, timeout=60)
    found: dict[str, list[str]] = json.loads(done.text)
    return found


async def main(kind: str) -> None:
    """A client asks for a name, and looks one up."""
    with name_server("127.0.0.1", {}, 53) as names:
        async with made_up(*ANSWERS[kind], then="close") as proxy:
            url = "direct" if kind == "direct" else f"{kind}://127.0.0.1:{proxy.port}"
            async with tunnel((*OPEN_LOOPBACK, "--upstream", url)) as pair:
                for port in (443, 80):
                    await socks.refusal((pair.host, pair.port), NAME, port)
                with contextlib.suppress(socks.RefusedError):
                    await socks.resolve((pair.host, pair.port), NAME)
            print(json.dumps({"asked": names.asked, "heard": [heard.decode("latin-1") for heard in proxy.heard]}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
