"""A real nginx around a site that a test gives it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator
from pathlib import Path

from support.programs import Program, accepts, program, run


@contextlib.asynccontextmanager
async def nginx(folder: Path, port: int, site: str) -> AsyncGenerator[None, None]:
    """Serve a site, which listens on that port of 127.0.0.1, after nginx has checked it without a warning."""
    (folder / "site.conf").write_text(site)
    places = "".join(
        f"{name}_temp_path {folder / name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.getuid() == 0 else ""  # workers stay who starts them: the folder is nobody else's
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {folder / 'pid'};\nerror_log stderr;\n"
        f"events {{}}\nhttp {{\n{places}include {folder / 'site.conf'};\n}}\n"
    )
    argv = (program("nginx"), "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf")
    checked = await run(*argv, "-t")
    assert "syntax is ok" in checked.stderr
    assert "warn" not in checked.stderr
    async with Program.running(*argv):
        await accepts("127.0.0.1", port)
        yield
