"""Megabytes: sanitised on a worker, in linear time, while other sessions go on."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest
from saying import block

from harness.gateway import Gateway
from harness.lines import Lines, text_of
from harness.upstreams import stranger

pytestmark = pytest.mark.gateway

MB = 1 << 20
BOUND = 60
"""Seconds that an answer of some megabytes may take from a debug build on a busy machine."""

SMALL_BOUND = 10
"""Seconds that a small call may take meanwhile."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    gateway = Gateway(stranger(), proxy={"timeouts": {"request_timeout": BOUND}})
    try:
        yield gateway.start()
    finally:
        gateway.close()


def large(gateway: Gateway, arguments: dict) -> dict:
    """The answer to a call with these arguments, while another session goes on calling."""
    outcome: list[dict] = []

    def call(client: Lines) -> None:
        outcome.append(client.call("say", arguments, deadline=BOUND))

    with gateway.session() as client, gateway.session() as other:
        worker = threading.Thread(target=call, args=(client,))
        begun = time.monotonic()
        worker.start()
        answered = 0
        while True:
            small = other.call("say", {"result": block("<b>small</b>")}, deadline=SMALL_BOUND)
            assert text_of(small) == "small"
            answered += 1
            if not worker.is_alive():
                break
        worker.join()
        took = time.monotonic() - begun
    assert outcome, "no answer in time"
    assert answered >= took / 2, f"{answered} small calls in {took:.1f} s"
    return outcome[0]


UNCHANGED = {
    "plain": ["", "plain text of some length, ", 5 * MB // 27, ""],
    "mixed": ["", "ünïcode, 日本語 ", 5 * MB // 23, ""],
    "less-than": ["", "<", 5 * MB, ""],
    "less-than in JSON": ['{"a":"', "< ", 2 * MB, '"}'],
    "brackets": ["", "[", 5 * MB, ""],
    "labels": ["", "![a](", MB, ""],
    "backticks": ["", "`", 5 * MB, ""],
    "tildes": ["", "~~~ ", MB, ""],
    "combining": ["a", "\u0301", 2 * MB, ""],
    "nested JSON": ["", "[", MB, "]" * MB],
    "nested objects": ["", '{"a":', 200_000, "1" + "}" * 200_000],
}
"""Nothing of this is to be taken out."""


@pytest.mark.parametrize("name", UNCHANGED)
def test_what_has_nothing_to_take_out_arrives_as_it_was(gateway: Gateway, name: str) -> None:
    before, unit, times, after = UNCHANGED[name]
    answer = large(gateway, {"repeat": [before, unit, times, after]})
    # Not by ==, whose explanation of a difference would take minutes.
    assert (text_of(answer) == before + unit * times + after) is True


CHANGED = {
    "tags": (["", "<b>x</b> ", MB // 9, ""], "x " * (MB // 9)),
    "comments": (["a", "<!--", MB, ""], "a"),
    "quotes": (["a", '<a b="', MB, ""], "a"),
    "assembled tags": (["", "<", 200_000, "b>" * 200_000], "b>" * 199_992),
    "hidden": (["a", "\u200b", MB, "b"], "ab"),
    "images": (["", "![i](u)", MB // 8, ""], "i" * (MB // 8)),
    "fences": (["", "```system\n", MB // 8, ""], "```text\n" * (MB // 8)),
    "escapes": (["", "\\u003cb\\u003e<b>", MB // 16, ""], "\\u003cb\\u003e" * (MB // 16)),
    "a needle": (["", "some plain text, ", 5 * MB // 17, "<b>"], "some plain text, " * (5 * MB // 17)),
}  # fmt: skip
"""What is said, and what arrives of it."""


@pytest.mark.parametrize("name", CHANGED)
def test_what_has_is_sanitised(gateway: Gateway, name: str) -> None:
    said, wanted = CHANGED[name]
    answer = large(gateway, {"repeat": said})
    text = text_of(answer)
    assert (text == wanted) is True, f"{len(text)} characters, wanted {len(wanted)}: {text[:100]!r} … {text[-100:]!r}"


def test_a_long_list_in_a_text_stays_json(gateway: Gateway) -> None:
    rows = [{"id": number, "name": f"<i>row</i> {number}", "n": 1.5} for number in range(20_000)]
    answer = large(gateway, {"result": block(json.dumps(rows)) | {"structuredContent": {"result": rows[:5_000]}}})
    clean = [row | {"name": f"row {row['id']}"} for row in rows]
    assert (json.loads(text_of(answer)) == clean) is True
    assert (answer["result"]["structuredContent"] == {"result": clean[:5_000]}) is True


def test_what_was_taken_out_is_counted(gateway: Gateway) -> None:
    answer = large(gateway, {"repeat": ["", "<b>x</b> ", MB // 9, ""]})
    assert "result" in answer
    counted = [record.get("sanitized") for record in gateway.audit.records("RESPONSE", method="tools/call")]
    assert {"invisible": 0, "markup": 2 * (MB // 9), "code_fences": 0} in counted
