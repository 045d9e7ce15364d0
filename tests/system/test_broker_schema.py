"""The OpenAPI document of a running broker, and the broker held to it by schemathesis."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from support.broker import CROWD, api, broker_process
from support.programs import run

EXAMPLES = 15
"""For each operation and phase."""

SETTINGS = """
[parameters]
"query.wait" = 0.05
"""
"""Long polls would have schemathesis wait 25 s each; tests/unit/broker/test_handlers.py has what `wait` may be."""


async def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    async with broker_process(*CROWD, "--max-postings", "100000") as (_, base), api(base) as caller:
        posting = await caller.post_pool(64)
        (tmp_path / "schemathesis.toml").write_text(SETTINGS)
        # Requests that ask for a token get that of a real posting, so that they come past the door.
        program = Path(sys.executable).with_name("schemathesis")
        done = await run(
            *(program, "run", f"{base}/openapi.json", "--no-color", "--seed", "1", "--max-examples", str(EXAMPLES)),
            *("--header", f"Authorization: Bearer {posting['token']}"),
            cwd=tmp_path,
            timeout=100,
            check=False,
        )
        assert done.status == 0, done.text
        counted = re.search(r"(\d+) generated, (\d+) passed", done.text)
        assert counted is not None, done.text
        assert 400 < int(counted[1]) == int(counted[2]), done.text
        assert (await caller.call("GET", "/healthz")).ok()["status"] == "ok"
