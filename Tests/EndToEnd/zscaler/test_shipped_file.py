"""The shipped configuration in front of the real server, without a tenant: what is listed, refused and logged."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml
from real_server import SECRET, SHIPPED, reload_as_zscaler, shipped, shipped_text, tool_lines

from harness.gateway import Gateway
from harness.upstreams import REPOSITORY
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway

TOOLS = 254
"""What the pinned server offers."""

HIDDEN = 18
"""get_zia_*, get_zpa_*, two searches and two look-ups."""

DROP_IN = REPOSITORY / "systemd" / "drop-ins" / "zscaler.conf"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with shipped() as gateway:
        yield gateway


def test_lists_show_what_the_globs_permit(gateway: Gateway) -> None:
    with gateway.session() as client:
        listed = [tool["name"] for tool in client.request("tools/list")["result"]["tools"]]
    assert len(listed) == len(set(listed)) == TOOLS - HIDDEN
    assert all(fnmatchcase(name, "*_list_*") or fnmatchcase(name, "*_get_*") for name in listed)
    assert {"zia_list_locations", "zcc_list_devices", "zpa_get_segment_group"} <= set(listed)
    filtered = gateway.audit.records("TOOLS_FILTERED")[-1]
    assert filtered["plugin_metadata"] == {"filtered_count": HIDDEN}
    assert filtered["server_name"] == "zscaler"


def test_without_credentials_calls_fail_and_the_cause_stays_masked(gateway: Gateway) -> None:
    with gateway.session() as client:
        answer = client.call("zia_list_locations", {"page": 1, "page_size": 50, "name": "HQ"})
    assert answer["result"]["isError"] is True
    assert answer["result"]["content"][0]["text"] == "Error executing tool zia_list_locations"
    response = gateway.audit.records("RESPONSE", tool="zia_list_locations")[-1]
    assert response["status"] == "error"
    assert response["error_message"] == "Error executing tool zia_list_locations"
    # The file has the lines whatever the switch says.
    lines = (gateway.directory / "tool-calls.log").read_text().splitlines()
    call, error = [line.split(" ", 2)[2] for line in lines if " zia_list_locations | " in line]
    assert call == '[TOOL CALL] zia_list_locations | args: {page: 1, page_size: 50, name: "HQ"}'
    pattern = r"\[TOOL ERR\] zia_list_locations \| \d+ms \| ToolError: Error executing tool zia_list_locations"
    assert re.fullmatch(pattern, error), error


def test_what_is_not_listed_is_refused(gateway: Gateway) -> None:
    with gateway.session() as client:
        refused = client.call("zia_url_lookup", {"urls": ["example.org"]})["error"]
    assert (refused["code"], refused["message"]) == (-32000, "Only tools that list or get are allowed here")
    assert gateway.audit.records("SECURITY_BLOCK")[-1]["reason"] == "Tool 'zia_url_lookup' is not in allowlist"


def test_reload_flips_the_log_while_the_session_stays(gateway: Gateway) -> None:
    dotenv = gateway.directory / ".env"
    with gateway.session() as client:
        upstream = gateway.status()["upstream"]["pid"]
        client.call("zms_list_resources", {"page_num": 1})
        assert tool_lines(gateway) == []
        dotenv.write_text(dotenv.read_text().replace("false", "true"))
        reload_as_zscaler(gateway)
        client.call("zms_list_resources", {"page_num": 2})
        client.call("zid_search_users", {"name": "x", "my_api_token": SECRET})
        wait_until(lambda: len(tool_lines(gateway)) == 4, "two calls were logged")
        dotenv.write_text(dotenv.read_text().replace("true", "false"))
        reload_as_zscaler(gateway)
        client.call("zms_list_resources", {"page_num": 3})
        client.silent_after()
    call, error, blocked_call, blocked = tool_lines(gateway)
    assert call == "[TOOL CALL] zms_list_resources | args: {page_num: 2}"
    pattern = r"\[TOOL ERR\] zms_list_resources \| \d+ms \| ToolError: Error executing tool zms_list_resources"
    assert re.fullmatch(pattern, error), error
    assert blocked_call == '[TOOL CALL] zid_search_users | args: {name: "x", my_api_token: "***REDACTED***"}'
    assert blocked == "[TOOL ERR] zid_search_users | 0ms | Blocked: Tool 'zid_search_users' is not in allowlist"
    status = gateway.status()["upstream"]
    assert (status["pid"], status["restarts"]) == (upstream, 0)


def test_the_server_keeps_to_its_directory(gateway: Gateway) -> None:
    empty = gateway.directory / "empty"
    assert [path.name for path in empty.iterdir()] == ["server.pid"]
    assert "UPSTREAM_EXIT" not in {record["event_type"] for record in gateway.audit.records()}


def test_the_shipped_file_is_found_valid(gateway: Gateway) -> None:
    checked = gateway.run("check", "--config", str(gateway.config_path))
    assert checked.returncode == 0, checked
    assert "warning" not in checked.stdout + checked.stderr


def test_the_blocklist_that_is_commented_out_is_valid_and_up_to_date(gateway: Gateway) -> None:
    commented = r"^    # (- policy:|  config:|    mode:|    tools:)"
    text, count = re.subn(commented, r"    \1", shipped_text(gateway), flags=re.MULTILINE)
    assert count == 4
    with_it = gateway.directory / "with-blocklist.yaml"
    with_it.write_text(text)
    checked = gateway.run("check", "--config", str(with_it))
    assert checked.returncode == 0 and "blocklist: *_otp" in checked.stdout, checked
    globs = yaml.safe_load(text)["plugins"]["security"][1]["config"]["tools"]
    with gateway.session() as client:
        listed = [tool["name"] for tool in client.request("tools/list")["result"]["tools"]]
    assert all(any(fnmatchcase(name, glob) for name in listed) for glob in globs)


def test_the_credential_of_the_drop_in_reaches_the_server_only(tmp_path: Path) -> None:
    server = tmp_path / "server"
    server.write_text('#!/bin/sh\necho "$ZSCALER_CLIENT_SECRET"; echo "$@"; echo "$CREDENTIALS_DIRECTORY"\n')
    server.chmod(0o755)
    shell, option, script, name, directory = yaml.safe_load(SHIPPED.read_text())["proxy"]["upstream"]["command"]
    assert directory == "${CREDENTIALS_DIRECTORY:-}"
    script = script.replace("/opt/zscaler-mcp/bin/zscaler-mcp", str(server))
    credential = re.search(r"^LoadCredential=([^:]+):", DROP_IN.read_text(), re.MULTILINE)
    assert credential
    (tmp_path / credential[1]).write_text(f"{SECRET}\n")

    def run(directory: str, **variables: str) -> list[str]:
        environment = {"PATH": os.environ["PATH"], **variables}
        done = subprocess.run(
            [shell, option, script, name, directory], env=environment, capture_output=True, text=True, check=True,
            timeout=30,
        )  # fmt: skip
        return done.stdout.splitlines()

    options = "--no-entitlement-filter --pid-file server.pid"
    assert run(str(tmp_path)) == [SECRET, options, ""]
    assert run("", ZSCALER_CLIENT_SECRET="of .env") == ["of .env", options, ""]
