"""core/CLAIMS.md: each claim stands on its page in these words, and what backs it exists."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest

from mayfly.config import MIB, ChatConfig, EngineConfig, FilesConfig, LinkConfig, MuxConfig, SpliceConfig
from mayfly.files.records import BLOCK
from mayfly.meetconfig import OnionConfig, PoolConfig
from mayfly.services.peer import PeerOptions
from mayfly.transport.base import LinkSettings
from mayfly_cli.chat import PATIENCE
from mayfly_client.options import ClientOptions
from mayfly_relay.limits import RelayLimits, UdpLimits
from mayfly_relay.options import RelayOptions
from mayfly_relay.policy import MAIL_PORTS
from support.programs import ROOT

CLAIMS = "core/CLAIMS.md"
STRONG = re.compile(r"^(Cannot|Does not|Is bounded|Keeps no|No |Two clients never|\*\*No |\*\*Two clients never)")
"""How lines of the threats begin that promise something, and not its absence."""


@cache
def text(name: str) -> str:
    """A file with every run of white space as one space."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def claims() -> list[tuple[str, str, str]]:
    """Page, claim, and the cell that says what backs it."""
    found, page = [], ""
    for line in (ROOT / CLAIMS).read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            page = line.removeprefix("## ")
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and page.endswith(".md") and cells[0] != "claim":
            claim, backing = cells
            found.append((page, claim, backing))
    return found


@pytest.mark.parametrize(("page", "claim", "backing"), claims(), ids=[claim[:60] for _, claim, _ in claims()])
def test_a_claim_stands_on_its_page_and_what_backs_it_exists(page: str, claim: str, backing: str) -> None:
    assert claim in text(page)
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", backing)
    rows = re.findall(r"`([\w-]+\.json)`: ([^`]+?)(?=, `|$)", backing)
    assert tests or rows
    for path, test in tests:
        assert re.search(rf"def {test}\(", (ROOT / path).read_text(encoding="utf-8")), f"{path} has no {test}"
    for name, promise in rows:
        kept = json.loads((ROOT / "tests/bench/results" / name).read_text())["promises"]
        assert promise in {each["promise"] for each in kept if each["kept"]}, f"{name} does not keep {promise!r}"


@pytest.mark.parametrize(
    ("name", "bytes_at_most"),
    [
        ("MuxConfig.worst_case_memory", MuxConfig().worst_case_memory),
        ("EngineConfig.worst_case_memory", EngineConfig().worst_case_memory),
        ("UdpLimits.worst_case_memory", UdpLimits().worst_case_memory),
        ("SpliceConfig.worst_case", SpliceConfig().worst_case * RelayLimits().max_streams),
        ("OnionConfig.worst_case_memory", OnionConfig().worst_case_memory),
    ],
)
def test_the_memory_that_the_threats_state_is_the_configuration_s(name: str, bytes_at_most: int) -> None:
    found = re.search(rf"`{re.escape(name)}`[^|]*?(?:\| |, )([\d.]+) MiB", text("core/THREATS.md"))
    assert found
    stated = float(found[1])
    assert abs(bytes_at_most / (1 << 20) - stated) <= (0.005 if "." in found[1] else 0.5)


LINK = LinkSettings()
MINUTE = 60.0


@pytest.mark.parametrize(
    ("said", "is_so"),
    [
        ("within 15 minutes is replaced", LinkConfig().offer_lifetime == 15 * MINUTE),
        ("Codes are good for 15 minutes", LinkConfig().offer_lifetime == 15 * MINUTE),
        ("The relay stays for an hour", RelayOptions(link=LINK).lifetime == 60 * MINUTE),
        ("until four are there (`--max-clients`)", RelayLimits().max_clients == 4),
        (
            "open connections have 30 seconds to finish",
            RelayOptions(link=LINK).grace == ClientOptions(link=LINK).grace == 30,
        ),
        ("Ctrl-C once gives the transfer 30 seconds more", PeerOptions(link=LINK).grace == 30),
        ("Nothing has come for 12 seconds", MuxConfig().dead_after == 12),
        ("comes back in the same run within ten minutes", ChatConfig().keep_away == 10 * MINUTE),
        ("Both wait up to a minute for somebody", PATIENCE == MINUTE),
        ("Every block of 1 MiB is checked", BLOCK == MIB),
        ("never more than a chunk of 8 MiB ahead", FilesConfig().max_unstored == 8 * MIB),
        ("The client keeps links to two relays", PoolConfig().relays == 2),
        ("except the mail ports 25, 465, 587 and 2525", MAIL_PORTS == (25, 465, 587, 2525)),
    ],
)
def test_a_number_on_the_front_page_is_the_configuration_s(said: str, is_so: bool) -> None:
    assert said in text("README.md")
    assert is_so


def test_every_promise_of_the_threats_names_a_test() -> None:
    bullets = re.split(r"^- |\n\n", (ROOT / "core/THREATS.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    promises = [bullet for bullet in bullets if STRONG.match(bullet)]
    assert len(promises) > 15
    for bullet in promises:
        assert re.search(r"`(test_\w+|tests/[\w/]+\.py)`", bullet), bullet
