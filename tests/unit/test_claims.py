"""core/CLAIMS.md: each claim stands on its page in these words, and what backs it exists."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest

from mayfly.config import EngineConfig, MuxConfig, SpliceConfig
from mayfly.meetconfig import OnionConfig
from mayfly_relay.limits import RelayLimits, UdpLimits
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


def test_every_promise_of_the_threats_names_a_test() -> None:
    bullets = re.split(r"^- |\n\n", (ROOT / "core/THREATS.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    promises = [bullet for bullet in bullets if STRONG.match(bullet)]
    assert len(promises) > 15
    for bullet in promises:
        assert re.search(r"`(test_\w+|tests/[\w/]+\.py)`", bullet), bullet
