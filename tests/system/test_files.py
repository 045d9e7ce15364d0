"""Files from one process to another: alone with codes, and through a relay and a client that run already."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.bodies import body_sha256, file_sha256, write_body
from support.homes import Home
from support.http import origin
from support.mayfly import LOOPBACK, Event, MayflyProcess, connected_client, introduce, tunnel
from support.programs import run

MB = 1_000_000
DECLINED, CANCELLED, INCOMPLETE = 8, 9, 10
NOTICED_WITHIN = 18.0


@pytest.fixture
def anna(tmp_path: Path) -> Home:
    """Who sends."""
    return Home.made(tmp_path / "anna")


@pytest.fixture
def ben(tmp_path: Path) -> Home:
    """Who receives."""
    return Home.made(tmp_path / "ben")


@contextlib.asynccontextmanager
async def sending(anna: Home, ben: Home, *what: str | Path) -> AsyncIterator[list[MayflyProcess]]:
    """`mayfly send` and `mayfly receive --yes`, introduced; the sender comes first."""
    async with (
        MayflyProcess.running("send", *what, *LOOPBACK, env=anna.env) as sender,
        MayflyProcess.running("receive", "--yes", "--into", ben.files, *LOOPBACK, env=ben.env) as receiver,
    ):
        await introduce(sender, receiver)
        yield [sender, receiver]


async def both_end(processes: list[MayflyProcess], status: int = 0) -> None:
    """Both ends give that exit status."""
    for process in processes:
        await process.ends(status)


async def state(process: MayflyProcess, wanted: str) -> Event:
    """The `transfer` event that says it has come to that state; others before it are passed over."""
    while (event := await process.event("transfer"))["state"] != wanted:
        pass
    return event


def tree(root: Path) -> dict[str, str]:
    """What stands below a folder: the kind of each, and of a file its hash and whether it can be executed."""
    found = {}
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = "link"
        elif path.is_dir():
            found[name] = "folder"
        else:
            found[name] = f"{file_sha256(path)} {'x' if path.stat().st_mode & 0o100 else '-'}"
    return found


async def test_a_file(anna: Home, ben: Home) -> None:
    film = anna.files / "film.mkv"
    write_body(film, 40 * MB)
    async with sending(anna, ben, "--nick", "anna", film) as both:
        await both_end(both)
    assert tree(ben.files) == {"film.mkv": f"{body_sha256(40 * MB)} -"}
    for process in both:
        assert [event["state"] for event in process.named("transfer")] == ["accepted", "completed"]
        numbers = [event["bytes"] for event in process.named("progress")]
        assert numbers == sorted(numbers)
        assert numbers[-1] == 40 * MB
    assert both[1].named("offered")[0] | {"transfer": "", "peer": 1} == {
        "event": "offered",
        "transfer": "",
        "peer": 1,
        "from": "anna",
        "kind": "files",
        "name": "film.mkv",
        "size": 40 * MB,
        "files": 1,
        "only_files": True,
    }


async def test_a_directory_with_all_that_is_in_it(anna: Home, ben: Home) -> None:
    photos = anna.files / "photos"
    (photos / "2026" / "summer").mkdir(parents=True)
    (photos / "empty").mkdir()
    for number in range(30):
        write_body(photos / "2026" / "summer" / f"{number}.jpg", number * 1000)
    (photos / "run.sh").write_text("#!/bin/sh\n")
    (photos / "run.sh").chmod(0o755)
    os.utime(photos / "run.sh", (1_000_000_000, 1_000_000_000))
    expected = tree(photos)
    (photos / "elsewhere").symlink_to("/etc/passwd")
    async with sending(anna, ben, photos) as both:
        await both_end(both)
    assert tree(ben.files / "photos") == expected
    assert (ben.files / "photos" / "run.sh").stat().st_mtime == 1_000_000_000
    assert [path.name for path in ben.files.iterdir()] == ["photos"]
    (warning,) = both[0].named("warning")
    assert "elsewhere" in warning["message"]


async def test_from_standard_input_to_standard_output(anna: Home, ben: Home, tmp_path: Path) -> None:
    source, target, codes = tmp_path / "source", tmp_path / "target", tmp_path / "codes"
    write_body(source, 8 * MB)
    os.mkfifo(codes)
    held = os.open(codes, os.O_RDWR)  # so that neither end of it waits for the other to be opened
    try:
        async with (
            MayflyProcess.running(
                "send", "-", "--codes", codes, *LOOPBACK, env=anna.env, redirect=f"<{source}"
            ) as sender,
            MayflyProcess.running(
                "receive", "--yes", "--into", "-", *LOOPBACK, env=ben.env, redirect=f"2>&1 >{target}"
            ) as receiver,
        ):
            await receiver.send_code(await sender.code())
            os.write(held, (await receiver.code("answer")).encode() + b"\n")
            await both_end([sender, receiver])
    finally:
        os.close(held)
    assert file_sha256(target) == body_sha256(8 * MB)


async def test_a_text(anna: Home, ben: Home) -> None:
    async with sending(anna, ben, "--text", "the password is swordfish") as both:
        assert (await state(both[1], "completed"))["text"] == "the password is swordfish"
        await both_end(both)
    assert not tree(ben.files)


@pytest.mark.needs("curl")
async def test_through_a_relay_and_a_client_that_run_while_curl_downloads(anna: Home, ben: Home) -> None:
    film, page = anna.files / "film.mkv", ben.path / "page"
    write_body(film, 40 * MB)
    async with origin() as web, tunnel(env=anna.env, client_env=ben.env) as pair:
        address = web.url(f"/bytes/{20 * MB}")
        curl = run("curl", "--silent", "--fail", "--socks5-hostname", pair.proxy, "-o", page, address)
        async with (
            asyncio.TaskGroup() as group,
            MayflyProcess.running("receive", "--yes", "--into", ben.files, env=ben.env) as receiver,
            MayflyProcess.running("send", film, env=anna.env) as sender,
        ):
            await state(receiver, "accepted")
            group.create_task(curl)
            await both_end([sender, receiver])
    assert tree(ben.files) == {"film.mkv": f"{body_sha256(40 * MB)} -"}
    assert file_sha256(page) == body_sha256(20 * MB)
    assert not sender.named("code")


async def test_to_all_and_one_of_them_is_killed(anna: Home, ben: Home, tmp_path: Path) -> None:
    carl = Home.made(tmp_path / "carl")
    film = anna.files / "film.mkv"
    write_body(film, 20 * MB)
    async with (
        # Slow enough that the transfer is not over before its first progress has been read.
        tunnel(("--max-rate", "8MB/s"), ("--nick", "ben"), env=anna.env, client_env=ben.env) as pair,
        connected_client(pair.relay, "--nick", "carl", env=carl.env) as second,
        MayflyProcess.running("receive", "--yes", "--into", ben.files, env=ben.env) as receiver,
        MayflyProcess.running("receive", "--yes", "--into", carl.files, env=carl.env) as other,
        MayflyProcess.running("send", "--to-all", film, env=anna.env) as sender,
    ):
        while (await other.event("progress"))["bytes"] == 0:
            pass
        second.client.kill()
        await receiver.ends(0)
        await sender.ends(INCOMPLETE, timeout=NOTICED_WITHIN)
    assert tree(ben.files) == {"film.mkv": f"{body_sha256(20 * MB)} -"}
    assert not (carl.files / "film.mkv").exists()
    assert {event["state"] for event in sender.named("transfer")} == {"accepted", "completed", "interrupted"}


async def test_declined(anna: Home, ben: Home) -> None:
    film = anna.files / "film.mkv"
    write_body(film, MB)
    async with tunnel(env=anna.env, client_env=ben.env):
        async with (
            MayflyProcess.running("send", film, env=anna.env) as sender,
            MayflyProcess.running("receive", "--into", ben.files, env=ben.env) as receiver,
        ):
            await receiver.event("offered")
            await receiver.program.write_line("n")
            await both_end([sender, receiver], DECLINED)
        assert not tree(ben.files)


async def steer(home: Home, action: str) -> None:
    """`mayfly transfer ACTION`."""
    async with MayflyProcess.running("transfer", action, env=home.env) as change:
        await change.ends(0)


async def test_paused_and_resumed_from_either_side_then_cancelled(anna: Home, ben: Home) -> None:
    async with (
        tunnel(env=anna.env, client_env=ben.env),
        MayflyProcess.running("receive", "--yes", "--into", ben.files, env=ben.env) as receiver,
        MayflyProcess.running("send", "-", env=anna.env) as sender,  # it goes on for as long as we keep its input open
    ):
        await sender.program.write_line("the beginning")
        await state(receiver, "accepted")
        for home, process, other in ((anna, sender, receiver), (ben, receiver, sender)):
            await steer(home, "pause")
            assert (await state(process, "paused"))["reason"] == "by this side"
            assert (await state(other, "paused"))["reason"] == "by the other side"
            await steer(home, "resume")
            for each in (process, other):
                await state(each, "resumed")
        await steer(ben, "cancel")
        await both_end([sender, receiver], CANCELLED)
        assert sender.named("transfer")[-1]["reason"] == "by the other side"
    assert not tree(ben.files), "cancelling throws away what had come"


async def test_what_exists_is_not_replaced_without_being_asked(anna: Home, ben: Home) -> None:
    note = anna.files / "note.txt"
    note.write_text("new")
    (ben.files / "note.txt").write_text("old")
    async with tunnel(env=anna.env, client_env=ben.env):
        for options, status, found in (((), INCOMPLETE, "old"), (("--overwrite",), 0, "new")):
            async with (
                MayflyProcess.running("send", note, env=anna.env) as sender,
                MayflyProcess.running("receive", "--yes", "--into", ben.files, *options, env=ben.env) as receiver,
            ):
                await both_end([receiver, sender], status)
            assert {path.name: path.read_text() for path in ben.files.iterdir()} == {"note.txt": found}
            reason = receiver.named("transfer")[-1]["reason"]
            advice = "Move it away, or receive with --overwrite."
            assert reason == ("" if options else f"cannot receive note.txt: it exists already. {advice}")
