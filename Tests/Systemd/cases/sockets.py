"""Socket activation and instances."""

from __future__ import annotations

import json
from pathlib import Path

from support import machine, service
from support.client import Client
from support.machine import run, show, wait_until


def test_a_client_that_comes_first_starts_the_service() -> None:
    service.write()
    run("systemctl", "start", "gatekit.socket")
    assert show("gatekit.service", "ActiveState") == "inactive"
    with service.connect() as client:
        assert client.call("echo", text="first") == "first"
    wait_until(lambda: show("gatekit.service", "ActiveState") == "active", "active")


def test_socket_is_for_the_group() -> None:
    service.write()
    service.start()
    socket = Path(service.SOCKET)
    assert socket.group() == "gatekit" and socket.stat().st_mode & 0o777 == 0o660, oct(socket.stat().st_mode)
    refused = run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "python3", "-c",
        f"import socket; socket.socket(socket.AF_UNIX).connect('{socket}')", check=False)  # fmt: skip
    assert "PermissionError" in refused.stderr, refused
    run("setpriv", "--reuid=nobody", "--regid=gatekit", "--clear-groups", "python3", "-c",
        f"import socket; socket.socket(socket.AF_UNIX).connect('{socket}')")  # fmt: skip


def test_clients_wait_in_the_socket_while_the_service_restarts() -> None:
    service.write()
    service.start()
    inode, pid = Path(service.SOCKET).stat().st_ino, machine.main_pid()
    run("systemctl", "restart", "--no-block", "gatekit.service")
    wait_until(lambda: machine.main_pid() != pid, "the old process has ended")
    for number in range(20):
        with service.connect() as client:
            assert client.call("echo", text=str(number)) == str(number)
    assert Path(service.SOCKET).stat().st_ino == inode, "the socket was made anew"


def test_stopping_the_service_leaves_the_socket() -> None:
    service.write()
    service.start()
    run("systemctl", "stop", "gatekit.service")
    assert Path(service.SOCKET).is_socket()
    assert show("gatekit.socket", "ActiveState") == "active"
    run("systemctl", "stop", "gatekit.socket")
    assert not Path(service.SOCKET).exists()


def test_re_execution_keeps_the_activated_socket() -> None:
    service.write()
    service.start()
    inode = Path(service.SOCKET).stat().st_ino
    for _ in range(2):
        run("gatekit", "restart")
        with service.connect() as client:
            assert client.call("echo", text="x") == "x"
    assert Path(service.SOCKET).stat().st_ino == inode


def test_instances_stand_beside_each_other() -> None:
    service.write(tools=["echo"])
    Path("/etc/gatekit/two.env").write_text("")
    service.write(
        Path("/etc/gatekit/two.yaml"), tools=["pause"], socket="/run/gatekit-sockets/two.sock",
        audit=Path("/var/log/gatekit/two/audit.log"))
    service.start()
    service.start("gatekit@two.service")
    try:
        with service.connect() as one, Client("/run/gatekit-sockets/two.sock") as two:
            assert one.tools() == ["echo"] and two.tools() == ["pause"]
            recorded = json.loads(Path("/run/gatekit-two/gatekit.pid").read_text())
            assert recorded["pid"] == machine.main_pid("gatekit@two.service"), recorded
            service.write(
                Path("/etc/gatekit/two.yaml"), tools=["pause", "echo"], socket="/run/gatekit-sockets/two.sock",
                audit=Path("/var/log/gatekit/two/audit.log"))
            run("systemctl", "reload", "gatekit@two.service")
            assert one.tools() == ["echo"] and two.tools() == ["echo", "pause"]
        status = json.loads(run("gatekit", "status", "--json", "--instance", "two").stdout)
        assert status["pid"] == machine.main_pid("gatekit@two.service"), status
        run("systemctl", "stop", "gatekit@two.service")
        with service.connect() as one:
            assert one.tools() == ["echo"]
    finally:
        run("systemctl", "stop", "gatekit@two.service", "gatekit@two.socket")
        run("rm", "-rf", "/var/log/gatekit/two")
