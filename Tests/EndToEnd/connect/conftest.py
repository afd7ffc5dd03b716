"""Fixtures for clients that reach a daemon, or none, through `gatekit connect`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.bridge import Bridge


@pytest.fixture
def bare(tmp_path: Path) -> Callable[..., Bridge]:
    """Makes bridges to a socket that has no gateway of ours behind it."""
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    environment.pop("GATEKIT_SOCKET", None)
    return lambda socket, *options: Bridge(socket, tmp_path / "connect.log", environment, *options)
