"""The guide's own lines, from a server that says what the guide's server said: the real one masks causes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest
from real_server import ON, tool_lines

from harness.gateway import Gateway
from harness.upstreams import stranger
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway


def test_the_guides_lines(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(stranger())
    (gateway.directory / ".env").write_text(ON)
    gateway.start()
    locations = {"result": [{"id": number} for number in range(15)]}
    failed = {"content": [{"type": "text", "text": "ConnectionError: timeout"}], "isError": True}
    with gateway.session() as client:
        client.call(
            "zia_list_locations",
            {"page": 1, "page_size": 50, "name": "HQ", "result": {"content": [], "structuredContent": locations}},
        )
        client.call("zms_list_resources", {"page_num": 1, "result": failed})
        wait_until(lambda: len(tool_lines(gateway)) == 4, "both calls were logged")
    found = subprocess.run(["grep", r"^\[TOOL ", gateway.log_path], capture_output=True, text=True, check=True)
    call, ok, failed_call, error = found.stdout.splitlines()
    assert call.startswith('[TOOL CALL] zia_list_locations | args: {page: 1, page_size: 50, name: "HQ"')
    assert re.fullmatch(r"\[TOOL OK\] zia_list_locations \| \d+ms \| 15 items", ok), ok
    assert failed_call.startswith("[TOOL CALL] zms_list_resources | args: {page_num: 1")
    assert re.fullmatch(r"\[TOOL ERR\] zms_list_resources \| \d+ms \| ConnectionError: timeout", error), error
