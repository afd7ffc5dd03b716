"""Upgrading and removing the package; the last cases."""

from __future__ import annotations

from pathlib import Path

from support import machine, service
from support.machine import run, show


def package() -> str:
    return str(next(Path("/payload").glob("gatekit_*.deb")))


def test_upgrade_keeps_an_edited_configuration_and_restarts() -> None:
    service.write(tools=["echo"])
    edited = service.CONFIGURATION.read_text()
    service.start()
    pid = machine.main_pid()
    run("dpkg", "--force-confold", "-i", package())
    assert service.CONFIGURATION.read_text() == edited
    assert show("gatekit.service", "ActiveState") == "active"
    assert machine.main_pid() != pid
    with service.connect() as client:
        assert client.tools() == ["echo"]


def test_removal_stops_the_service_and_leaves_configuration_and_logs() -> None:
    service.write()
    service.start()
    with service.connect() as client:
        client.call("echo", text="kept")
    run("dpkg", "--remove", "gatekit")
    try:
        assert not machine.processes_of("gatekit"), machine.processes_of("gatekit")
        assert not Path("/usr/bin/gatekit").exists() and not Path("/usr/bin/zscaler-mcp").exists()
        assert not Path(service.SOCKET).exists()
        assert service.CONFIGURATION.exists()
        assert any(record.get("tool") == "echo" for record in service.records("REQUEST"))
        run("dpkg", "--purge", "gatekit")
        assert not service.CONFIGURATION.exists()
        assert service.AUDIT.exists(), "purging has deleted an audit log"
    finally:
        run("dpkg", "-i", package())
