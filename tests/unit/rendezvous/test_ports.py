"""Classes of ports."""

from __future__ import annotations

import pytest

from mayfly.rendezvous import ports


@pytest.mark.parametrize(
    ("port", "name"),
    [
        (80, "web"),
        (443, "web"),
        (22, "ssh"),
        (993, "mail"),
        (6697, "chat"),
        (1024, "high"),
        (65535, "high"),
        (1, "low"),
    ],
)
def test_the_class_of_a_port(port: int, name: str) -> None:
    assert ports.class_of(port) == name


def test_a_relay_names_the_classes_that_it_serves_whole() -> None:
    assert ports.served(lambda _: True) == ("web", "ssh", "mail", "chat", "high", "low")
    assert ports.served(lambda port: port == 443) == ()
    assert ports.served(lambda port: port in (80, 443, 22)) == ("web", "ssh")
    assert ports.served(lambda port: port != 25) == ("web", "ssh", "mail", "chat", "high", "low")
    assert "high" not in ports.served(lambda port: port != 40000)


def test_a_port_that_is_wanted_is_served_by_those_who_name_its_class() -> None:
    asked: list[int] = []

    def serves(port: int) -> bool:
        asked.append(port)
        return True

    names = ports.served(serves)
    assert len(asked) == len(set(asked)) == 65535 - 1
    assert all(ports.class_of(port) in names for port in asked)
