"""core/CLAIMS.md: each claim stands on its page in these words, and what backs it exists."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest

from mayfly.config import (
    KIB,
    MIB,
    ChatConfig,
    EngineConfig,
    FilesConfig,
    LinkConfig,
    MuxConfig,
    SocksConfig,
    SpliceConfig,
)
from mayfly.files.records import BLOCK
from mayfly.meetconfig import OnionConfig, PoolConfig
from mayfly.services.peer import PeerOptions
from mayfly.transport.base import LinkSettings
from mayfly_broker.config import BrokerConfig
from mayfly_cli.chat import PATIENCE
from mayfly_client.options import ClientOptions
from mayfly_relay.interfaces import REFRESH_INTERVAL
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
RELAY, UDP, POOL, ONION, SOCKS = RelayLimits(), UdpLimits(), PoolConfig(), OnionConfig(), SocksConfig()
BROKER = (BrokerConfig().max_mailbox, BrokerConfig().match_lifetime)
LATEST = POOL.ask_idle + POOL.give_up + 2 * POOL.ask_again
"""Seconds after which a dead relay is given up at the latest, on a path that is not slow."""


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
        ("it is reset within two to three seconds", POOL.ask_after + POOL.give_up >= 2 and LATEST <= 3),
        ("except the mail ports 25, 465, 587 and 2525", MAIL_PORTS == (25, 465, 587, 2525)),
    ],
)
def test_a_number_on_the_front_page_is_the_configuration_s(said: str, is_so: bool) -> None:
    assert said in text("README.md")
    assert is_so


@pytest.mark.parametrize(
    ("page", "said", "is_so"),
    [
        (
            "relay",
            "after a burst of 600, held back for up to 5 s",
            (RELAY.connect_burst, RELAY.connect_delay) == (600, 5),
        ),
        ("relay", "| `resolve_timeout` | 10 s |", RELAY.resolve_timeout == 10),
        ("relay", "| `connect_timeout` | 20 s,", RELAY.connect_timeout == 20),
        ("relay", "| `tor_timeout` | 60 s,", RELAY.tor_timeout == 60),
        ("relay", "| `udp.max_associations`, of a client | 32 |", UDP.max_associations == 32),
        ("relay", "| 5000 datagrams a second, 1000 at once |", (UDP.rate, UDP.burst) == (5000, 1000)),
        ("relay", "| `udp.max_peers`, of an association | 256 |", UDP.max_peers == 256),
        ("relay", "| 32 datagrams waiting for a lookup |", UDP.max_waiting == 32),
        ("relay", "| `udp.idle_timeout` | 300 s", UDP.idle_timeout == 300),
        ("relay", "looked up again every 60 seconds", REFRESH_INTERVAL == MINUTE),
        ("relay", "8 calls at once, offers at 0.2 a second", (ONION.max_callers, ONION.offer_rate) == (8, 0.2)),
        ("relay", "a burst of 8, 20 s to say what is wanted", (ONION.offer_burst, ONION.call_timeout) == (8, 20)),
        ("relay", "60 s to answer, lines of 4 KiB", (ONION.answer_timeout, ONION.max_line) == (60, 4 * KIB)),
        ("client", "At most 1,024 applications", SOCKS.max_connections == 1024),
        ("client", "30 s to finish its request", SOCKS.handshake_timeout == 30),
        ("client", "request of at most 8 KiB", SOCKS.max_handshake == 8 * KIB),
        ("client", "those that failed within ten minutes", POOL.forget_failures == 10 * MINUTE),
        ("client", "from half a second to half a minute", (POOL.backoff, POOL.max_backoff) == (0.5, 30)),
        ("client", "says nothing for 0.3 s", POOL.quiet == 0.3),
        ("client", "after half a second of silence (a second", (POOL.ask_after, POOL.ask_idle) == (0.5, 1)),
        ("client", "1.5 s (or five round trips) without an answer", POOL.give_up == 1.5),
        ("client", "The only relay has 3 s", POOL.alone == 3),
        ("client", "an application's request waits 20 s for one", POOL.no_relay == 20),
        ("broker_optional", "a few sealed messages, at most 8 KiB each way in a minute", BROKER == (8 * KIB, MINUTE)),
    ],
)
def test_a_number_on_a_program_s_page_is_the_configuration_s(page: str, said: str, is_so: bool) -> None:
    assert said in text(f"{page}/README.md")
    assert is_so


def test_every_promise_of_the_threats_names_a_test() -> None:
    bullets = re.split(r"^- |\n\n", (ROOT / "core/THREATS.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    promises = [bullet for bullet in bullets if STRONG.match(bullet)]
    assert len(promises) > 15
    for bullet in promises:
        assert re.search(r"`(test_\w+|tests/[\w/]+\.py)`", bullet), bullet
