"""What deletes asks first: a person, where the client can show the question, else by a token that no log prints."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from real_server import START, settled_lines

from harness.gateway import Gateway
from harness.lines import Lines, message, text_of

pytestmark = pytest.mark.gateway

TOOL = "zpa_delete_segment_group"
TOKEN = re.compile(r"(\d+):([0-9a-f]{16}):([0-9a-f]{64})")


@pytest.fixture(scope="module")
def gateway(make_stubbed: Callable[..., Gateway]) -> Gateway:
    options = ["--services", "zpa", "--enable-write-tools", "--write-tools", TOOL]
    gateway = make_stubbed(*options, tools=[TOOL])
    # A second sink with all that may be said of a call.
    gateway.configuration["plugins"]["auditing"].append(
        {
            "policy": "file_auditing",
            "config": {
                "output_file": str(gateway.directory / "all.log"),
                "format": "debug",
                "include_request_body": True,
                "include_response_body": True,
            },
        }
    )
    gateway.configuration["plugins"]["auditing"][0]["config"] |= {
        "include_request_body": True,
        "include_response_body": True,
    }
    gateway.reload()
    return gateway


def asked(client: Lines, group: str, answer: dict) -> tuple[dict, dict]:
    """Deletes, and answers the question that comes of it; the question and the result."""
    client.send(message("tools/call", {"name": TOOL, "arguments": {"group_id": group}}, f"delete {group}"))
    question = client.receive(START)
    assert isinstance(question, dict) and question["method"] == "elicitation/create", question
    client.send({"jsonrpc": "2.0", "id": question["id"], "result": answer})
    return question["params"], client.answer_to(f"delete {group}")


def test_a_client_that_can_ask_its_user_is_asked(gateway: Gateway) -> None:
    with gateway.connect() as client:
        # Such a session has a process of its own, which has to start.
        client.handshake(capabilities={"elicitation": {}}, deadline=START)
        question, accepted = asked(client, "7", {"action": "accept", "content": {"choice": "delete"}})
        assert 'DELETE Segment Group — "Old group" (7)' in question["message"]
        assert question["requestedSchema"]["properties"]["choice"]["enum"] == ["delete", "cancel"]
        assert accepted["result"]["structuredContent"]["message"] == "Segment group 7 deleted successfully."
        _, declined = asked(client, "8", {"action": "decline"})
        assert text_of(declined).startswith("Declined by user.")
    call, ok, second_call, second_ok = settled_lines(gateway)[-4:]
    assert call == f'[TOOL CALL] {TOOL} | args: {{group_id: "7"}}'
    assert re.fullmatch(rf"\[TOOL OK\] {TOOL} \| \d+ms \| ok", ok), ok
    assert second_call.endswith('{group_id: "8"}') and second_ok.startswith(f"[TOOL OK] {TOOL} | ")
    asked_for = gateway.audit.records("SERVER_REQUEST", method="elicitation/create")
    answered = gateway.audit.records("SERVER_RESPONSE", method="elicitation/create")
    assert len(asked_for) == len(answered) == 2


@pytest.mark.parametrize("shape", ["text", "object"])
def test_a_client_that_cannot_gets_a_token_that_no_log_prints(gateway: Gateway, shape: str) -> None:
    with gateway.session() as client:
        first = client.call(TOOL, {"group_id": "9"}, f"first {shape}")
        found = TOKEN.search(text_of(first))
        assert found, first
        token, nonce, hmac = found[0], found[2], found[3]
        confirming: object = {"confirmation_token": token}
        if shape == "text":
            confirming = json.dumps(confirming)
        second = client.call(TOOL, {"group_id": "9", "kwargs": confirming}, f"second {shape}")
        assert second["result"]["structuredContent"]["message"] == "Segment group 9 deleted successfully."
        again = client.call(TOOL, {"group_id": "9", "kwargs": confirming}, f"again {shape}")
        other = TOKEN.search(text_of(again))
        assert other and "already been used" in text_of(again)
        # A tool of another server may take the token bare, or within a sentence.
        client.call(TOOL, {"group_id": f"x {token} y"}, f"bare {shape}")
    logged = settled_lines(gateway)[-8:]
    assert logged[0] == f'[TOOL CALL] {TOOL} | args: {{group_id: "9"}}'
    assert re.fullmatch(rf"\[TOOL OK\] {TOOL} \| \d+ms \| confirmation token {nonce}", logged[1]), logged[1]
    assert logged[2].startswith(f'[TOOL CALL] {TOOL} | args: {{group_id: "9", kwargs: ')
    assert "***REDACTED***" in logged[2]
    assert re.fullmatch(rf"\[TOOL OK\] {TOOL} \| \d+ms \| ok", logged[3]), logged[3]
    assert logged[5].endswith(f"confirmation token {other[2]}")
    assert logged[6] == f'[TOOL CALL] {TOOL} | args: {{group_id: "x {nonce} y"}}'
    # Neither the log on stderr nor an audit file with its bodies has more of it than the nonce.
    for path in (gateway.log_path, gateway.audit.path, gateway.directory / "all.log"):
        assert nonce in path.read_text(), path.name
        expect_without(path, hmac, other[3])


def expect_without(path: Path, *secrets: str) -> None:
    """Fails when a line of the file has one of the secrets."""
    for line in path.read_text().splitlines():
        assert not any(secret in line for secret in secrets), f"{path.name} has the HMAC: {line}"
