"""Ways to call a blocked tool that other readers of JSON would fall for. Its name must never reach the upstream."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.gateway import Gateway
from harness.upstreams import echo

pytestmark = pytest.mark.gateway

BAD_JSON, BAD_REQUEST, BLOCKED = -32700, -32600, -32000
NO_ANSWER = None

ATTEMPTS: dict[str, tuple[str | bytes, set[int] | None]] = {
    "plainly": ('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"danger"}}', {BLOCKED}),
    "as a notification": ('{"jsonrpc":"2.0","method":"tools/call","params":{"name":"danger"}}', NO_ANSWER),
    "with id null": (
        '{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"danger"}}', {BAD_REQUEST, BLOCKED}),
    "the name escaped": (
        r'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\u0064anger"}}', {BLOCKED}),
    "the member escaped": (
        r'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"\u006eame":"danger"}}', {BLOCKED, BAD_REQUEST}),
    "the method escaped": (
        r'{"jsonrpc":"2.0","id":1,"method":"tools\/c\u0061ll","params":{"name":"danger"}}', {BLOCKED}),
    "params escaped": (
        r'{"jsonrpc":"2.0","id":1,"method":"tools/call","p\u0061rams":{"name":"danger"}}', {BLOCKED, BAD_REQUEST}),
    "the good name first": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"danger"}}', {BAD_REQUEST}),
    "the good name last": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"danger","name":"echo"}}', {BAD_REQUEST}),
    "a duplicate that is escaped": (
        r'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","n\u0061me":"danger"}}', {BAD_REQUEST}),
    "two methods": (
        '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"danger"}}', {BAD_REQUEST}),
    "two params": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},"params":{"name":"danger"}}',
        {BAD_REQUEST}),
    "two ids": ('{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call","params":{"name":"danger"}}', {BAD_REQUEST}),
    "name in capitals": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"danger"}}', {BAD_REQUEST, BLOCKED}),
    "both cases of name": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","NAME":"danger"}}', {BAD_REQUEST}),
    "both cases of params": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},"PARAMS":{"name":"danger"}}',
        {BAD_REQUEST}),
    "both cases of method": (
        '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"danger"}}', {BAD_REQUEST}),
    "a long s in params": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},"param\u017f":{"name":"danger"}}',
        {BAD_REQUEST}),
    "the tool in capitals": ('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"DANGER"}}', {BLOCKED}),
    "a space after the tool": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"danger "}}', {BLOCKED}),
    "a null byte after an allowed name": (
        r'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo\u0000danger"}}', {BLOCKED}),
    "the name as an array": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["danger"]}}', {BLOCKED, BAD_REQUEST}),
    "the name as an object": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":{"danger":1}}}', {BLOCKED, BAD_REQUEST}),
    "params as an array": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["danger"]}', {BLOCKED, BAD_REQUEST}),
    "params as a string": ('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"danger"}', {BLOCKED, BAD_REQUEST}),
    "no name, one in the arguments": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"name":"danger"}}}', {BLOCKED}),
    "the method as an array": (
        '{"jsonrpc":"2.0","id":1,"method":["tools/call"],"params":{"name":"danger"}}', {BAD_REQUEST}),
    "the id as an object": (
        '{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{"name":"danger"}}', {BAD_REQUEST}),
    "the id as true": ('{"jsonrpc":"2.0","id":true,"method":"tools/call","params":{"name":"danger"}}', {BAD_REQUEST}),
    "without jsonrpc": ('{"id":1,"method":"tools/call","params":{"name":"danger"}}', {BAD_REQUEST, BLOCKED}),
    "in an array": ('[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"danger"}}]', {BAD_REQUEST}),
    "after a byte order mark": (
        '\ufeff{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"danger"}}', {BAD_JSON}),
    "with bytes that are no UTF-8": (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"danger\xff"}}', {BAD_JSON}),
    "in overlong UTF-8": (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"n\xc1\xa1me":"danger"}}', {BAD_JSON}),
    "with a lone surrogate": (
        r'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"danger\ud800"}}', {BAD_JSON, BLOCKED}),
    "with a comment": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call",/**/"params":{"name":"danger"}}', {BAD_JSON}),
    "in single quotes": ("{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'danger'}}", {BAD_JSON}),
    "with a trailing comma": (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"danger"},}', {BAD_JSON}),
    "after another message on the line": (
        '{"jsonrpc":"2.0","id":7,"method":"ping"}{"jsonrpc":"2.0","id":1,"method":"tools/call",'
        '"params":{"name":"danger"}}', {BAD_JSON}),
    "after a carriage return": (
        '{"jsonrpc":"2.0","id":1,"method":"ping"}\r{"jsonrpc":"2.0","id":1,"method":"tools/call",'
        '"params":{"name":"danger"}}', {BAD_JSON}),
    "disguised as a response": (
        '{"jsonrpc":"2.0","id":1,"result":{},"method":"tools/call","params":{"name":"danger"}}',
        {BAD_REQUEST}),
}  # fmt: skip


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=str)
def test_a_blocked_tool_cannot_be_called(make_gateway: Callable[..., Gateway], attempt: str) -> None:
    line, codes = ATTEMPTS[attempt]
    gateway = make_gateway([], tools=["echo"])
    log = gateway.directory / "received.log"
    gateway.configuration["proxy"]["upstream"]["command"] = echo(log=log)
    gateway.write_configuration()
    with gateway.start().session() as client:
        client.send_bytes((line if isinstance(line, bytes) else line.encode()) + b"\n")
        # A permitted call follows on the same session, so whatever was let through has arrived before it.
        assert "result" in client.call("echo", {"after": True}, "after")
        answers, client.aside = client.aside, []
    received = log.read_bytes()
    assert b'"after"' in received
    assert b"anger" not in received.lower()
    assert b"u0064" not in received
    if codes is NO_ANSWER:
        assert answers == []
    else:
        assert [answer["error"]["code"] in codes for answer in answers] == [True], answers
    gateway.stop()
    assert not gateway.audit.records("REQUEST", tool="danger")
    assert gateway.audit.records("SECURITY_BLOCK") or gateway.audit.records("INVALID_MESSAGE")


@pytest.mark.parametrize("mode", ["allowlist", "blocklist"])
@pytest.mark.parametrize("tools", [["ech?"], ["e*"], ["echo"]], ids=str)
def test_globs_and_both_modes_decide(make_gateway: Callable[..., Gateway], mode: str, tools: list[str]) -> None:
    with make_gateway(echo(), tools=tools, mode=mode).start().session() as client:
        listed = {tool["name"] for tool in client.request("tools/list")["result"]["tools"]}
        permitted = {name for name in ("echo", "danger") if "result" in client.call(name)}
    assert listed == permitted == ({"echo"} if mode == "allowlist" else {"danger"})


def test_an_empty_allowlist_blocks_everything(make_gateway: Callable[..., Gateway]) -> None:
    with make_gateway(echo(), tools=[]).start().session() as client:
        assert client.request("tools/list")["result"]["tools"] == []
        assert client.call("echo")["error"]["code"] == BLOCKED
