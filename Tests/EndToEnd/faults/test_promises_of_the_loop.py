"""What the gateway's loop promises when a process, a client, a disk or a terminal does not do its part."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import select
import socket
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL

import pytest

from harness.gateway import Gateway
from harness.lines import Lines, encode, message
from harness.upstreams import echo, echo_program, noting
from harness.waiting import DEADLINE, wait_until

pytestmark = pytest.mark.gateway


def received(directory: Path) -> dict[int, list[dict]]:
    """What each process of the noting server was sent."""
    return {
        int(notes.stem): [json.loads(line) for line in notes.read_bytes().splitlines()]
        for notes in directory.glob("*.received")
    }


def test_bytes_queued_for_a_process_that_exited_never_reach_the_next_one(
    make_gateway: Callable[..., Gateway], tmp_path: Path
) -> None:
    gateway = make_gateway(noting(tmp_path)).start()
    with gateway.session() as client:
        client.send(message("tools/call", {"name": "deaf"}, "deaf"))
        (first,) = gateway.upstream_pids("noting.py")
        wait_until(lambda: received(tmp_path)[first][-1].get("params") == {"name": "deaf"}, "it has stopped reading")
        # A pipe takes 64 KiB, so most of these wait in the gateway.
        ids = [f"queued-{i}" for i in range(10)]
        for request_id in ids:
            client.send(message("tools/call", {"name": "echo", "arguments": {"pad": "x" * 60_000}}, request_id))
        wait_until(lambda: all(gateway.audit.requests()[i] for i in ids), "all calls were admitted")
        os.kill(first, 9)
        for request_id in ["deaf", *ids]:
            assert client.answer_to(request_id)["error"]["data"]["reason"] == "upstream_exited"
        assert "result" in client.call("echo", {"pad": "after"}, "after")
        assert client.silent_after() == []
    (second,) = set(received(tmp_path)) - {first}
    # Each line is whole, and the one call is the one that was made after the exit.
    methods = [line["method"] for line in received(tmp_path)[second]]
    assert sorted(methods) == ["initialize", "notifications/initialized", "tools/call", "tools/list"]
    (call,) = [line for line in received(tmp_path)[second] if line["method"] == "tools/call"]
    assert call["params"]["arguments"] == {"pad": "after"}


def is_served(gateway: Gateway) -> bool:
    """Whether a new session gets a place."""
    try:
        with gateway.session():
            return True
    except (AssertionError, OSError, KeyError):
        return False


def test_a_channel_of_an_ended_session_counts_until_it_is_closed_within_ten_seconds(
    make_gateway: Callable[..., Gateway],
) -> None:
    size = 900_000  # more than a socket takes, and less than what stops the gateway from reading
    gateway = make_gateway([echo_program(), "--result-bytes", str(size)], proxy={"limits": {"max_sessions": 1}}).start()
    wait_until(lambda: is_served(gateway), "the place of the start's own probe was free")

    def open_lingerer() -> Lines | None:
        lines = gateway.connect()
        try:
            lines.handshake(name="lingers")
        except (AssertionError, OSError, KeyError):
            lines.close()
            return None
        return lines

    with wait_until(open_lingerer, "its place was free") as lingerer:
        lingerer.send(message("tools/call", {"name": "echo"}, 1))
        lingerer.half_close()
        wait_until(lambda: gateway.audit.records("SESSION_END", client_name="lingers"), "its session had ended")
        assert not is_served(gateway), "its channel does not count although it is still open"
        wait_until(lambda: is_served(gateway), "its place was free again", 15)
        assert lingerer.connection
        taken = len(lingerer.buffer)
        while chunk := lingerer.connection.recv(1 << 20):
            taken += len(chunk)
        assert taken < size, "the whole answer had been sent, so nothing lingered"


def send_until_nobody_reads(client: Lines, content: bytes) -> int:
    """Writes until the other side has not read for two seconds; how much it took."""
    assert client.connection
    taken = 0
    while taken < len(content):
        if not select.select([], [client.connection], [], 2)[1]:
            return taken
        try:
            taken += client.connection.send(content[taken : taken + (1 << 16)], socket.MSG_DONTWAIT)
        except BlockingIOError:
            continue
    return taken


def test_clients_are_not_read_while_a_critical_sink_is_blocked(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo()).start()
    assert gateway.process
    with gateway.session() as client:
        assert "result" in client.call("echo")
        # From here on every write to the audit fails.
        _, most = resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE)
        now = gateway.audit.path.stat().st_size
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (now, most))
        try:
            client.send(message("tools/call", {"name": "echo"}, "held"))
            pings = [encode(message("ping", None, f"ping-{i}")) for i in range(200_000)]
            content = b"".join(pings)
            taken = send_until_nobody_reads(client, content)
            assert taken < len(content) / 2, f"{taken} bytes were read while no answer could leave"
            assert not select.select([client.reading], [], [], 0)[0], "an answer left before its record"
        finally:
            resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (most, most))
        # The rest of the line that was cut; then everything is answered, once and in order.
        sent = content[:taken].count(b"\n")
        if not content[:taken].endswith(b"\n"):
            end = content.index(b"\n", taken) + 1
            client.connection.settimeout(DEADLINE)  # type: ignore[union-attr]
            rest, sent = content[taken:end], sent + 1
        else:
            rest = b""
        answers = []
        while len(answers) < sent + 1 - bool(rest):
            answers.append(client.receive())
        client.send_bytes(rest)
        while len(answers) < sent + 1:
            answers.append(client.receive())
        ids = [answer["id"] for answer in answers]  # type: ignore[index]
        assert [i for i in ids if i != "held"] == [f"ping-{i}" for i in range(sent)]
        assert ids.count("held") == 1
        assert "result" in client.call("echo")


@pytest.mark.parametrize("end", ["full", "closed"])
def test_a_stderr_that_nobody_reads_stops_nothing(
    make_gateway: Callable[..., Gateway], tmp_path: Path, end: str
) -> None:
    gateway = make_gateway(noting(tmp_path, "--noise", "300000"))
    reading, writing = os.pipe()
    try:
        if end == "closed":
            os.close(reading)
        else:
            os.set_blocking(writing, False)
            size = fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ)
            assert os.write(writing, b"x" * size) == size
            # It is the same open file for the gateway, which must not depend on this.
            os.set_blocking(writing, True)
        gateway.process = gateway.spawn(stdin=DEVNULL, stdout=DEVNULL, stderr=writing)
        wait_until(gateway.accepts, "the gateway accepted although its stderr is not read")
        with gateway.session() as client:
            for _ in range(20):
                assert "result" in client.call("echo")
        gateway.stop()
        if end == "full":
            assert os.read(reading, size + 1) == b"x" * size
    finally:
        os.close(writing)
        if end == "full":
            os.close(reading)
