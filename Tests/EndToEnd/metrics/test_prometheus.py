"""A real Prometheus scrapes a gateway that does real work, and has the right numbers."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import urllib.error
from collections.abc import Callable

import pytest

from harness.gateway import Gateway
from harness.prometheus import Prometheus, check, fetch, free_port
from harness.upstreams import marked
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway


@pytest.fixture
def address() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def gateway(make_gateway: Callable[..., Gateway], address: str) -> Gateway:
    made = make_gateway(marked(), tools=["a", "b", "ask"])
    made.configuration["metrics"] = {"listen": address}
    made.write_configuration()
    return made.start().ready()


def scrape(address: str) -> str:
    return fetch(f"http://{address}/metrics")


def sample(text: str, name: str) -> float | None:
    """The value of a sample by its name and labels as they are printed."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


def test_prometheus_has_the_numbers_of_what_clients_did(gateway: Gateway, address: str) -> None:
    # Those that looked whether the door was open.
    earlier = sample(scrape(address), 'gatekit_sessions_total{network_transport="unix"}')
    assert earlier is not None
    with Prometheus(address) as prometheus:
        with gateway.session() as first, gateway.session() as second:
            for _ in range(7):
                assert "result" in first.call("a")
            for _ in range(3):
                assert "result" in second.call("b", {"delay": 0.06})
            assert first.call("c")["error"]["code"] == -32000
            assert first.request("resources/list")["error"]["code"] == -32601
            second.send_bytes(b"no json\n")
            assert second.receive()["error"]["code"] == -32700
            prometheus.expect('gatekit_tool_calls_total{gen_ai_tool_name="a",outcome="success"}', 7)
            prometheus.expect('gatekit_tool_calls_total{gen_ai_tool_name="b",outcome="success"}', 3)
            prometheus.expect('gatekit_tool_calls_total{gen_ai_tool_name="c",outcome="blocked"}', 1)
            prometheus.expect('gatekit_blocked_messages_total{policy="tool_allowlist"}', 1)
            prometheus.expect('gatekit_invalid_messages_total{from="client"}', 1)
            prometheus.expect("gatekit_sessions", 2)
            prometheus.expect('gatekit_upstream_state{state="ready"}', 1)
            operations = "mcp_server_operation_duration_seconds"
            prometheus.expect(f'{operations}_count{{mcp_method_name="tools/call",error_type=""}}', 10)
            prometheus.expect(f'{operations}_count{{mcp_method_name="resources/list",error_type="-32601"}}', 1)
            # The three that slept are not among those below 50 ms.
            fast = prometheus.value(f'{operations}_bucket{{mcp_method_name="tools/call",error_type="",le="0.05"}}')
            assert fast is not None and fast <= 7
            slept = prometheus.value('gatekit_tool_call_duration_seconds_sum{gen_ai_tool_name="b"}')
            assert slept is not None and slept >= 0.18
            # Each call was held on both ways; the time that the server slept is in neither.
            for direction in ("to_upstream", "to_client"):
                held = prometheus.value(f'gatekit_added_latency_seconds_count{{direction="{direction}"}}')
                assert held is not None and held >= 11
                longest = prometheus.value(
                    f'gatekit_added_latency_seconds_sum{{direction="{direction}"}}'
                    f' / gatekit_added_latency_seconds_count{{direction="{direction}"}}'
                )
                assert longest is not None and longest < 0.05
        prometheus.expect("gatekit_sessions", 0)
        prometheus.expect('mcp_server_session_duration_seconds_count{network_transport="unix"}', earlier + 2)
        written = len(gateway.audit.path.read_text().splitlines())
        prometheus.expect(f'gatekit_audit_records_total{{sink="{gateway.audit.path}"}}', written)
        prometheus.expect(f'gatekit_audit_bytes_total{{sink="{gateway.audit.path}"}}', gateway.audit.path.stat().st_size)
        prometheus.expect('up{job="gatekit"}', 1)


def test_promtool_finds_nothing_wrong(gateway: Gateway, address: str) -> None:
    check(scrape(address))
    with gateway.session() as client:
        client.call("a")
        client.call('c"\\\n')
        client.request("made/up")
        check(scrape(address))


def test_restarts_and_reloads_are_counted(gateway: Gateway, address: str) -> None:
    with gateway.session() as client:
        client.call("a")
        (pid,) = gateway.upstream_pids("marked.py")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: sample(scrape(address), "gatekit_upstream_restarts_total") == 1, "the restart was counted")
        gateway.configuration["plugins"]["security"][0]["config"]["tools"] = ["a"]
        gateway.reload()
        gateway.write_configuration("proxy: {}")
        assert gateway.run("reload").returncode != 0
        text = scrape(address)
    assert sample(text, "gatekit_upstream_exits_total") == 1
    assert sample(text, 'gatekit_reloads_total{result="applied"}') == 1
    assert sample(text, 'gatekit_reloads_total{result="refused"}') == 1
    assert sample(text, "gatekit_config_generation") == 2
    assert sample(text, "gatekit_config_last_reload_successful") == 0


def test_a_reload_opens_moves_and_closes_the_port(make_gateway: Callable[..., Gateway], address: str) -> None:
    gateway = make_gateway(marked()).start().ready()
    gateway.configuration["metrics"] = {"listen": address}
    gateway.reload()
    with gateway.session() as client:
        client.call("a")
        assert sample(scrape(address), 'gatekit_tool_calls_total{gen_ai_tool_name="a",outcome="success"}') == 1
        moved = f"127.0.0.1:{free_port()}"
        gateway.configuration["metrics"] = {"listen": moved}
        gateway.reload()
        # What was counted moves along.
        assert sample(scrape(moved), 'gatekit_tool_calls_total{gen_ai_tool_name="a",outcome="success"}') == 1
        with pytest.raises(urllib.error.URLError):
            scrape(address)
        del gateway.configuration["metrics"]
        gateway.reload()
        with pytest.raises(urllib.error.URLError):
            scrape(moved)
        assert "result" in client.call("a")


def test_a_port_that_is_taken_refuses_the_reload_and_changes_nothing(gateway: Gateway, address: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        other = f"127.0.0.1:{taken.getsockname()[1]}"
        gateway.configuration["metrics"] = {"listen": other}
        gateway.write_configuration()
        refused = gateway.run("reload")
        assert refused.returncode != 0
        assert f"cannot listen on metrics.listen {other}" in refused.stdout + refused.stderr
    assert sample(scrape(address), 'gatekit_reloads_total{result="refused"}') == 1


def test_a_port_that_is_taken_refuses_the_start(make_gateway: Callable[..., Gateway]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        gateway = make_gateway(marked())
        gateway.configuration["metrics"] = {"listen": address}
        gateway.write_configuration()
        process = gateway.spawn(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        assert process.wait(30) == 1
        assert f"cannot listen on metrics.listen {address}" in gateway.log()
        gateway.killed = True


def test_only_the_metrics_are_served(gateway: Gateway, address: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as missing:
        fetch(f"http://{address}/mcp")
    assert missing.value.code == 404
