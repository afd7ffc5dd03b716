"""Which strings of an answer are sanitised, and that every other byte of it stays."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from saying import ALL, SANITIZED, TEXT

from harness.gateway import Gateway
from harness.lines import Lines, message, text_of
from harness.upstreams import stranger
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway

CLEAN = SANITIZED[ALL]


@pytest.fixture(scope="module")
def shared() -> Iterator[Gateway]:
    gateway = Gateway(stranger())
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.fixture
def client(shared: Gateway) -> Iterator[Lines]:
    with shared.session() as client:
        yield client


PLACES = {
    "text": ({"type": "text", "text": TEXT}, {"type": "text", "text": CLEAN}),
    "embedded resource": (
        {"type": "resource", "resource": {"uri": "file:///<b>", "mimeType": "text/x", "text": TEXT}},
        {"type": "resource", "resource": {"uri": "file:///<b>", "mimeType": "text/x", "text": CLEAN}},
    ),
    "resource link": (
        {"type": "resource_link", "uri": "x:<b>", "name": "<b>n</b>", "title": TEXT, "description": TEXT},
        {"type": "resource_link", "uri": "x:<b>", "name": "<b>n</b>", "title": CLEAN, "description": CLEAN},
    ),
    "base64": (
        {"type": "resource", "resource": {"uri": "x:", "blob": "PGI+YjwvYj4="}},
        {"type": "resource", "resource": {"uri": "x:", "blob": "PGI+YjwvYj4="}},
    ),
    "image": (
        {"type": "image", "data": "PGI+YjwvYj4=", "mimeType": "image/<b>"},
        {"type": "image", "data": "PGI+YjwvYj4=", "mimeType": "image/<b>"},
    ),
    "JSON in a text": (
        {"type": "text", "text": json.dumps({"<k>": [TEXT, 1.50, None], "n": {"m": TEXT}})},
        {"type": "text", "text": json.dumps({"<k>": [CLEAN, 1.50, None], "n": {"m": CLEAN}})},
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_blocks(client: Lines, place: str) -> None:
    said, expected = PLACES[place]
    result = client.call("say", {"result": {"content": [said, said], "_meta": {"m": TEXT}}})["result"]
    if place == "JSON in a text":
        arrived = [json.loads(block["text"]) for block in result["content"]]
        assert arrived == [json.loads(expected["text"])] * 2
    else:
        assert result["content"] == [expected, expected]
    assert result["_meta"] == {"m": TEXT}


def test_structured_content_at_every_depth_keeps_keys_numbers_and_structure(client: Lines) -> None:
    said = b'{"<b>k</b>": ["<i>v</i>", {"n": 1.50e3, "big": 12345678901234567890, "t": true, "z": null}], "d": %s}'
    nested = b'{"d":' * 20 + b'"<b>deep</b>"' + b"}" * 20
    raw = b'{"structuredContent":%s,"content":[],"more":"<b>"}' % (said % nested)
    client.send(
        {
            "jsonrpc": "2.0", "id": "raw", "method": "tools/call",
            "params": {"name": "say", "arguments": {"raw": base64.b64encode(raw).decode()}},
        }
    )  # fmt: skip
    line = client.receive_line()
    expected = raw.replace(b"<i>v</i>", b"v").replace(b"<b>deep</b>", b"deep")
    assert line == b'{"jsonrpc":"2.0","id":"raw","result":' + expected + b"}"


def test_errors(client: Lines, shared: Gateway) -> None:
    error = {"code": -32050, "message": TEXT, "data": {"why": [TEXT], "<b>": 1}}
    answer = client.call("say", {"error": error}, "an error")["error"]
    assert answer == {"code": -32050, "message": CLEAN, "data": {"why": [CLEAN], "<b>": 1}}
    logged = shared.audit.records("RESPONSE", request_id="an error")[0]["error_message"]
    assert logged.startswith("ab bold link") and "<b>" not in logged


def test_a_failed_tools_text(client: Lines) -> None:
    answer = client.call("say", {"result": {"content": [{"type": "text", "text": TEXT}], "isError": True}})
    assert (text_of(answer), answer["result"]["isError"]) == (CLEAN, True)


def test_what_is_taken_out_assembles_nothing_new(client: Lines) -> None:
    for said in ("<scr<b>ipt>alert</scr</b>ipt>", "<\u200bb>x", "<<b>b>x", "[<b>l</b>](http://e)", "[[a](b)](c)"):
        once = text_of(client.call("say", {"result": {"content": [{"type": "text", "text": said}]}}))
        assert text_of(client.call("say", {"result": {"content": [{"type": "text", "text": once}]}})) == once
        assert "<b>" not in once and "<script" not in once


@pytest.mark.parametrize(
    ("said", "arrives"),
    [
        (rb"\ud800<b>x</b>", rb"\ud800x"),
        (rb"\udc00 \ud800 plain", rb"\udc00 \ud800 plain"),
        # The halves would join to a character that no stage has seen.
        (rb"\ud83d<b>\ude00", "\ufffd\ufffd".encode()),
        (rb"\ud83d\ude00 \u003cb\u003ey", None),
        (rb"\ud83d\u200b\ude00", "\ufffd\ufffd".encode()),
    ],
    ids=["alone", "untouched", "apart by a tag", "a pair", "apart by a hidden one"],
)
def test_halves_of_surrogate_pairs(client: Lines, said: bytes, arrives: bytes | None) -> None:
    raw = b'{"content":[{"type":"text","text":"%s"}]}' % said
    answer = client.call("say", {"raw": base64.b64encode(raw).decode()})
    wanted = "\U0001f600 y" if arrives is None else json.loads(b'"%s"' % arrives)
    assert text_of(answer) == wanted


@pytest.mark.parametrize(
    "said", [b"a\xff<b>b", b"\xed\xa0\x80", b"\xc0\xbcb>", b"\xf4\x90\x80\x80", b"cut \xe2\x80"],
    ids=["stray byte", "encoded surrogate", "overlong", "beyond Unicode", "cut"],
)  # fmt: skip
def test_what_is_no_utf8_reaches_no_client(client: Lines, shared: Gateway, said: bytes) -> None:
    before = len(shared.audit.records("INVALID_MESSAGE"))
    name = f"no UTF-8: {said.hex()}"
    raw = base64.b64encode(b'{"content":[{"type":"text","text":"%s"}]}' % said).decode()
    client.send(message("tools/call", {"name": "say", "arguments": {"raw": raw}}, name))
    wait_until(lambda: len(shared.audit.records("INVALID_MESSAGE")) > before, "the line was refused")
    # The session and the upstream go on.
    assert text_of(client.call("say", {"result": {"content": [{"type": "text", "text": "<b>on</b>"}]}})) == "on"
    client.send(message("notifications/cancelled", {"requestId": name}))
    assert all("result" not in seen for seen in client.silent_after())
    assert [record["status"] for record in shared.audit.records("RESPONSE", request_id=name)] == ["error"]
    assert len(shared.audit.records("INVALID_MESSAGE")) == before + 1
