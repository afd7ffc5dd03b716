"""The tutorial's machine and the log that its commands read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tutorial.document import BLOCKS, Block
from tutorial.recipes import FOLLOWING
from tutorial.workbench import Audited, Workbench, make_bench


@pytest.fixture
def blocks(request: pytest.FixtureRequest) -> list[Block]:
    """The blocks that the test claims with its marker; the only way to a block's text."""
    marker = request.node.get_closest_marker("block")
    return [BLOCKS[number] for number in marker.args]


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """A fresh machine. Not in pytest's tmp_path: `gatekit check` cuts long values."""
    with tempfile.TemporaryDirectory(prefix="gk-") as root:
        yield make_bench(Path(root))


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """Made once: nothing that the commands do changes the log."""
    made = Audited(tmp_path_factory.mktemp("tutorial"))
    made.play(FOLLOWING)
    return made
