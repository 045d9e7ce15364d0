"""The limits: what combinations are refused, and what the defaults add up to."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, is_dataclass, replace
from typing import Any

import pytest

import mayfly.meetconfig
import mayfly_broker.config
from mayfly.config import KIB, MIB, ChatConfig, MuxConfig, StreamHeaderConfig


@pytest.mark.parametrize(
    "wrong",
    [
        {"usual_message": 1199},
        {"usual_message": 17 * KIB, "max_message": 16 * KIB},
        {"max_message": 65 * KIB},
        {"max_receive_message": 63 * KIB},
        {"max_datagram": 64 * KIB - 63},
        {"initial_stream_window": 9 * MIB},
        {"initial_connection_window": 33 * MIB},
    ],
)
def test_limits_that_contradict_each_other_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"_message|datagram|initial_"):
        replace(MuxConfig(), **wrong)


CONFIGS = [
    value
    for module in (mayfly.config, mayfly.meetconfig, mayfly_broker.config)
    for value in vars(module).values()
    if isinstance(value, type) and is_dataclass(value) and value.__module__ == module.__name__
]


@pytest.mark.parametrize("kind", CONFIGS)
def test_limits_are_positive_and_fixed(kind: type[Any]) -> None:
    config = kind()
    for name in kind.__dataclass_fields__:
        value = getattr(config, name)
        assert min(value if isinstance(value, tuple) else (value,)) > 0
        with pytest.raises(FrozenInstanceError):
            setattr(config, name, 1)


def test_a_dead_link_is_noticed_within_15_seconds() -> None:
    config = MuxConfig()
    assert config.ping_after < config.dead_after <= 15 - 1


def test_the_worst_case_follows_its_parts() -> None:
    config = MuxConfig()
    assert config.worst_case_memory < 128 * MIB
    for name, by in (("max_connection_window", MIB), ("max_gaps", 4096), ("max_streams", 1024), ("max_datagrams", 64)):
        larger = replace(config, **{name: getattr(config, name) + by})
        assert larger.worst_case_memory > config.worst_case_memory, name


def test_a_header_with_the_longest_name_fits() -> None:
    assert StreamHeaderConfig().max_header >= 2 + 1 + 2 + 255 + 2


@pytest.mark.parametrize(
    "wrong", [{"max_participants": 63}, {"max_participants": 0}, {"max_share": 257}, {"max_queue": 700 * KIB}]
)
def test_chat_limits_that_contradict_each_other_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="max_"):
        replace(ChatConfig(), **wrong)


def test_a_chat_room_s_worst_case_follows_its_parts() -> None:
    config = ChatConfig()
    assert config.worst_case_memory < 200 * MIB
    for name in ("max_participants", "max_queue", "max_waiting"):
        assert replace(config, **{name: getattr(config, name) + 1}).worst_case_memory > config.worst_case_memory
