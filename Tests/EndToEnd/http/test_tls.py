"""TLS: real clients, certificates that change under open sessions, and files that do not fit."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path

import anyio
import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from harness.gateway import Gateway
from harness.http import HTTP
from harness.waiting import wait_until

from certificates import Authority, subject
from crowded import PING, Make, gateway_over_http, nonce_of, ping, refused_reload, work

pytestmark = pytest.mark.gateway


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def gateway(make_gateway: Make, authority: Authority) -> Gateway:
    """With the certificate `first`; not started."""
    gateway = gateway_over_http(make_gateway, {"tls": {"certificate": "chain.pem", "key": "key.pem"}})
    authority.issue("first", gateway.directory)
    return gateway


def client(gateway: Gateway, authority: Authority) -> HTTP:
    return HTTP(gateway.port, tls=authority.trusted())


async def test_the_sdk_over_tls(gateway: Gateway, authority: Authority) -> None:
    gateway.start().ready()
    assert f"https://127.0.0.1:{gateway.port}/mcp" in gateway.log()
    url = f"https://localhost:{gateway.port}/mcp"
    with anyio.fail_after(30):
        async with (
            httpx.AsyncClient(verify=authority.trusted()) as http,
            streamable_http_client(url, http_client=http) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            steps: list[float] = []

            async def note(done: float, _total: float | None, _message: str | None) -> None:
                steps.append(done)

            result = await session.call_tool("work", {"nonce": "tls", "steps": 3}, progress_callback=note)
            assert result.structuredContent and result.structuredContent["nonce"] == "tls"
            assert steps == [1, 2, 3]
            large = await session.call_tool("work", {"nonce": "large", "size": 5 << 20})
            assert len(large.content[0].text) == 5 << 20
        with pytest.raises(httpx.ConnectError):
            async with httpx.AsyncClient() as stranger:
                await stranger.get(f"https://localhost:{gateway.port}/healthz")


def test_another_certificate_is_for_new_connections(gateway: Gateway, authority: Authority) -> None:
    gateway.start().ready()
    http = client(gateway, authority)
    key = http.open()
    with http.connect() as kept, http.connect() as stream:
        stream.send(http.raw("GET", Mcp_Session_Id=key))
        assert stream.head().status == 200 and stream.event()
        kept.send(http.post(work("before", delay=0.5), Mcp_Session_Id=key))
        assert subject(kept.socket) == "first"
        authority.issue("second", gateway.directory)
        gateway.reload()
        with http.connect() as new:
            assert subject(new.socket) == "second"
            new.send(http.post(PING, Mcp_Session_Id=key))
            assert new.answer().status == 200, "the session is the same"
        assert nonce_of(kept.answer().message) == "before"
        kept.send(http.post(work("after"), Mcp_Session_Id=key))
        assert nonce_of(kept.answer().message) == "after", "the open connection goes on"


def break_key(directory: Path) -> None:
    (directory / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n")


def take_another_key(directory: Path) -> None:
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", "key.pem"],
        cwd=directory, check=True, capture_output=True, timeout=30,
    )  # fmt: skip


def break_certificate(directory: Path) -> None:
    (directory / "chain.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def empty_certificate(directory: Path) -> None:
    (directory / "chain.pem").write_text("")


def lose_key(directory: Path) -> None:
    (directory / "key.pem").unlink()


BREAKAGES = [
    (break_key, "key.pem: cannot be read as a PEM private key"),
    (take_another_key, "key.pem: does not fit the first certificate of"),
    (break_certificate, "chain.pem: cannot be read as a PEM certificate chain"),
    (empty_certificate, "chain.pem: holds no certificate in PEM form"),
    (lose_key, "cannot be opened: no such file or directory"),
]


@pytest.mark.parametrize(("breaks", "says"), BREAKAGES)
def test_files_that_do_not_fit_refuse_start_reload_and_check(
    gateway: Gateway, authority: Authority, breaks: object, says: str
) -> None:
    gateway.start().ready()
    http = client(gateway, authority)
    key = http.open()
    secret = (gateway.directory / "key.pem").read_text().splitlines()[1]
    breaks(gateway.directory)  # type: ignore[operator]
    said = refused_reload(gateway)
    assert says in said, said
    assert ping(http, key).status == 200
    checked = gateway.run("check")
    assert (checked.returncode, says in checked.stderr) == (1, True), checked
    gateway.stop()
    process = gateway.spawn(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert process.wait(20) == 1
    assert gateway.log().count(says) == 2, "the log says why the reload, and then the start, was refused"
    assert secret not in gateway.log() + said


def test_who_speaks_another_language_is_let_go(gateway: Gateway, authority: Authority, make_gateway: Make) -> None:
    gateway.start().ready()
    http = client(gateway, authority)
    key = http.open()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as plain:
        plain.sendall(HTTP(gateway.port).raw("GET", "/healthz"))
        while plain.recv(4096):
            pass  # an alert, then the end
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as garbage:
        garbage.sendall(b"\x16\x03\x01\xff\xff" + b"\0" * 500)
        garbage.shutdown(socket.SHUT_WR)
        while garbage.recv(4096):
            pass
    assert ping(http, key).status == 200
    clear = gateway_over_http(make_gateway).start()
    with pytest.raises(ssl.SSLError):
        client(clear, authority).connect()
    assert HTTP(clear.port).ask(HTTP(clear.port).raw("GET", "/healthz")).status == 200
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(str(authority.path))
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        HTTP(gateway.port, tls=old).connect()


def test_turning_tls_on_and_off(gateway: Gateway, authority: Authority) -> None:
    """On the same port: sessions go on, over the connections that their clients make now."""
    tls = gateway.configuration["proxy"]["http"].pop("tls")
    gateway.write_configuration()
    gateway.start().ready()
    clear, secure = HTTP(gateway.port), client(gateway, authority)
    key = clear.open()
    gateway.configuration["proxy"]["http"]["tls"] = tls
    gateway.reload()
    assert ping(secure, key).status == 200
    assert gateway.status()["transports"][0]["address"].startswith("https://")
    del gateway.configuration["proxy"]["http"]["tls"]
    gateway.reload()
    assert ping(clear, key).status == 200


def test_a_refusal_within_a_body_arrives_over_tls(gateway: Gateway, authority: Authority) -> None:
    gateway.start().ready()
    http = client(gateway, authority)
    with http.connect() as connection:
        request = http.raw(Content_Type="application/json", Content_Length=str(1 << 40), Mcp_Session_Id=http.open())
        connection.send(request + b"{")
        refused = connection.answer()
        assert refused.status == 413 and refused.headers["connection"] == "close"
        assert connection.ended()


def test_a_clean_end_over_tls(gateway: Gateway, authority: Authority) -> None:
    gateway.start().ready()
    http = client(gateway, authority)
    key = http.open()
    with http.connect() as busy:
        busy.send(http.post(work("last", "last", delay=0.3, size=5 << 20), Mcp_Session_Id=key))
        wait_until(lambda: gateway.audit.records("REQUEST", request_id="last"), "it was admitted")
        gateway_process, gateway.process = gateway.process, None
        assert gateway_process
        gateway_process.terminate()
        assert nonce_of(busy.answer().message) == "last" and busy.ended()
        assert gateway_process.wait(20) == 0
