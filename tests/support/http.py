"""An HTTP origin in a process of its own: bodies of any size with a known SHA-256, uploads, a page of many parts.

GET  /bytes/N            N bytes, the same for everyone (see support.bodies)
GET  /gated/NAME/N       the same, but the second half waits for POST /open/NAME
POST /open/NAME
GET  /small              a few bytes
PUT  /upload             its SHA-256 and size, as JSON
GET  /page               an HTML page whose 100 parts must all load for its title to become `100 of 100`
GET  /seen               how many requests were served, by path
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web

from support.bodies import body
from support.programs import Program, ProgramError

PARTS = 100
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/><!-- {} --></svg>'


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the origin listens."""

    host: str
    port: int

    def url(self, path: str) -> str:
        """The URL of one of its paths."""
        return f"http://{self.host}:{self.port}{path}"


@contextlib.asynccontextmanager
async def origin(host: str = "127.0.0.1") -> AsyncIterator[Origin]:
    """Run an origin while the block lasts."""
    async with Program.running(sys.executable, "-m", "support.http", host) as program:
        await program.until(lambda: bool(program.lines), "its port")
        try:
            port = int(program.lines[0])
        except ValueError:
            raise ProgramError(f"the origin said {program.lines[0]!r}") from None
        yield Origin(host, port)


def page() -> str:
    """HTML that counts its own parts: half are images, half are scripts."""
    images = "".join(f'<img src="/part/{i}.svg" onload="got()">' for i in range(0, PARTS, 2))
    scripts = "".join(f'<script src="/part/{i}.js"></script>' for i in range(1, PARTS, 2))
    counter = f"let n=0;function got(){{document.title=`${{++n}} of {PARTS}`}}"
    return f"<!doctype html><title>0 of {PARTS}</title><script>{counter}</script>{images}{scripts}"


def application() -> web.Application:
    """The origin's handlers."""
    gates: dict[str, asyncio.Event] = {}
    seen: Counter[str] = Counter()

    async def stream(request: web.Request) -> web.StreamResponse:
        size = int(request.match_info["size"])
        name = request.match_info.get("name")
        response = web.StreamResponse(headers={"Content-Length": str(size)})
        await response.prepare(request)
        sent = 0
        for block in body(size):
            if name is not None and sent >= size // 2:
                await gates.setdefault(name, asyncio.Event()).wait()
            await response.write(block)
            sent += len(block)
        return response

    async def open_gate(request: web.Request) -> web.Response:
        gates.setdefault(request.match_info["name"], asyncio.Event()).set()
        return web.Response(text="open\n")

    async def small(request: web.Request) -> web.Response:
        return web.Response(text="small\n")

    async def upload(request: web.Request) -> web.Response:
        digest = hashlib.sha256()
        size = 0
        async for chunk in request.content.iter_any():
            digest.update(chunk)
            size += len(chunk)
        return web.json_response({"sha256": digest.hexdigest(), "size": size})

    async def show_page(request: web.Request) -> web.Response:
        return web.Response(text=page(), content_type="text/html")

    async def part(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        seen[name] += 1
        if name.endswith(".js"):
            return web.Response(text="got()", content_type="text/javascript")
        return web.Response(text=_SVG.format(name), content_type="image/svg+xml")

    async def show_seen(request: web.Request) -> web.Response:
        return web.json_response(dict(seen))

    app = web.Application(client_max_size=0)
    app.add_routes([
        web.get("/bytes/{size:\\d+}", stream),
        web.get("/gated/{name}/{size:\\d+}", stream),
        web.post("/open/{name}", open_gate),
        web.get("/small", small),
        web.put("/upload", upload),
        web.get("/page", show_page),
        web.get("/part/{name}", part),
        web.get("/seen", show_seen),
    ])  # fmt: skip
    return app


def uploaded(answer: str) -> tuple[str, int]:
    """SHA-256 and size out of what /upload answered."""
    parsed = json.loads(answer)
    return str(parsed["sha256"]), int(parsed["size"])


async def main(host: str) -> None:
    """Serve until standard input ends, so that it never outlives its test."""
    runner = web.AppRunner(application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
