"""The mailbox of a link: order, bounds, and the end told once."""

from __future__ import annotations

import asyncio

import pytest

from mayfly.transport.mailbox import OUR_FAULT, TOO_MANY_EARLY, Mailbox


def mailbox(max_early: int = 10_000) -> Mailbox:
    return Mailbox(asyncio.get_running_loop(), max_early=max_early)


def nothing() -> None:
    pass


async def test_early_messages_come_first_and_never_from_inside_start() -> None:
    box, seen = mailbox(), list[bytes]()
    box.deliver(b"1")
    box.start(seen.append, nothing, lambda _: None)
    box.deliver(b"2")
    assert seen == [] and box.early == 2 * (1 + 64)
    await asyncio.sleep(0)
    box.deliver(b"3")
    assert seen == [b"1", b"2", b"3"] and box.early == 0


async def test_lost_follows_what_arrived_before_it_and_comes_once() -> None:
    box, seen = mailbox(), list[object]()
    box.deliver(b"1")
    box.end("gone")
    box.deliver(b"too late")
    box.end("gone again")
    box.start(seen.append, nothing, lambda reason: seen.append(("lost", reason)))
    for _ in range(3):
        await asyncio.sleep(0)
    assert seen == [b"1", ("lost", "gone")]


async def test_lost_is_not_told_from_inside_end() -> None:
    box, seen = mailbox(), list[str]()
    box.start(lambda _: None, nothing, seen.append)
    await asyncio.sleep(0)
    box.end("gone")
    assert seen == []
    await asyncio.sleep(0)
    assert seen == ["gone"]


async def test_our_own_close_tells_nothing_even_when_the_end_was_under_way() -> None:
    box, seen = mailbox(), list[object]()
    box.start(seen.append, lambda: seen.append("room"), seen.append)
    await asyncio.sleep(0)
    box.end("gone")
    box.close()
    box.deliver(b"x")
    box.writable()
    await asyncio.sleep(0)
    assert seen == [] and box.ended


async def test_room_is_told_once_it_flows_and_until_the_end() -> None:
    box, seen = mailbox(), list[str]()
    box.writable()
    box.start(lambda _: None, lambda: seen.append("room"), lambda _: None)
    box.writable()
    assert seen == [], "not from inside start"
    await asyncio.sleep(0)
    box.writable()
    assert seen == ["room"]
    box.end("gone")
    box.writable()
    assert seen == ["room"]


async def test_a_callback_that_closes_stops_the_early_messages() -> None:
    box, seen = mailbox(), list[bytes]()

    def receive(message: bytes) -> None:
        seen.append(message)
        box.close()

    box.deliver(b"1")
    box.deliver(b"2")
    box.start(receive, nothing, lambda _: None)
    await asyncio.sleep(0)
    assert seen == [b"1"]


@pytest.mark.parametrize("size", [0, 100])
async def test_what_is_kept_before_the_start_is_bounded(size: int) -> None:
    box, seen = mailbox(max_early=1000), list[object]()
    for _ in range(100):
        box.deliver(bytes(size))
    box.start(seen.append, nothing, seen.append)
    await asyncio.sleep(0)
    assert seen[-1] == TOO_MANY_EARLY
    assert len(seen) - 1 == 1000 // (size + 64)


async def test_starting_twice_is_our_own_mistake() -> None:
    box = mailbox()
    box.start(lambda _: None, nothing, lambda _: None)
    with pytest.raises(RuntimeError):
        box.start(lambda _: None, nothing, lambda _: None)


@pytest.mark.parametrize("early", [True, False])
async def test_a_receiver_that_fails_loses_the_link_and_is_reported_once(early: bool) -> None:
    box, seen, reported = mailbox(), list[object](), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context["exception"]))
    mistake = ZeroDivisionError()

    def receive(message: bytes) -> None:
        seen.append(message)
        raise mistake

    if not early:
        box.start(receive, nothing, seen.append)
        await asyncio.sleep(0)
    box.deliver(b"1")
    box.deliver(b"2")
    if early:
        box.start(receive, nothing, seen.append)
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert seen == [b"1", OUR_FAULT]
    assert reported == [mistake] and box.ended
