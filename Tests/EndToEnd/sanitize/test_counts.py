"""What was taken out is counted where people look, and stands nowhere."""

from __future__ import annotations

import re

import pytest
from saying import REMOVED, TEXT, block, say

from harness.gateway import Gateway, free_port
from harness.prometheus import check, fetch

pytestmark = pytest.mark.gateway


def test_counts_are_in_the_audit_in_status_and_in_the_metrics(gateway: Gateway) -> None:
    address = f"127.0.0.1:{free_port()}"
    gateway.configuration["metrics"] = {"listen": address}
    debug = gateway.directory / "debug.log"
    gateway.configuration["plugins"]["auditing"].append(
        {"policy": "file_auditing", "config": {"output_file": str(debug), "format": "debug"}}
    )
    gateway.write_configuration()
    gateway.start()
    with gateway.session() as client:
        say(client, TEXT)
        say(client, "nothing to take out")
        say(client, "a<br>b<br>c")
        client.call("say", {"error": {"code": -32001, "message": TEXT}})

        def records() -> list[dict]:
            return gateway.audit.records("RESPONSE", method="tools/call")

        assert [record.get("sanitized") for record in records()] == [
            REMOVED, None, {"invisible": 0, "markup": 2, "code_fences": 0}, REMOVED,
        ]  # fmt: skip
        found = re.findall(r"EVENT=TOOL_RESULT .*?(SANITIZED=\S+)?(?= SERVER_NAME)", debug.read_text())
        assert found == [
            "SANITIZED=invisible:1,markup:3,code_fences:1",
            "",
            "SANITIZED=invisible:0,markup:2,code_fences:0",
            "SANITIZED=invisible:1,markup:3,code_fences:1",
        ]
        expected = {"responses": 3, "invisible": 2, "markup": 8, "code_fences": 2}
        status = gateway.status()["sanitization"]
        assert {name: status[name] for name in expected} == expected
        assert "3 answers changed (2 invisible characters, 8 of markup, 2 code fences)" in gateway.run("status").stdout
        exposition = fetch(f"http://{address}/metrics")
        check(exposition)
        assert re.search(r"^gatekit_sanitized_responses_total 3$", exposition, re.MULTILINE)
        for stage in REMOVED:
            line = f'gatekit_sanitized_total{{stage="{stage}"}} {expected[stage]}'
            assert line in exposition.splitlines()


def test_what_was_taken_out_stands_nowhere(gateway: Gateway) -> None:
    config = gateway.configuration["plugins"]["auditing"][0]["config"]
    config |= {"include_response_body": True}
    gateway.write_configuration()
    gateway.start()
    with gateway.session() as client:
        # Asked for piece by piece, since what a client asks for may well be on record.
        client.call("say", {"repeat": ["x <a href='https://ev", "il.exam", 1, "ple/'>y</a>"]})
    response = gateway.audit.records("RESPONSE", method="tools/call")[0]
    assert response["result"] == block("x y")
    assert "evil.example" not in gateway.audit.path.read_text() + gateway.log() + gateway.run("status", "--json").stdout
