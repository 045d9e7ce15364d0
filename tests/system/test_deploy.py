"""The files of deploy/: held to what can be checked without a container engine, and the reverse proxy in real use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from support.broker import api, broker_process
from support.certificates import self_signed
from support.nginx import nginx
from support.programs import ROOT, free_port, run

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MOST_EXPOSURE = 20
"""In tenths, as systemd-analyze's threshold has it: 2.0."""


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=[unit.stem for unit in UNITS])
async def test_a_unit_is_valid_and_little_exposed(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/opt/mayfly/bin/mayfly", "/bin/true"))  # which must exist to be verified
    verified = await run("systemd-analyze", "verify", copy)
    assert verified.stderr == ""
    arguments = ("--offline=yes", f"--threshold={MOST_EXPOSURE}", "--no-pager")
    rated = await run("systemd-analyze", "security", *arguments, copy)
    assert re.search(r"Overall exposure level for \S+: [01]\.\d OK", rated.text)


def test_both_programs_have_a_unit() -> None:
    # That their command lines mean what they should is tests/unit/cli/test_deployed.py's.
    assert [unit.stem for unit in UNITS] == ["mayfly-broker", "mayfly-relay"]


def composed() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def test_the_composition_is_hardened_and_whole() -> None:
    services = composed()["services"]
    assert set(services) == {"broker", "redis", "relay"}
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert {"mem_limit", "networks"} <= set(service), name
        assert set(service["networks"]) <= set(composed()["networks"]), name
        assert set(service.get("depends_on", {})) <= set(services), name
    assert all(port.startswith("127.0.0.1:") for port in services["broker"]["ports"])
    assert "ports" not in services["redis"]
    assert "always" in services["redis"]["command"]
    assert composed()["networks"]["store"]["internal"] is True


def test_the_image_runs_as_nobody_checks_itself_and_holds_no_tools() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    stages = re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
    assert len(stages) == 2
    final = stages[1]
    assert re.search(r"^USER (\d+):\d+$", final, re.MULTILINE)
    assert "USER 0" not in final
    assert "pip" not in final
    assert "HEALTHCHECK" in final
    copied = {name for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for name in line.split()[:-1]}
    assert all((ROOT / name).exists() for name in copied)
    declared = (ROOT / "pyproject.toml").read_text()
    for package in ("core", "relay", "client", "broker_optional"):
        assert package in copied
        assert f'"{package}/' in declared


@pytest.mark.needs("nginx")
async def test_the_reverse_proxy_is_valid_and_brings_a_relay_and_a_client_together(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("n")
    certificate, key = self_signed(folder, "broker.example")
    port, socket = free_port(), folder / "s"
    site = (DEPLOY / "nginx" / "mayfly-broker.conf").read_text()
    for shipped, here in (
        ("/run/mayfly-broker/socket", str(socket)),
        ("/etc/ssl/mayfly/broker.example.crt", str(certificate)),
        ("/etc/ssl/mayfly/broker.example.key", str(key)),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
    ):
        assert shipped in site
        site = site.replace(shipped, here)
    async with broker_process("--prefix-claims", "1", listen=f"unix:{socket}"), nginx(folder, port, site):
        trusting = aiohttp.TCPConnector(ssl=False)
        async with api(f"https://127.0.0.1:{port}", connector=trusting) as caller:
            posting = await caller.post_pool()
            match = (await caller.match()).ok()
            assert (await caller.news(posting, wait=5)).ok()["events"][0]["match"] == match["match"]
            async with caller.session.get(caller.base + "/metrics") as hidden:
                assert hidden.status == 404
            # One network has one try, whoever it says that it asks for: our proxy's word counts, and not the client's.
            for address, error in (("198.51.100.1", "no-such-nameplate"), ("203.0.113.1", "too-many")):
                claim = {"version": 1, "mode": "friend", "nameplate": "99"}
                forged = {"X-Forwarded-For": address}
                (await caller.call("POST", "/v1/matches", claim, headers=forged)).refused(error)
