"""Request ids belong to a session, and come back as they were sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from harness.gateway import Gateway
from harness.lines import message, text_of
from harness.upstreams import echo, everything


@pytest.mark.parametrize(
    "lexeme",
    ["1", "0", "-7", "12345678901234567890", '"a"', '"1"', '""', '"ü"', r'"\u00fc"', r'"\ud83d\ude00"', r'"a\"b\\"'],
)
def test_an_id_comes_back_as_it_was_sent(make_gateway: Callable[..., Gateway], lexeme: str) -> None:
    with make_gateway(echo()).start().session() as client:
        line = f'{{"jsonrpc":"2.0","id":{lexeme},"method":"tools/call","params":{{"name":"echo","arguments":{{}}}}}}'
        client.send_bytes(line.encode() + b"\n")
        answer = client.receive_line()
        assert answer
        assert f'"id":{lexeme}'.encode() in answer.replace(b'"id": ', b'"id":')
        assert json.loads(answer)["result"]["structuredContent"] == {"name": "echo", "arguments": {}}


def test_a_hundred_clients_that_all_use_id_1_get_their_own_answers(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo()).start()
    with ExitStack() as stack:
        clients = [stack.enter_context(gateway.session(name=f"c{i}")) for i in range(100)]
        for turn in range(10):
            for i, client in enumerate(clients):
                client.send(message("tools/call", {"name": "echo", "arguments": {"i": i, "turn": turn}}, 1))
            for i, client in enumerate(clients):
                answer = client.answer_to(1)
                assert answer["result"]["structuredContent"]["arguments"] == {"i": i, "turn": turn}
                assert client.aside == []


def test_two_sessions_with_one_id_and_answers_in_reverse_do_not_cross(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1)).start()
    with gateway.session() as slow, gateway.session() as quick:
        slow.send(message("tools/call", {"name": "delay", "arguments": {"i": 1, "ms": 400}}, "same"))
        quick.send(message("tools/call", {"name": "delay", "arguments": {"i": 2, "ms": 1}}, "same"))
        assert text_of(quick.answer_to("same")) == "delay 2"
        assert text_of(slow.answer_to("same")) == "delay 1"


@pytest.mark.gateway
def test_an_id_that_is_in_flight_is_refused_and_the_first_call_goes_on(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1)).start()
    with gateway.session() as client:
        call = message("tools/call", {"name": "delay", "arguments": {"i": 1, "ms": 500}}, 9)
        client.send(call, call)
        assert client.answer_to(9)["error"]["code"] == -32600
        assert text_of(client.answer_to(9)) == "delay 1"
        client.send(call)
        assert text_of(client.answer_to(9)) == "delay 1"


def test_a_number_and_a_string_that_look_alike_are_two_ids(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1)).start()
    with gateway.session() as client:
        for i, request_id in ((1, 1), (2, "1")):
            client.send(message("tools/call", {"name": "delay", "arguments": {"i": i, "ms": 200}}, request_id))
        assert text_of(client.answer_to("1")) == "delay 2"
        assert text_of(client.answer_to(1)) == "delay 1"
