"""A gigabyte each way through the tunnel, by curl, in each of its ways to use a proxy."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support.bodies import body_sha256, file_sha256, write_body
from support.http import origin, uploaded
from support.mayfly import tunnel
from support.programs import run

GIB = 1 << 30
MIB = 1 << 20
CURL = ("curl", "--silent", "--show-error", "--fail")


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.needs("curl")
async def test_curl_downloads_a_gibibyte(tmp_path: Path) -> None:
    target = tmp_path / "download"
    async with origin() as web, tunnel() as pair:
        await run(*CURL, "--socks5-hostname", pair.proxy, "-o", target, web.url(f"/bytes/{GIB}"), timeout=360)
    try:
        assert target.stat().st_size == GIB
        assert file_sha256(target) == body_sha256(GIB)
    finally:
        target.unlink()


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.needs("curl")
async def test_curl_uploads_a_gibibyte(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    write_body(source, GIB)
    try:
        async with origin() as web, tunnel() as pair:
            argv = (*CURL, "--socks5-hostname", pair.proxy, "-T", source, web.url("/upload"))
            answer = await run(*argv, timeout=360)
    finally:
        source.unlink()
    assert uploaded(answer.text) == (body_sha256(GIB), GIB)


@pytest.mark.needs("curl")
@pytest.mark.parametrize("scheme", ["socks4a", "socks5", "socks5h", "http"])
async def test_curl_in_each_of_its_ways(scheme: str, tmp_path: Path) -> None:
    target = tmp_path / "download"
    async with origin() as web, tunnel() as pair:
        # --proxytunnel: a plain HTTP URL through an HTTP proxy would be a GET, and ours is for CONNECT.
        argv = (*CURL, "--proxy", f"{scheme}://{pair.proxy}", "--proxytunnel", "-o", target, web.url(f"/bytes/{MIB}"))
        await run(*argv)
    assert file_sha256(target) == body_sha256(MIB)


@pytest.mark.needs("curl")
async def test_both_directions_at_once(tmp_path: Path) -> None:
    size = 32 * MIB
    source, target = tmp_path / "upload", tmp_path / "download"
    write_body(source, size)
    async with origin() as web, tunnel() as pair:
        proxy = ("--socks5-hostname", pair.proxy)
        _, answer = await asyncio.gather(
            run(*CURL, *proxy, "-o", target, web.url(f"/bytes/{size}")),
            run(*CURL, *proxy, "-T", source, web.url("/upload")),
        )
    assert file_sha256(target) == body_sha256(size)
    assert uploaded(answer.text) == (body_sha256(size), size)


@pytest.mark.needs("curl")
async def test_a_required_password_is_required() -> None:
    async with origin() as web, tunnel(client_args=("--socks-auth", "ann:open sesame")) as pair:
        url = web.url("/small")
        right = await run(*CURL, "--proxy", f"socks5h://ann:open%20sesame@{pair.proxy}", url)
        wrong = await run(*CURL, "--proxy", f"socks5h://ann:sesame@{pair.proxy}", url, check=False)
        none = await run(*CURL, "--proxy", f"socks5h://{pair.proxy}", url, check=False)
    assert right.text == "small\n"
    assert (wrong.status, none.status) == (97, 97), "curl's status for a proxy that refuses"
