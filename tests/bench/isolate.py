"""The whole bench in a network namespace of its own that has loopback alone.

There it meets no other traffic and leaves none, and libwebrtc, which cannot be told which addresses to use, finds
127.0.0.1 and nothing else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

MARK = "MAYFLY_BENCH_ISOLATED"


def isolated() -> bool:
    """Whether we are inside already."""
    return os.environ.get(MARK) == "1"


def isolate() -> None:
    """Start over inside, if the system lets us; else go on where we are."""
    unshare, ip = shutil.which("unshare"), shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if isolated() or unshare is None or ip is None:
        return
    command = [unshare, "--net"] if os.geteuid() == 0 else [unshare, "--net", "--map-root-user"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        return
    up = f'{ip} link set lo up && exec "$@"'
    inside = [*command, "sh", "-c", up, "sh", sys.executable, "-m", "bench", *sys.argv[1:]]
    os.execve(unshare, inside, os.environ | {MARK: "1", "WRTC_ALLOW_LOOPBACK": "1"})
