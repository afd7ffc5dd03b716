"""The watchdog."""

from __future__ import annotations

import signal

from support import machine, service
from support.machine import run, show, wait_until


def test_a_frozen_daemon_is_killed_and_comes_back() -> None:
    service.write()
    machine.drop_in("gatekit.service", "watchdog.conf", "[Service]\nWatchdogSec=1\n")
    before = machine.journal_end()
    service.start()
    pid, old = machine.main_pid(), set(machine.processes_of("gatekit"))
    machine.signal_process(pid, signal.SIGSTOP)
    wait_until(lambda: show("gatekit.service", "NRestarts") != "0", "killed")
    wait_until(lambda: show("gatekit.service", "ActiveState") == "active", "started again")
    assert machine.main_pid() != pid
    assert not old & set(machine.processes_of("gatekit")), machine.processes_of("gatekit")
    messages = [str(entry["MESSAGE"]) for entry in machine.journal("UNIT=gatekit.service", after=before)]
    assert any("Watchdog timeout" in message for message in messages), messages
    with service.connect() as client:
        assert client.call("echo", text="back") == "back"


def test_a_daemon_that_lives_keeps_the_watchdog_quiet() -> None:
    service.write()
    machine.drop_in("gatekit.service", "watchdog.conf", "[Service]\nWatchdogSec=2\n")
    service.start()
    pid = machine.main_pid()
    first = show("gatekit.service", "WatchdogTimestampMonotonic")
    for _ in range(4):
        wait_until(lambda: show("gatekit.service", "WatchdogTimestampMonotonic") != first, "a sign of life", seconds=5)
        first = show("gatekit.service", "WatchdogTimestampMonotonic")
    assert machine.main_pid() == pid
    run("systemctl", "reload", "gatekit.service")
