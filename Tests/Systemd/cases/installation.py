"""What the package brings."""

from __future__ import annotations

import pwd
from pathlib import Path

from support import service
from support.machine import properties, run

UNITS = ["gatekit.service", "gatekit.socket", "gatekit@.service", "gatekit@.socket"]


def test_units_pass_systemd_analyze_verify() -> None:
    for unit in UNITS:
        path = f"/usr/lib/systemd/system/{unit.replace('@.', '@one.')}"
        # A template is verified through an instance.
        if "@" in unit:
            Path(f"/run/systemd/system/{Path(path).name}").symlink_to(f"/usr/lib/systemd/system/{unit}")
            path = f"/run/systemd/system/{Path(path).name}"
        try:
            done = run("systemd-analyze", "verify", "--man=no", path)
        finally:
            if "@" in unit:
                Path(path).unlink()
        assert done.stdout + done.stderr == "", f"{unit}: {done.stdout}{done.stderr}"


def test_drop_ins_are_understood() -> None:
    directory = Path("/etc/systemd/system/gatekit.service.d")
    directory.mkdir(parents=True)
    for file in Path("/usr/share/doc/gatekit/drop-ins").iterdir():
        (directory / file.name).write_text(file.read_text())
    run("systemctl", "daemon-reload")
    done = run("systemd-analyze", "verify", "--man=no", "/usr/lib/systemd/system/gatekit.service")
    assert done.stdout + done.stderr == ""
    shown = properties("gatekit.service", "RestrictAddressFamilies", "IPAddressDeny")
    assert set(shown["RestrictAddressFamilies"].split()) == {"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"}, shown
    assert shown["IPAddressDeny"] == "", shown


def test_user_and_directories_exist() -> None:
    user = pwd.getpwnam("gatekit")
    assert user.pw_uid < 1000 and user.pw_shell.endswith("nologin"), user
    expected = {
        "/etc/gatekit": ("root", 0o750),
        "/var/log/gatekit": ("gatekit", 0o750),
        "/var/lib/gatekit/files": ("gatekit", 0o750),
        "/run/gatekit-sockets": ("root", 0o755),
        "/etc/gatekit/gatekit.yaml": ("root", 0o640),
    }
    for path, (owner, mode) in expected.items():
        assert Path(path).owner() == owner, f"{path} is {Path(path).owner()}'s"
        assert Path(path).stat().st_mode & 0o777 == mode, f"{path} has mode {Path(path).stat().st_mode:o}"
    assert Path("/etc/gatekit/gatekit.yaml").group() == "gatekit"


def test_nothing_was_started_by_the_installation() -> None:
    assert properties("gatekit.service", "ActiveState")["ActiveState"] == "inactive"


def test_shipped_configuration_runs_as_it_stands() -> None:
    file = Path("/var/lib/gatekit/files/note.txt")
    file.write_text("as shipped")
    service.start()
    with service.connect() as client:
        tools = client.tools()
        assert "read_file" in tools and "write_file" not in tools, tools
        assert "as shipped" in client.call("read_file", path=str(file))
    file.unlink()


def test_manual_pages_and_completions_are_there() -> None:
    for command in ("gatekit", "gatekit-check", "gatekit-reload", "gatekit-status", "zscaler-mcp"):
        assert Path(f"/usr/share/man/man1/{command}.1.gz").exists(), command
    run("bash", "-n", "/usr/share/bash-completion/completions/gatekit")
    run("bash", "-n", "/usr/share/bash-completion/completions/zscaler-mcp")


def test_both_names_are_one_program() -> None:
    assert Path("/usr/bin/zscaler-mcp").resolve() == Path("/usr/bin/gatekit")
    assert run("zscaler-mcp", "--version").stdout == run("gatekit", "--version").stdout
