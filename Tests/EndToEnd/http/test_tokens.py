"""Bearer tokens: who is let in, whose session it is, and what reloads of the file do."""

from __future__ import annotations

import hashlib
import json

import pytest

from harness.gateway import Gateway, free_port
from harness.http import HTTP

from crowded import Make, begin, gateway_over_http, nonce_of, ping, refused_reload, work

pytestmark = pytest.mark.gateway

ALICE, BOB = "alice-3b1f0c-secret", "bob-77aa10-secret"


def write_tokens(gateway: Gateway, *lines: str, **tokens: str) -> None:
    """`name=token` for each, then `lines` as they are."""
    valid = [f"{name}:{hashlib.sha256(token.encode()).hexdigest()}" for name, token in tokens.items()]
    path = gateway.directory / "tokens"
    path.write_text("\n".join([*valid, *lines]) + "\n")
    path.chmod(0o600)


@pytest.fixture
def gateway(make_gateway: Make) -> Gateway:
    """With the tokens of two clients."""
    gateway = gateway_over_http(make_gateway, {"tokens_file": "tokens"})
    write_tokens(gateway, alice=ALICE, bob=BOB)
    return gateway.start().ready()


def client(gateway: Gateway, token: str) -> HTTP:
    return HTTP(gateway.port, token)


def test_who_is_let_in(gateway: Gateway) -> None:
    http = HTTP(gateway.port)
    challenges = {
        None: "no_token", "": "no_token", "Basic YTpi": "no_token", "Bearer": "no_token", f"Token {ALICE}": "no_token",
        "Bearer wrong": "wrong_token", f"Bearer {ALICE}x": "wrong_token", f"Bearer {ALICE} {BOB}": "wrong_token",
    }  # fmt: skip
    for field, reason in challenges.items():
        answer = http.ask(http.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, Authorization=field))
        assert (answer.status, answer.message["error"]["code"]) == (401, -32000), field
        assert answer.headers["www-authenticate"].startswith("Bearer realm="), field
        assert ("invalid_token" in answer.headers["www-authenticate"]) == (reason == "wrong_token"), field
    for scheme in ("Bearer", "bearer", "BEARER"):
        named = HTTP(gateway.port)
        opened = named.ask(named.raw("GET", Authorization=f"{scheme} {ALICE}"))
        assert opened.status == 400, "past the token, what is missing is the session"


def test_a_session_is_its_tokens_own(gateway: Gateway) -> None:
    alice, bob = client(gateway, ALICE), client(gateway, BOB)
    hers, his = alice.open(), bob.open()
    assert ping(alice, hers).status == ping(bob, his).status == 200
    for method in ("GET", "DELETE"):
        assert bob.ask(bob.raw(method, Mcp_Session_Id=hers)).status == 404
    assert ping(bob, hers).status == 404
    assert ping(HTTP(gateway.port), hers).status == 401
    assert ping(alice, hers).status == 200, "nothing of this has harmed her session"


def test_one_connection_may_carry_several_clients(gateway: Gateway) -> None:
    """As a proxy's does: the token counts with every request."""
    alice, bob = client(gateway, ALICE), client(gateway, BOB)
    hers, his = alice.open(), bob.open()
    with alice.connect() as shared:
        for http, key, status in ((alice, hers, 200), (bob, his, 200), (bob, hers, 404), (HTTP(gateway.port), hers, 401)):
            shared.send(http.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, Mcp_Session_Id=key))
            assert shared.answer().status == status


