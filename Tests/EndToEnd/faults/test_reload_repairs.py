"""A reload that repairs an upstream which is down."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.gateway import Gateway
from harness.upstreams import noting
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway

FRAGILE = 'echo start >> "$1/starts"; [ -e "$1/broken" ] && exit 1; shift; exec "$@"'


def starts(directory: Path) -> int:
    """How often the fragile command was started."""
    return (directory / "starts").read_text().count("start")


@pytest.mark.parametrize("capabilities", [{}, {"sampling": {}}], ids=["shared", "own"])
def test_the_former_command_is_not_started_again(
    make_gateway: Callable[..., Gateway], tmp_path: Path, capabilities: dict
) -> None:
    command = ["/bin/sh", "-c", FRAGILE, "sh", str(tmp_path), *noting(tmp_path)]
    gateway = make_gateway(command, proxy={"upstream": {"restart_on_failure": False}}).start()
    assert gateway.process
    # A session is told of its handshake when the shared process has shaken hands, so the start has succeeded.
    with gateway.session():
        pass
    with gateway.session(capabilities=capabilities) as client:
        assert "result" in client.call("echo")
        (tmp_path / "broken").touch()
        before = starts(tmp_path)
        pids = gateway.upstream_pids("noting.py")
        assert len(pids) == before == (2 if capabilities else 1)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(gateway.audit.records("UPSTREAM_EXIT")) == before, "the gateway saw their ends")
        assert client.call("echo")["error"]["data"]["reason"] == "upstream_unavailable"

        gateway.configuration["proxy"]["upstream"]["command"] = noting(tmp_path)
        gateway.write_configuration()
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: gateway.audit.records("CONFIG_RELOAD"), "the reload was reported")
        assert "result" in client.call("echo", request_id="repaired")
    gateway.stop()
    assert starts(tmp_path) == before
    (ended,) = [r for r in gateway.audit.records("RESPONSE", request_id="repaired")]
    assert ended["status"] == "success", ended
