"""Calls that succeed: the real server without its SDK's client. What a tenant's people wrote is sanitised."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from real_server import SECRET, settled_lines

from harness.gateway import Gateway

pytestmark = pytest.mark.gateway


@pytest.fixture(scope="module")
def gateway(make_stubbed: Callable[..., Gateway]) -> Gateway:
    return make_stubbed("--services", "zcc", tools=["*_list_*", "*_get_*"])


def test_rows_come_without_what_strangers_hid_in_them(gateway: Gateway) -> None:
    with gateway.session() as client:
        result = client.call("zcc_list_devices")["result"]
    assert result["structuredContent"] == {
        "result": [
            {"id": 1, "name": "dev1", "note": "ab x l (http://e/?a=1&b=2)", "tags": []},
            {"id": 2, "name": "dev2", "note": "```text\nhi\n```\n"},
        ]
    }
    text = result["content"][0]["text"]
    assert text == 'id,name,note,tags\n1,dev1,ab x l (http://e/?a=1&b=2),[]\n2,dev2,"```text\nhi\n```\n",'
    response = gateway.audit.records("RESPONSE", tool="zcc_list_devices")[-1]
    # Once in the text and once in the structure: the zero-width space; two tags, an image and a link; the fence.
    assert response["sanitized"] == {"invisible": 2, "markup": 8, "code_fences": 2}
    line = settled_lines(gateway)[-1]
    assert re.fullmatch(r"\[TOOL OK\] zcc_list_devices \| \d+ms \| 2 items", line), line


def test_nested_values_stay_json(gateway: Gateway) -> None:
    with gateway.session() as client:
        result = client.call("zcc_list_devices", {"username": "nested"})["result"]
    assert result["structuredContent"] == {"result": [{"id": 1, "o": {"k": "v"}}]}
    assert result["content"][0]["text"] == '[\n  {\n    "id": 1,\n    "o": {\n      "k": "v"\n    }\n  }\n]'


def test_nothing_found_is_nothing_to_take_out(gateway: Gateway) -> None:
    with gateway.session() as client:
        assert client.call("zcc_list_devices", {"username": "none"})["result"]["structuredContent"] == {"result": []}
    assert "sanitized" not in gateway.audit.records("RESPONSE", tool="zcc_list_devices")[-1]
    assert settled_lines(gateway)[-1].endswith("| 0 items")


def test_what_fails_is_logged_on_one_line(gateway: Gateway) -> None:
    with gateway.session() as client:
        assert client.call("zcc_list_devices", {"username": "boom"})["result"]["isError"] is True
    call, line = settled_lines(gateway)[-2:]
    pattern = r"\[TOOL ERR\] zcc_list_devices \| \d+ms \| ToolError: Error executing tool zcc_list_devices"
    assert re.fullmatch(pattern, line), line
    assert call == '[TOOL CALL] zcc_list_devices | args: {username: "boom"}'


def test_credentials_reach_the_server_and_nothing_else(gateway: Gateway) -> None:
    with gateway.session() as client:
        assert "result" in client.call("zcc_list_devices")
    told = gateway.run("status").stdout + gateway.run("status", "--json").stdout
    config = ["--config", str(gateway.config_path)]
    told += gateway.run("check", *config).stdout
    assert SECRET not in told + gateway.log() + gateway.audit.path.read_text()
