"""Waiting for conditions, never for time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE = 30.0
"""Seconds after which a condition that has not come is a failure."""

POLL = 0.005
"""Seconds between two looks."""


def wait_until(condition: Callable[[], T], what: str, deadline: float = DEADLINE) -> T:
    """The first true value of `condition`; fails with `what` when it does not come in time."""
    end = time.monotonic() + deadline
    while True:
        if value := condition():
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:g} s in vain until {what}")
        time.sleep(POLL)


async def eventually(condition: Callable[[], object], what: str, deadline: float = DEADLINE) -> object:
    """Like `wait_until`, for async tests; `condition` may be async."""
    import anyio  # here, so that scripts/soak needs no environment

    end = time.monotonic() + deadline
    while True:
        value = condition()
        if hasattr(value, "__await__"):
            value = await value
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:g} s in vain until {what}")
        await anyio.sleep(POLL)
