"""Chromium without a window, driven by selenium, its every request sent through a SOCKS proxy."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from support.programs import environment, program

# A new profile and no background traffic; the sandbox cannot be had as root in a container.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def _open(profile: Path, proxy: str | None) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    if proxy is not None:
        options.add_argument(f"--proxy-server=socks5://{proxy}")
        # Chromium goes round a proxy for loopback unless this rule takes that away.
        options.add_argument("--proxy-bypass-list=<-loopback>")
    driver = Service(program("chromedriver"), env=environment({"XDG_CONFIG_HOME": str(profile)}))
    return webdriver.Chrome(options=options, service=driver)


@contextlib.asynccontextmanager
async def browser(profile: Path, proxy: str | None = None) -> AsyncIterator[webdriver.Chrome]:
    """A browser while the block lasts. Its calls block: make them with asyncio.to_thread."""
    driver = await asyncio.to_thread(_open, profile, proxy)
    try:
        yield driver
    finally:
        await asyncio.to_thread(driver.quit)
