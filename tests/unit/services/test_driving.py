"""A transfer's end at work: pause, cancel, a link that is lost, a peer that says nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mayfly.config import MIB
from mayfly.files.events import Accepted, Ended, Listed, PauseChanged
from mayfly.files.records import Reason
from mayfly.files.states import Outcome
from mayfly.services import driving
from mayfly.services.driving import Driver
from mayfly.services.reading import Reader
from mayfly.services.sending import Sending
from mayfly.services.source import Source, scan
from mayfly.transport.memory import MemoryPath
from support.sessions import joined
from unit.services.pairs import Pair, streams, transferring

SLOW = MemoryPath(bandwidth=4 * MIB)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "x").write_bytes(bytes(range(256)) * 4096 * 6)
    return scan([tmp_path / "x"])


def drivers(pair: Pair, who: str) -> tuple[Driver, Driver]:
    """The one who acts, and the other."""
    one, other = pair.sending.driver, pair.receiving.driver
    return (one, other) if who == "sender" else (other, one)


async def on_disk(driver: Driver, size: int) -> None:
    while driver.on_disk < size:
        await asyncio.sleep(0.001)


async def all_arrived(pair: Pair) -> None:
    """What was under way when the sender stopped is there, and nothing follows."""
    calm = 0
    while calm < 20:
        calm = calm + 1 if pair.client.session.bytes_sent == pair.relay.session.bytes_received else 0
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("who", ["sender", "receiver"])
async def test_either_side_pauses_and_both_know(source: Source, tmp_path: Path, who: str) -> None:
    async with transferring(source, tmp_path / "in", path=SLOW) as pair:
        await on_disk(pair.receiving.driver, MIB)
        actor, other = drivers(pair, who)
        actor.pause()
        await pair.sending.until(PauseChanged)
        await pair.receiving.until(PauseChanged)
        assert actor.held
        assert other.held
        await all_arrived(pair)
        assert pair.relay.session.bytes_received < 4 * MIB
        assert not pair.receiving.result.done()
        actor.resume()
        await pair.sending.until(PauseChanged, 2)
        assert [result.outcome for result in await pair.results()] == [Outcome.COMPLETED] * 2
    assert (tmp_path / "in" / "x").read_bytes() == (tmp_path / "x").read_bytes()


@pytest.mark.parametrize("who", ["sender", "receiver"])
@pytest.mark.parametrize(
    ("reason", "outcome", "kept"),
    [(Reason.USER, Outcome.CANCELLED, []), (Reason.LEAVING, Outcome.INTERRUPTED, ["x.part", "x.part.json"])],
)
async def test_either_side_ends_it(
    source: Source, tmp_path: Path, who: str, reason: Reason, outcome: Outcome, kept: list[str]
) -> None:
    async with transferring(source, tmp_path / "in", path=SLOW) as pair:
        await on_disk(pair.receiving.driver, MIB)
        drivers(pair, who)[0].cancel(reason)
        results = await pair.results()
    assert [(result.outcome, result.reason) for result in results] == [(outcome, reason)] * 2
    assert [result.by_us for result in results] == [who == "sender", who == "receiver"]
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == kept


async def test_the_session_lives_on_after_a_transfer(source: Source, tmp_path: Path) -> None:
    async with transferring(source, tmp_path / "in") as pair:
        await pair.results()
        async with asyncio.timeout(10):  # the last word on a stream may wait for company
            await asyncio.gather(pair.client.session.wait_idle(), pair.relay.session.wait_idle())
        assert pair.client.session.open_streams == pair.relay.session.open_streams == 0
        await streams(pair.client, pair.relay)


async def test_a_lost_link_interrupts_both_and_the_part_stays(source: Source, tmp_path: Path) -> None:
    async with transferring(source, tmp_path / "in", path=SLOW) as pair:
        await on_disk(pair.receiving.driver, MIB)
        pair.cut()
        results = await pair.results()
    assert [(result.outcome, result.reason) for result in results] == [(Outcome.INTERRUPTED, None)] * 2
    assert isinstance(pair.sending.heard[-1], Ended)
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["x.part", "x.part.json"]


async def test_a_peer_that_does_not_answer_a_cancel_is_not_waited_for(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driving, "LINGER", 0.05)
    async with joined() as (client, relay):
        ours, theirs = await streams(client, relay)
        sending = Sending(ours, source, lambda event: None)
        async with asyncio.TaskGroup() as group:
            result = group.create_task(sending.run())
            await theirs.read()
            sending.cancel()
    assert (result.result().outcome, result.result().by_us) == (Outcome.CANCELLED, True)


async def test_a_peer_that_talks_nonsense_ends_the_transfer_alone(source: Source) -> None:
    async with joined() as (client, relay):
        ours, theirs = await streams(client, relay)
        async with asyncio.TaskGroup() as group:
            result = group.create_task(Sending(ours, source, lambda event: None).run())
            await theirs.write(b"\xff" * 100)
            theirs.finish()
        assert (result.result().outcome, result.result().reason) == (Outcome.INTERRUPTED, Reason.PROTOCOL)
        await streams(client, relay)


async def test_when_its_task_is_cancelled_the_peer_is_not_left_waiting(source: Source, tmp_path: Path) -> None:
    async with transferring(source, tmp_path / "in", path=SLOW) as pair:
        await on_disk(pair.receiving.driver, MIB)
        pair.sending.result.cancel()
        assert (await pair.receiving.result).outcome is Outcome.INTERRUPTED
    assert (tmp_path / "in" / "x.part").stat().st_size >= MIB


async def test_a_fault_of_ours_is_raised_and_hangs_nobody(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Reader) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Reader, "_carry_out", broken)
    with pytest.raises(ExceptionGroup):
        async with transferring(source, tmp_path / "in") as pair:
            await pair.receiving.result


async def test_progress_counts_what_is_on_disk_on_both_sides(source: Source, tmp_path: Path) -> None:
    async with transferring(source, tmp_path / "in", path=SLOW) as pair:
        assert (pair.sending.driver.on_disk, pair.sending.driver.total) == (0, 6 * MIB)
        await on_disk(pair.sending.driver, 2 * MIB)
        assert (
            pair.sending.driver.on_disk <= pair.receiving.driver.on_disk <= (tmp_path / "in" / "x.part").stat().st_size
        )
        await pair.results()
        assert pair.sending.driver.on_disk == pair.receiving.driver.on_disk == 6 * MIB
    assert [type(event) for event in pair.sending.heard] == [Accepted, Ended]
    assert isinstance(pair.receiving.heard[1], Listed)
