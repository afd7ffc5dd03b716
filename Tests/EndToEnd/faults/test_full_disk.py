"""A full disk closes the gate, tears nothing, and the gate opens again by itself."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.gateway import Gateway
from harness.lines import Lines
from harness.upstreams import echo
from harness.waiting import wait_until

pytestmark = [pytest.mark.gateway, pytest.mark.root]
UNAVAILABLE = -32005


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "gatekit-test", mount], check=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", mount], check=True)


def fill(path: Path) -> None:
    """Takes all that is left."""
    with path.open("wb", buffering=0) as filler:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while filler.write(b"x" * size) == size:
                    pass
            except OSError as full:
                assert full.errno == errno.ENOSPC


def call_until_refused(client: Lines, most: int) -> dict:
    """Calls until the gate closes; every answer before is a result."""
    for _ in range(most):
        answer = client.call("echo")
        if "error" in answer:
            return answer["error"]
    raise AssertionError(f"{most} calls were taken although the disk is full")


def test_the_gate_closes_when_the_disk_is_full_and_opens_again(
    make_gateway: Callable[..., Gateway], small_disk: Path
) -> None:
    gateway = make_gateway(echo(), audit_path=small_disk / "audit.log").start()
    filler = small_disk / "filler"
    try:
        with gateway.session() as client:
            assert "result" in client.call("echo")
            fill(filler)
            # What is reserved already lasts for a while: 1 MiB steps, and a record is no smaller than 100 bytes.
            assert call_until_refused(client, 20_000)["code"] == UNAVAILABLE
            assert client.request("ping")["result"] == {}
            assert client.request("tools/list")["error"]["code"] == UNAVAILABLE
            filler.unlink()
            wait_until(lambda: "result" in client.call("echo"), "the gate had opened again")
        gateway.stop()
        gateway.audit.verify()
        gaps = gateway.audit.records("AUDIT_GAP")
        assert gaps
        refused = gateway.audit.records("REQUEST", method="tools/list")
        assert not refused, "a refused request was recorded as admitted"
    finally:
        filler.unlink(missing_ok=True)
        gateway.close()


def test_the_upstream_receives_nothing_while_the_gate_is_closed(
    make_gateway: Callable[..., Gateway], small_disk: Path
) -> None:
    gateway = make_gateway([], audit_path=small_disk / "audit.log")
    log = gateway.directory / "received.log"
    gateway.configuration["proxy"]["upstream"]["command"] = echo(log=log)
    gateway.write_configuration()
    try:
        with gateway.start().session() as client:
            fill(small_disk / "filler")
            call_until_refused(client, 20_000)
            assert client.call("echo", {"mark": "while-closed"})["error"]["code"] == UNAVAILABLE
            assert client.request("ping")["result"] == {}
        assert b"while-closed" not in log.read_bytes()
    finally:
        (small_disk / "filler").unlink()
        gateway.close()
