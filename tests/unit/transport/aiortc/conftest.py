from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mayfly.transport.aiortc.ice import LinkConnection
from support.ice import bound


@pytest.fixture
async def connection() -> AsyncIterator[LinkConnection]:
    made = await bound()
    yield made
    await made.close()
