"""A process for each session: from its initialize to its end."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.gateway import Gateway
from harness.lines import Lines, encode, initialize_params, message
from harness.upstreams import crowd
from harness.waiting import wait_until

from crowd import Make, answered, gateway_for, join, work

pytestmark = pytest.mark.gateway


def own_pids(gateway: Gateway) -> list[int]:
    """The processes of sessions, as `status` says."""
    return gateway.status()["upstream"]["own_pids"]


def processes(gateway: Gateway) -> list[int]:
    """The processes of sessions, as the machine says."""
    return sorted(gateway.upstream_pids("crowd.py"))


def pid_of(client: Lines) -> int:
    """The process that serves a session now."""
    return client.call("work", {"nonce": "who"})["result"]["structuredContent"]["pid"]


def test_the_start_proves_the_command_and_leaves_no_process(make_gateway: Make) -> None:
    gateway = gateway_for(make_gateway, "dedicated").start().ready()
    wait_until(lambda: not processes(gateway), "the process of the proof had ended")
    assert "one process per session: 0 of at most 16" in gateway.run("status").stdout
    assert len(gateway.audit.records("UPSTREAM_START")) == 1


def test_a_command_that_cannot_work_fails_the_start(make_gateway: Make) -> None:
    gateway = make_gateway(
        crowd(), proxy={"upstream": {"sessions": "dedicated", "max_restart_attempts": 0, "env": {"MARKED": "broken"}}}
    )
    process = gateway.spawn(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert process.wait(20) == 1
    assert "exited with" in gateway.log()


def test_the_handshake_passes_through(make_gateway: Make) -> None:
    gateway = gateway_for(make_gateway, "dedicated").start()
    for version in ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"):
        with gateway.connect() as client:
            offered = initialize_params(version, {"roots": {}, "x": {"y": [1]}}, "asks")
            result = client.request("initialize", offered, 1)["result"]
            assert result["protocolVersion"] == version
            assert result["capabilities"]["experimental"]["offered"] == offered
            assert result["capabilities"]["tools"] == {"listChanged": True}
            assert result["serverInfo"]["name"] == "crowd"


def test_beyond_the_cap_initialize_is_refused_until_a_process_is_gone(make_gateway: Make) -> None:
    gateway = gateway_for(make_gateway, "dedicated", most=2).start()
    with ExitStack() as stack:
        first = join(stack, gateway, "first")
        join(stack, gateway, "second")
        third = stack.enter_context(gateway.connect())
        error = third.request("initialize", initialize_params(name="third"))["error"]
        assert (error["code"], error["data"]["reason"]) == (-32603, "overloaded")
        assert "max_dedicated is 2" in error["message"]
        (start,) = gateway.audit.records("SESSION_START", client_name="third")
        assert "max_dedicated is 2" in str(start)
        first.close()
        wait_until(lambda: "result" in third.request("initialize", initialize_params()), "a place was free")
        assert pid_of(third)


def test_sessions_that_come_and_go_are_not_confused_with_those_whose_processes_still_end(make_gateway: Make) -> None:
    gateway = gateway_for(make_gateway, "dedicated", most=8).start().ready()
    with ExitStack() as stack:
        stays = join(stack, gateway, "stays")
        for turn in range(20):
            with gateway.session(name=f"comes and goes {turn}") as client:
                assert pid_of(client) != pid_of(stays)
            # Its process is still ending when the next one starts; at worst the cap has to be waited for.
            wait_until(lambda: gateway.status()["upstream"]["own_processes"] < 8, "there was room for the next")
        wait_until(lambda: gateway.status()["upstream"]["own_processes"] == 1, "only the one that stays is counted")
    gateway.stop()
    starts, exits = gateway.audit.records("UPSTREAM_START"), gateway.audit.records("UPSTREAM_EXIT")
    assert (len(starts), len(exits)) == (22, 22)


def test_a_crash_is_one_sessions_own(make_gateway: Make) -> None:
    gateway = gateway_for(make_gateway, "dedicated").start()
    with ExitStack() as stack:
        one, other = join(stack, gateway, "one"), join(stack, gateway, "other")
        before = pid_of(one), pid_of(other)
        for client in (one, other):
            client.send(work("busy", delay=0.5))
        wait_until(lambda: gateway.audit.requests()["1"] == 4, "both calls were forwarded")
        os.kill(before[0], 9)
        assert one.answer_to(1)["error"]["data"]["reason"] == "upstream_exited"
        one.send(message("tools/call", {"name": "work", "arguments": {"nonce": "next"}}, "next"))
        assert answered(other, "busy")["pid"] == before[1]
        content = one.answer_to("next")["result"]["structuredContent"]
        assert content["nonce"] == "next" and content["pid"] not in before
        assert pid_of(other) == before[1]


def test_sixteen_processes_killed_at_once_cost_one_answer_each(make_gateway: Make) -> None:
    gateway = gateway_for(make_gateway, "dedicated").start()
    with ExitStack() as stack:
        clients = [join(stack, gateway, f"c{i}") for i in range(16)]
        for client in clients:
            client.send(work("long", delay=50))
        wait_until(lambda: gateway.audit.requests()["1"] == 16, "all calls were forwarded")
        for pid in own_pids(gateway):
            os.kill(pid, 9)
        for client in clients:
            assert client.answer_to(1)["error"]["data"]["reason"] == "upstream_exited"
            client.aside.clear()  # the progress of the call that was lost
        for client in clients:
            client.send(work("again"))
        for client in clients:
            answered(client, "again")
            assert client.silent_after() == []


def test_a_client_that_is_killed_takes_its_process_with_it(make_gateway: Make) -> None:
    gateway = gateway_for(make_gateway, "dedicated").start()
    program = (
        "import sys; from harness.lines import *; c = Lines.over_unix(sys.argv[1]); c.handshake(name='killed');"
        "c.send(message('tools/call', {'name': 'work', 'arguments': {'delay': 50}}, 'killed'));"
        "print('sent', flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(gateway.socket_path)],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with child, gateway.session(name="stays") as witness:
        assert child.stdout and child.stdout.readline() == b"sent\n"
        wait_until(lambda: gateway.audit.requests()["killed"], "the call was forwarded")
        assert len(own_pids(gateway)) == 2
        child.kill()
        pid = pid_of(witness)
        wait_until(lambda: processes(gateway) == [pid], "its process had ended")
        assert pid_of(witness) == pid


def test_a_client_that_never_reads_and_one_with_half_a_line_hold_up_nobody(make_gateway: Make) -> None:
    gateway = gateway_for(make_gateway, "dedicated", limits={"max_message_bytes": 1 << 16}).start()
    with ExitStack() as stack:
        deaf = join(stack, gateway, "never reads")
        half = join(stack, gateway, "half a line")
        other = join(stack, gateway, "other")
        half.send_bytes(encode(work("half"))[:-20])
        large = {"nonce": "large", "size": 30_000}
        deaf.send(*(message("tools/call", {"name": "work", "arguments": large}, number) for number in range(200)))
        for _ in range(20):
            assert pid_of(other)
        wait_until(
            lambda: gateway.audit.records("SESSION_END", client_name="never reads", reason="slow_reader"),
            "the session that never reads was closed",
        )
        half.send_bytes(encode(work("half"))[-20:])
        answered(half, "half")
        assert pid_of(other)
        wait_until(lambda: len(own_pids(gateway)) == 2, "the process of the closed session had ended")


def test_an_idle_session_expires_with_its_process(make_gateway: Make) -> None:
    gateway = gateway_for(make_gateway, "dedicated", timeouts={"idle_session_timeout": 1}).start()
    with gateway.session(name="idle") as client:
        assert client.receive(10) is None
    wait_until(lambda: not processes(gateway), "its process had ended")
    assert "idle_timeout" in str(gateway.audit.records("SESSION_END", client_name="idle"))


def test_switching_the_mode_is_for_new_sessions(make_gateway: Make) -> None:
    gateway = gateway_for(make_gateway).start()
    upstream = gateway.configuration["proxy"]["upstream"]
    with ExitStack() as stack:
        shared = [join(stack, gateway, f"s{i}") for i in range(2)]
        common = pid_of(shared[0])
        upstream["sessions"] = "dedicated"
        report = gateway.reload().stdout
        assert "sessions 'dedicated' applies to new sessions; 2 that are open keep the process" in report
        own = join(stack, gateway, "own")
        assert pid_of(shared[1]) == common != pid_of(own)
        for client in shared:
            client.close()
        wait_until(lambda: common not in processes(gateway), "the shared process ended with its last session")

        upstream["sessions"] = "shared"
        assert "1 that are open keep" in gateway.reload().stdout
        first, second = join(stack, gateway, "new"), join(stack, gateway, "newer")
        assert pid_of(first) == pid_of(second) != pid_of(own)
        status = gateway.status()["upstream"]
        assert (status["pid"], status["own_pids"]) == (pid_of(first), [pid_of(own)])


def test_a_changed_environment_renews_each_process_when_it_is_idle(make_gateway: Make) -> None:
    gateway = gateway_for(make_gateway, "dedicated", upstream={"env": {"MARKED": "old"}}).start()
    environment = gateway.configuration["proxy"]["upstream"]["env"]
    with ExitStack() as stack:
        idle, busy = join(stack, gateway, "idle"), join(stack, gateway, "busy")
        before = {pid_of(idle), pid_of(busy)}
        busy.send(work("busy", delay=1))
        wait_until(lambda: gateway.audit.requests()["1"] == 3, "the call was forwarded")
        environment["MARKED"] = "new"
        assert "replaced as soon as it has nothing to do" in gateway.reload().stdout
        assert idle.call("work")["result"]["structuredContent"]["marked"] == "new"
        assert answered(busy, "busy")["marked"] == "old"
        wait_until(
            lambda: busy.call("work")["result"]["structuredContent"]["marked"] == "new", "the busy one was renewed"
        )
        assert not before & set(processes(gateway))

        environment["MARKED"] = "broken"
        gateway.write_configuration()
        refused = gateway.run("reload")
        assert refused.returncode == 1 and "upstream" in refused.stdout + refused.stderr
        assert idle.call("work")["result"]["structuredContent"]["marked"] == "new"
        environment["MARKED"] = "new"
        gateway.write_configuration()


def test_a_lone_stdio_session_has_its_own_process(make_gateway: Make) -> None:
    gateway = make_gateway(crowd(), door="stdio", proxy={"upstream": {"sessions": "dedicated"}})
    with gateway.stdio() as client:
        offered = initialize_params("2025-06-18", {"sampling": {}})
        assert client.request("initialize", offered, 1)["result"]["protocolVersion"] == "2025-06-18"
        client.send(work("lone", ask=True))
        answered(client, "lone", asks=True)
