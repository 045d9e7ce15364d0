"""npm's node-datachannel, installed into the virtual environment when it is first wanted; `make clean` removes it."""

from __future__ import annotations

import sys
from pathlib import Path

from support.programs import ProgramError, program, run

PACKAGE = "node-datachannel@0.33"
FOLDER = Path(sys.prefix) / "node-datachannel"


async def node_peer(address: str) -> list[str]:
    """The argv of a bare libdatachannel end at that address. Raises ProgramError where npm cannot install it."""
    if not (FOLDER / "node_modules" / "node-datachannel").is_dir():
        FOLDER.mkdir(exist_ok=True)
        npm = (program("npm"), "install", "--prefix", FOLDER, "--no-audit", "--no-fund", "--no-save", PACKAGE)
        await run(*npm, timeout=300)
    loads = (program("node"), "-e", f"require({str(FOLDER / 'node_modules' / 'node-datachannel')!r}); process.exit(0)")
    if (await run(*loads, check=False)).status:
        raise ProgramError(f"{PACKAGE} does not load on this computer")
    peer = Path(__file__).with_name("node_peer.mjs")
    return [program("node"), str(peer), str(FOLDER), address]
