"""Which sections of our pages are played together, and on whose computers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PEOPLE = {"volunteer": "volunteer", "friend": "friend", "operator": "operator"}


@dataclass(frozen=True, slots=True)
class Scene:
    """Acts are played one after another, the sections of one act at once."""

    name: str
    page: str
    acts: tuple[tuple[str, ...], ...]
    computers: Mapping[str, str] = field(default_factory=lambda: PEOPLE)
    """The word behind `console`: on whose computer that terminal is."""
    in_clone: bool = False
    """Whether it begins in a clone of the repository, and not at home. What pip needs is there without the network."""
    running: tuple[tuple[str, ...], ...] = ()
    """What runs on the operator's computer before the page begins."""


_OTHERS = {f"{who}-{what}": who for who in ("volunteer", "friend") for what in ("programs", "chat", "files")}

_REDIS = ("redis-server", "--save", "", "--appendonly", "no")

SCENES = (
    Scene("a newcomer", "README.md", (("Mayfly",), ("Install",)), {"": "volunteer"}, in_clone=True),
    Scene(
        "two people, and all that their link carries",
        "README.md",
        (
            ("I lend my network", "I need a way out"),
            ("Chat",),
            ("Files",),
            ("What else can be sent",),
            ("What a code gives away",),
        ),
        PEOPLE | _OTHERS,
    ),
    Scene(
        "two people with a file",
        "README.md",
        (("With nothing running",),),
        {"sender": "volunteer", "receiver": "friend"},
    ),
    Scene("settings", "README.md", (("Configuration",),)),
    Scene("scripts", "README.md", (("Scripts",),), {"": "friend"}),
    Scene("a report", "SECURITY.md", (("How to report",),), {"first": "friend", "second": "friend"}),
    Scene("a broker on Redis", "broker_optional/README.md", (("One process or several",),), running=(_REDIS,)),
    Scene("the other way round", "README.md", (("The other way round",),)),
    Scene("a friend through a broker", "README.md", (("I keep a broker",), ("Friends",))),
    Scene("a stranger through a broker", "README.md", (("I keep a broker",), ("Strangers",))),
)
