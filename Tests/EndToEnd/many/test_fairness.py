"""No session starves another: what is read of one client in a turn of the loop is bounded."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack

import pytest

from harness.lines import encode, message
from harness.waiting import wait_until

from crowd import Make, gateway_for, join

pytestmark = pytest.mark.gateway
FLOOD = 10_000
QUIET = 20
SHARE = 64
"""What the gateway reads of one client in one turn."""


def stopped(pid: int) -> bool:
    """Whether SIGSTOP has taken hold of every thread of the process."""
    states = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat") as stat:
            states.append(stat.read().rpartition(")")[2].split()[0])
    return set(states) == {"T"}


def test_a_flood_of_one_session_keeps_no_other_waiting(make_gateway: Make) -> None:
    """The gateway is stopped while the flood fills its socket and twenty others send one call each behind it. When it
    goes on, all are ready in the same turn: the order of the audit is the order of admission."""
    limits = {"max_pending_per_session": 16}
    gateway = gateway_for(make_gateway, limits=limits).start().ready()
    assert gateway.process
    calls = b"".join(encode(message("tools/call", {"name": "work"}, f"f{i}")) for i in range(FLOOD))
    with ExitStack() as stack:
        flooding = join(stack, gateway, "flooding")
        quiet = [join(stack, gateway, f"quiet {i}") for i in range(QUIET)]
        gateway.process.send_signal(signal.SIGSTOP)
        try:
            pid = gateway.process.pid
            wait_until(lambda: stopped(pid), "the gateway stood still")
            pouring = threading.Thread(target=flooding.send_bytes, args=(calls,), daemon=True)
            pouring.start()
            wait_until(lambda: full(flooding.writing), "the flood filled its socket")
            for at, client in enumerate(quiet):
                client.send(message("tools/call", {"name": "work", "arguments": {"nonce": f"q{at}"}}, 1))
        finally:
            gateway.process.send_signal(signal.SIGCONT)
        for at, client in enumerate(quiet):
            assert client.answer_to(1)["result"]["structuredContent"]["nonce"] == f"q{at}"
        refused = 0
        for i in range(FLOOD):
            answer = flooding.receive()
            assert isinstance(answer, dict)
            if "error" in answer:
                refused += 1
                assert answer["error"]["data"]["reason"] == "overloaded"
                assert "max_pending_per_session is 16" in answer["error"]["message"]
        pouring.join(10)
        assert refused, "the flood never had more than its share in flight"
        assert flooding.silent_after() == []
    gateway.stop()
    admitted = gateway.audit.records("REQUEST", method="tools/call")
    flood = [at for at, record in enumerate(admitted) if record["client_name"] == "flooding"]
    assert [admitted[at]["request_id"] for at in flood] == [f"f{i}" for i in range(FLOOD)], "the flood's own order"
    last = max(at for at, record in enumerate(admitted) if record["client_name"].startswith("quiet"))
    # One turn may bring the flood's share first; a second allows for channels that become ready one turn later.
    assert last - QUIET < 2 * SHARE, f"the last quiet call came behind {last - QUIET} of the flood"


def full(descriptor: int) -> bool:
    """Whether no more can be written for now."""
    import select

    return not select.select([], [descriptor], [], 0)[1]