def test_a_token_that_is_removed_ends_its_sessions_and_no_other(gateway: Gateway) -> None:
    alice, bob = client(gateway, ALICE), client(gateway, BOB)
    hers, his = alice.open(), bob.open()
    with (
        begin(gateway, bob, his, work("his", "his", delay=1)) as goes_on,
        begin(gateway, alice, hers, work("hers", "hers", delay=60)) as ends,
        alice.connect() as stream,
    ):
        stream.send(alice.raw("GET", Mcp_Session_Id=hers))
        assert stream.head().status == 200 and stream.event()
        write_tokens(gateway, bob=BOB)
        assert "alice" in gateway.reload().stdout
        assert stream.event() is None, "her stream has ended"
        cancelled = ends.answer()
        assert not cancelled.events and b"hers" not in cancelled.body
        assert ping(alice, hers).status == 401
        assert nonce_of(goes_on.answer().message) == "his"
    assert ping(bob, his).status == 200
    (end,) = gateway.audit.records("SESSION_END")
    write_tokens(gateway, bob=BOB, alice=ALICE)
    gateway.reload()
    assert ping(alice, hers).status == 404, "the token is back, the session is not"
    assert alice.open()


def test_a_token_that_changes_is_another_one(gateway: Gateway) -> None:
    alice, bob = client(gateway, ALICE), client(gateway, BOB)
    hers, his = alice.open(), bob.open()
    write_tokens(gateway, alice="alice-new-secret", bob=BOB)
    gateway.reload()
    assert ping(alice, hers).status == 401
    assert ping(client(gateway, "alice-new-secret"), hers).status == 404
    assert ping(bob, his).status == 200


def test_a_token_that_is_added_lets_in(gateway: Gateway) -> None:
    carol = client(gateway, "carol-secret")
    assert carol.ask(carol.raw("GET")).status == 401
    write_tokens(gateway, alice=ALICE, bob=BOB, carol="carol-secret")
    gateway.reload()
    assert ping(carol, carol.open()).status == 200


def test_a_token_that_is_removed_while_the_port_changes(gateway: Gateway) -> None:
    """The former door finishes what it has in flight, but not for somebody who may not come in any more."""
    alice, bob = client(gateway, ALICE), client(gateway, BOB)
    hers, his = alice.open(), bob.open()
    with (
        begin(gateway, bob, his, work("his", "his", delay=1)) as goes_on,
        begin(gateway, alice, hers, work("hers", "hers", delay=60)) as ends,
    ):
        write_tokens(gateway, bob=BOB)
        gateway.configuration["proxy"]["http"]["port"] = gateway.port = free_port()
        gateway.reload()
        assert not ends.answer().events
        assert nonce_of(goes_on.answer().message) == "his"
    assert client(gateway, BOB).open()


@pytest.mark.parametrize(
    ("line", "says"),
    [("carol", "name:sha256"), ("carol:1234", "SHA-256"), (f"carol:{ALICE}", "SHA-256"),
     (f"carol:{hashlib.sha256(ALICE.encode()).hexdigest()}", "token of line 1")],
)  # fmt: skip
def test_a_broken_line_refuses_the_reload(gateway: Gateway, line: str, says: str) -> None:
    alice = client(gateway, ALICE)
    hers = alice.open()
    write_tokens(gateway, "# somebody new", line, alice=ALICE)
    said = refused_reload(gateway)
    assert "tokens:3" in said and says in said, said
    assert ALICE not in said and "1234" not in said, "a broken line may hold a token"
    assert ping(alice, hers).status == 200
    bob = client(gateway, BOB)
    assert ping(bob, bob.open()).status == 200, "all of the old file stays in force"


def test_the_name_is_known_everywhere_and_the_token_nowhere(gateway: Gateway) -> None:
    alice = client(gateway, ALICE)
    hers = alice.open()
    assert nonce_of(alice.ask(alice.post(work("x", "named"), Mcp_Session_Id=hers)).message) == "x"
    client(gateway, "nobody-secret").ask(alice.post(work("x"), Authorization="Bearer nobody-secret"))
    shown = gateway.run("status").stdout + json.dumps(gateway.status())
    gateway.reload()
    gateway.stop()
    (request,) = gateway.audit.records("REQUEST", request_id="named")
    assert "alice" in json.dumps(request)
    written = gateway.audit.path.read_text() + gateway.log() + shown
    digest = hashlib.sha256(ALICE.encode()).hexdigest()
    for secret in (ALICE, digest, "nobody-secret", hers):
        assert secret not in written
