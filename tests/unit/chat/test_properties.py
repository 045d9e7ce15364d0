"""Rooms joined in every shape, sessions lost, left and begun anew at any byte: nothing is doubled, or lost unsaid."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mayfly.chat.fates import Fate
from mayfly.chat.records import Half
from mayfly.chat.room import Room
from unit.chat.town import FAST, Town, base, key_of

SHAPES = {
    "pair": ("", ["ann-ben"]),
    "star": ("hub", ["ann-hub", "ben-hub", "cleo-hub"]),
    "pool": ("hub rex", ["ann-hub", "ann-rex", "ben-hub", "cleo-rex"]),
    "relays": ("hub rex", ["ann-hub", "hub-rex", "ben-rex"]),
}
people = st.integers(0, 4)
joints = st.integers(0, 7)
pipes = st.integers(0, 3)

steps = st.lists(
    st.one_of(
        st.tuples(st.just("say"), people, st.one_of(st.none(), people)),
        st.tuples(st.just("torn"), people, st.one_of(st.none(), people), joints, st.lists(pipes, max_size=6)),
        st.tuples(st.just("move"), joints, pipes, st.sampled_from([1, 20, 60, 10_000])),
        st.tuples(st.just("settle")),
        st.tuples(st.just("lose"), joints, st.sampled_from([0, 1, 2])),
        st.tuples(st.just("heal")),
        st.tuples(st.just("join"), joints),
        st.tuples(st.just("leave"), joints, st.integers(0, 1)),
        st.tuples(st.just("time"), st.sampled_from([1.0, 300.0, 601.0])),
    ),
    max_size=40,
)


def run(shape: str, script: list[tuple], *, forgetting: bool) -> Town:  # type: ignore[type-arg]
    """Let a script happen in a town, then bring everybody together again."""
    forwarders, edges = SHAPES[shape]
    town = Town()
    for name in sorted(set("-".join(edges).split("-"))):
        town.room(name, forwards=name in forwarders.split())
    ends = [tuple(town.rooms[name] for name in edge.split("-")) for edge in edges]
    names = list(town.rooms)

    def say(who: int, to: int | None) -> None:
        name = names[who % len(names)]
        town.say(town.rooms[name], f"{name} to {to}", "" if to is None else names[to % len(names)])

    for a, b in ends:
        town.join(a, b)
    town.settle()
    for step in script:
        match step:
            case ("say", who, to):
                say(who, to)
            case ("torn", who, to, joint, order) if town.joints:
                say(who, to)
                each = town.joints[joint % len(town.joints)]
                for pipe in order:
                    town.move(each, each.pipes[pipe], 10_000)
                town.lose(each)
                town.join(*each.ends)
            case ("move", joint, pipe, size) if town.joints:
                each = town.joints[joint % len(town.joints)]
                town.move(each, each.pipes[pipe], size)
            case ("settle",):
                town.settle()
            case ("lose", joint, noticed) if town.joints:
                each = town.joints[joint % len(town.joints)]
                town.lose(each, *([] if noticed == 2 else [each.ends[noticed]]))
            case ("heal",):
                town.heal()
            case ("join", edge):
                town.join(*ends[edge % len(ends)])
            case ("leave", joint, end) if town.joints and forgetting:
                each = town.joints[joint % len(town.joints)]
                town.leave(each, each.ends[end])
            case ("time", seconds) if forgetting:
                town.pass_time(seconds)
            case _:
                pass
    town.heal()
    for a, b in ends:
        town.join(a, b)
        town.settle()
    town.settle()
    return town


def everything_is_let_go(town: Town) -> None:
    """When all is settled only what an author may still ask about is kept."""
    for room in town.rooms.values():
        for each in room._people.values():
            assert not each.outbox and not each._shares
        assert len(room._post) == sum(len(each.settled) for each in room._people.values())


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(sorted(SHAPES)), steps)
def test_when_everybody_comes_back_everything_has_come_once(shape: str, script: list[tuple]) -> None:  # type: ignore[type-arg]
    town = run(shape, script, forgetting=False)
    town.check()
    everything_is_let_go(town)
    for (author, number), (to, _) in town.said.items():
        told = town.fates[author, number]
        assert {each[-1] for each in told.values()} <= {Fate.DELIVERED, Fate.UNKNOWN}
        for name, each in told.items():
            # Nobody is unknown but who was not there when it was said.
            assert each[-1] is Fate.DELIVERED or name in (to, ""), told


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(sorted(SHAPES)), steps)
def test_whoever_leaves_or_stays_away_no_message_is_lost_unsaid(shape: str, script: list[tuple]) -> None:  # type: ignore[type-arg]
    town = run(shape, script, forgetting=True)
    town.check()
    everything_is_let_go(town)
    for room in town.rooms.values():
        assert all(each.present for each in room.who())
        assert len({each.name for each in room.who()}) == len(room.who())


def test_an_author_that_was_forgotten_with_its_message_learns_it() -> None:
    """Found by the property above: the relay forgets both ends while the author has not even noticed."""
    script = [("say", 0, None), ("lose", 1, 0), ("settle",), ("heal",), ("lose", 0, 1), ("time", 601.0)]
    town = run("star", script, forgetting=True)
    town.check()


def test_an_author_is_told_of_a_forwarder_that_never_said_whom_the_message_was_for() -> None:
    """Found by the property above: the forwarder is given up without a word, and the people behind it have it."""
    town = run("pool", [("torn", 0, None, 0, [0]), ("time", 601.0)], forgetting=True)
    town.check()
    ann = town.rooms["ann"].id
    assert {name: fates[-1] for name, fates in town.fates[ann, 1].items()} == {
        "hub": Fate.GONE,
        "ben": Fate.GONE,
        "rex": Fate.DELIVERED,
        "cleo": Fate.DELIVERED,
    }
    assert not town.lacking[ann, 1]["ben"]
    assert town.received["ben", ann, 1] == 1


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(SHAPES)), steps)
def test_an_end_tells_what_never_arrived(shape: str, script: list[tuple]) -> None:  # type: ignore[type-arg]
    town = run(shape, script, forgetting=False)
    for name, room in town.rooms.items():
        numbers = [town.say(room, "last words") for _ in range(2)]
        town.note(room, room.close())
        for number in numbers:
            assert all(told[-1] is Fate.GONE for told in town.fates[room.id, number].values()), name
            assert town.fates[room.id, number]


@settings(deadline=None, max_examples=150)
@given(
    forwards=st.booleans(),
    pieces=st.lists(
        st.tuples(
            st.integers(1, 2),
            st.sampled_from(Half),
            st.one_of(
                st.binary(max_size=60),
                st.tuples(
                    st.sampled_from([1, 2, 3, 4, 5, 16, 17]), st.binary(max_size=40), st.sampled_from([b"", b"\x01a"])
                ).map(lambda x: bytes((x[0], len(x[1] + x[2]))) + x[1] + x[2]),
            ),
        ),
        max_size=30,
    ),
)
def test_foreign_bytes_break_nothing(forwards: bool, pieces: list[tuple[int, Half, bytes]]) -> None:
    room = Room(key_of("ann"), "ann", forwards=forwards, config=FAST)
    for session in (1, 2):
        room.connect(session, 0.0)
        room.receive(session, Half.SAY, b"\x01\x13" + key_of(str(session)) + bytes((session - 1,)) + b"\x01x", 0.0)
    room.say("hi", "", 0, 0.0)
    for session, half, data in pieces:
        room.receive(session, half, data, 0.0)
    for each in room.who():
        assert each.name.isprintable()
    assert base(room.who()[0].name) == "x"
    room.tick(1e9)
    assert room.close() is not None
    assert len(room._post) == 0
