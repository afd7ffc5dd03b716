"""A real Prometheus that scrapes one address, and its query API."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

from .waiting import wait_until

CONFIGURATION = """
global:
  scrape_interval: 200ms
  scrape_timeout: 200ms
scrape_configs:
  - job_name: gatekit
    static_configs:
      - targets: ["{target}"]
"""


def program(name: str) -> str:
    """Debian's package `prometheus` has both programs."""
    path = shutil.which(name)
    assert path, f"'{name}' is missing: run scripts/test-setup"
    return path


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(url: str) -> str:
    """The body of a GET."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def check(text: str) -> None:
    """Fails with what `promtool check metrics` finds wrong."""
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert not checked.stdout + checked.stderr


class Prometheus:
    """Runs until the end of a with statement, with its data in a directory of its own."""

    def __init__(self, target: str) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="gk-prometheus-"))
        self.base = f"http://127.0.0.1:{free_port()}"
        configuration = self.directory / "prometheus.yml"
        configuration.write_text(CONFIGURATION.format(target=target))
        self.log_path = self.directory / "log"
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    program("prometheus"), f"--config.file={configuration}", f"--storage.tsdb.path={self.directory / 'data'}",
                    f"--web.listen-address={self.base.removeprefix('http://')}",
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory,
            )  # fmt: skip

    def __enter__(self) -> Prometheus:
        wait_until(self.answers, f"Prometheus was ready; its log:\n{self.log_path.read_text(errors='replace')}")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        finally:
            self.process.kill()
            self.process.wait(10)
            shutil.rmtree(self.directory, ignore_errors=True)

    def answers(self) -> bool:
        """Whether it has begun to serve; fails when it has ended."""
        assert self.process.poll() is None, self.log_path.read_text(errors="replace")
        try:
            return bool(fetch(f"{self.base}/-/ready"))
        except OSError:
            return False

    def query(self, expression: str) -> list[dict]:
        """The result of an instant query: `metric` and `value` of each series."""
        answer = json.loads(fetch(f"{self.base}/api/v1/query?query={urllib.parse.quote(expression)}"))
        assert answer["status"] == "success", answer
        return answer["data"]["result"]

    def value(self, expression: str) -> float | None:
        """The number of the one series that an expression gives; None when it gives none."""
        result = self.query(expression)
        assert len(result) < 2, result
        return float(result[0]["value"][1]) if result else None

    def expect(self, expression: str, wanted: float) -> None:
        """Waits until a scrape brings this number."""
        wait_until(
            lambda: self.value(expression) == wanted, f"{expression} was {wanted:g}; it is {self.query(expression)}"
        )
