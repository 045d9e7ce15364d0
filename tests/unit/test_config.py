"""The limits: what combinations are refused, and what the defaults add up to."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from mayfly.config import KIB, MIB, ChatConfig, LinkConfig, MuxConfig, SocksConfig, StreamHeaderConfig


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


@pytest.mark.parametrize("config", [MuxConfig(), LinkConfig(), SocksConfig(), StreamHeaderConfig()])
def test_limits_are_positive_and_fixed(config: object) -> None:
    for name in type(config).__dataclass_fields__:  # type: ignore[attr-defined]
        assert getattr(config, name) > 0
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
