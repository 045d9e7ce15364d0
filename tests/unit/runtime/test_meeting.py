"""Meeting by hand, over the memory engine: codes carried right, wrong, late and twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_address

import pytest

from mayfly.config import LinkConfig
from mayfly.errors import ConnectError, ExpiredCodeError, GatheringError, MistypedCodeError, WrongKindCodeError
from mayfly.runtime.events import CodeReady, Warned, Words
from mayfly.runtime.meeting import NO_CODE_NOW, NO_PUBLIC_ADDRESS, Meeting
from mayfly.signaling.codes import parse
from mayfly.transport.base import IpPolicy, LinkSettings
from mayfly.transport.engines import make_engine
from mayfly.transport.memory_engine import MemoryEngine, MemoryNetwork
from support.programs_in_memory import Script

NOW = 1_800_000_007.5


def meeting(network: MemoryNetwork, script: Script, *, config: LinkConfig | None = None, now: float = NOW) -> Meeting:
    settings = LinkSettings(config=config or LinkConfig())
    return Meeting(MemoryEngine(network), settings, script, script, clock=lambda: now)


async def test_two_meet_and_see_the_same_words() -> None:
    network, one, two = MemoryNetwork(), Script(), Script()
    offering = asyncio.get_running_loop().create_task(meeting(network, one).meet(None))
    answering = asyncio.get_running_loop().create_task(meeting(network, two).meet(await one.code()))
    one.paste(await two.code())
    offerer, answerer = await asyncio.gather(offering, answering)
    assert offerer.words == answerer.words == (await two.event(Words)).words
    assert len(offerer.words) == 5
    assert offerer.link.offerer
    assert not answerer.link.offerer


async def test_what_a_code_says_of_itself() -> None:
    network, one = MemoryNetwork(), Script()
    offering = asyncio.get_running_loop().create_task(meeting(network, one).invite())
    ready = await one.event(CodeReady)
    code = parse(ready.code, wanted=None, now=NOW)
    assert ready.kind == "offer"
    assert ready.expires == code.expires
    assert 0 <= ready.expires - (NOW + LinkConfig().offer_lifetime) < 60
    assert ready.role == "actpass"
    assert len(ready.discloses) == 1
    offering.cancel()


async def test_no_code_outlives_its_program() -> None:
    script = Script()
    maker = Meeting(
        MemoryEngine(MemoryNetwork()), LinkSettings(), script, script, clock=lambda: NOW, deadline=NOW + 120
    )
    offering = asyncio.get_running_loop().create_task(maker.invite())
    assert (await script.event(CodeReady)).expires - NOW <= 120 + 60
    offering.cancel()


async def test_wrong_codes_are_said_and_the_right_one_still_works() -> None:
    network, one, two, other = MemoryNetwork(), Script(), Script(), Script()
    offering = asyncio.get_running_loop().create_task(meeting(network, one).meet(None))
    code = await one.code()
    elsewhere = asyncio.get_running_loop().create_task(meeting(network, other).invite())
    stray = asyncio.get_running_loop().create_task(meeting(network, Script()).reply(await other.code()))
    answering = asyncio.get_running_loop().create_task(meeting(network, two).reply(code))
    answer = await two.code()
    for wrong in ("", "hello", answer[:-1] + ("q" if answer[-1] != "q" else "p"), code):
        one.paste(wrong)
    one.paste("here you are: " + answer.upper())
    await asyncio.gather(offering, answering)
    assert len(one.all(Warned)) == 4
    assert all(warned.stage == "code" and warned.hint for warned in one.all(Warned))
    for task in (elsewhere, stray):
        task.cancel()


async def test_a_given_code_that_cannot_be_used_is_an_error() -> None:
    network, one, two = MemoryNetwork(), Script(), Script()
    offering = asyncio.get_running_loop().create_task(meeting(network, one).invite())
    code = await one.code()
    with pytest.raises(MistypedCodeError):
        await meeting(network, two).reply(code[:40])
    with pytest.raises(ExpiredCodeError):
        await meeting(network, two, now=NOW + 3600).reply(code)
    answering = asyncio.get_running_loop().create_task(meeting(network, two).reply(code))
    with pytest.raises(WrongKindCodeError):
        await meeting(network, Script()).reply(await two.code())
    for task in (offering, answering):
        task.cancel()


async def test_a_code_may_be_read_instead_of_given() -> None:
    network, one, two = MemoryNetwork(), Script(), Script()
    offering = asyncio.get_running_loop().create_task(meeting(network, one).meet(None))
    answering = asyncio.get_running_loop().create_task(meeting(network, two).reply(None))
    two.paste("not a code")
    two.paste(await one.code())
    one.paste(await two.code())
    await asyncio.gather(offering, answering)
    assert len(two.all(Warned)) == 1


@pytest.mark.parametrize(
    ("link", "local", "told"),
    [
        (LinkSettings(stun=("a.example:1",)), True, 1),
        (LinkSettings(stun=("a.example:1",)), False, 0),
        (LinkSettings(), True, 0),
        (LinkSettings(stun=("a.example:1",), ip_policy=IpPolicy.LAN), True, 0),
    ],
)
async def test_a_code_that_no_stun_server_has_helped_is_said_once(
    monkeypatch: pytest.MonkeyPatch, link: LinkSettings, local: bool, told: int
) -> None:
    monkeypatch.setattr("mayfly.runtime.meeting.stays_on_local_network", lambda _description: local)
    network, script = MemoryNetwork(), Script()
    made = Meeting(MemoryEngine(network), link, script, script, clock=lambda: NOW)
    offering = asyncio.get_running_loop().create_task(made.invite())
    await script.code()
    network.offers[0].move()
    await script.code(2)
    assert script.all(Warned).count(NO_PUBLIC_ADDRESS) == told
    offering.cancel()


async def test_a_moved_mapping_gives_a_new_code_and_both_answers_work() -> None:
    network, one, two = MemoryNetwork(), Script(), Script()
    offering = asyncio.get_running_loop().create_task(meeting(network, one).meet(None))
    first = await one.code()
    network.offers[0].move()
    second = await one.code(2)
    assert first != second
    assert [warned.message for warned in one.all(Warned)] == [
        "The code may be no good any more: the public address of this computer has changed."
    ]
    answering = asyncio.get_running_loop().create_task(meeting(network, two).reply(first))
    one.paste(await two.code())
    offerer, answerer = await asyncio.gather(offering, answering)
    assert offerer.words == answerer.words


async def test_an_offer_that_nobody_answers_is_replaced() -> None:
    network, one, two = MemoryNetwork(), Script(), Script()
    made = meeting(network, one, config=LinkConfig(offer_lifetime=0.05))
    offering = asyncio.get_running_loop().create_task(made.meet(None))
    await one.code()
    made._settings = replace(made._settings, config=LinkConfig())  # the second is good for as long as it takes
    second = await one.code(2)
    assert network.offers[0].spent
    assert len(one.all(Warned)) == 1
    answering = asyncio.get_running_loop().create_task(meeting(network, two).reply(second))
    one.paste(await two.code())
    await asyncio.gather(offering, answering)


async def test_a_network_that_is_away_is_waited_for_once_there_was_an_offer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mayfly.runtime.meeting.AGAIN", 0.0)
    network, one, two = MemoryNetwork(), Script(), Script()
    made = meeting(network, one)
    inviting = asyncio.get_running_loop().create_task(made.invite())
    answering = asyncio.get_running_loop().create_task(meeting(network, two).reply(await one.code()))
    one.paste(await two.code())
    network.gathers = False
    await asyncio.gather((await inviting).connect(), answering)
    next_one = asyncio.get_running_loop().create_task(made.invite())
    warned = await one.event(Warned)
    assert (warned.stage, warned.hint) == ("gather", NO_CODE_NOW)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not next_one.done()
    assert one.all(Warned) == [warned]  # said once
    network.gathers = True
    await one.code(2)
    next_one.cancel()


async def test_a_first_offer_that_cannot_be_made_is_an_error() -> None:
    script = Script()
    with pytest.raises(GatheringError):
        await meeting(MemoryNetwork(gathers=False), script).invite()
    assert script.events == []


async def test_an_answerer_gives_up_in_the_end() -> None:
    network, one, two = MemoryNetwork(), Script(), Script()
    offering = asyncio.get_running_loop().create_task(meeting(network, one).invite())
    config = LinkConfig(answer_lifetime=0.05)
    with pytest.raises(ConnectError):
        await meeting(network, two, config=config).reply(await one.code())
    assert not network.answers
    offering.cancel()


async def test_the_end_of_input_ends_the_meeting() -> None:
    network, one = MemoryNetwork(), Script()
    offering = asyncio.get_running_loop().create_task(meeting(network, one).invite())
    await one.code()
    one.end_input()
    with pytest.raises(EOFError):
        await offering
    assert network.offers[0].spent


async def test_cancelling_frees_the_offer() -> None:
    network, one = MemoryNetwork(), Script()
    offering = asyncio.get_running_loop().create_task(meeting(network, one).invite())
    await one.code()
    offering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await offering
    assert network.offers[0].spent


@pytest.mark.needs("wrtc")
async def test_who_gets_the_lesser_engine_for_the_sake_of_an_option_is_told() -> None:
    script = Script()
    bound = LinkSettings(bind=(ip_address("127.0.0.1"),))
    Meeting(make_engine("auto"), bound, script, script)
    Meeting(make_engine("auto"), LinkSettings(), script, script)
    Meeting(make_engine("aiortc"), bound, script, script)
    (warned,) = script.all(Warned)
    assert warned.stage == "engine" and "--bind" in warned.message
