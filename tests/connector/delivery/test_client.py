"""The one HTTP client, against peers that redirect, flood, stall, lie and babble."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from connector.delivery import egress
from connector.delivery.client import PeerClient
from policies.problem import Problem
from tests.connector.delivery.conftest import Serve, answer

SECRET = "Bearer secret-token"


@pytest.fixture
async def client() -> AsyncIterator[PeerClient]:
    async with PeerClient(dev=True) as client:
        yield client


class Names:
    """A resolver under a test's control; remembers what it was asked."""

    def __init__(self, **names: Sequence[str]) -> None:
        self.names = {name.replace("_", "."): list(found) for name, found in names.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]


async def refusal(client: PeerClient, url: str, **options: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        await client.post(url, b'"payload-9"', headers={"Authorization": SECRET}, **options)
    problem = caught.value
    told = str(problem.document())
    assert "{" not in problem.text("fr") + problem.remedy("fr") + problem.text("en")
    assert "secret" not in told
    assert "/path" not in told
    assert "payload-9" not in told
    assert problem.__cause__ is None
    return problem


async def test_a_plain_exchange(client: PeerClient, serve: Serve):
    peer = await serve(answer(b'{"a":1}', "201 Created", "Content-Type: x/y\r\nX-A: B\r\n"))
    got = await client.post(peer.url + "/path?q=1", b'{"b":2}', headers={"Authorization": SECRET})
    assert (got.status, got.body) == (201, b'{"a":1}')
    assert got.headers == {"content-length": "7", "content-type": "x/y", "x-a": "B"}
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /path?q=1 http/1.1"
    assert f"host: localhost:{peer.port}" in lines
    assert "authorization: bearer secret-token" in lines
    assert "accept-encoding: identity" in lines
    assert body == b'{"b":2}'


async def test_connections_are_kept_and_any_status_but_a_redirect_is_an_answer(
    client: PeerClient, serve: Serve
):
    for status in (200, 304, 400, 401, 404, 500, 503):
        peer = await serve(answer(b"", f"{status} X"))
        assert [(await client.get(peer.url)).status for _ in range(3)] == [status] * 3
        assert peer.connections == 1


async def test_our_own_headers_are_sent_as_given(client: PeerClient, serve: Serve):
    peer = await serve(answer())
    await client.get(peer.url, headers={"If-None-Match": '"x"', "Accept": "application/json"})
    sent = peer.requests[0].lower()
    assert b'if-none-match: "x"' in sent
    assert b"accept: application/json" in sent
    assert sent.count(b"\naccept:") == 1


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
async def test_redirects_are_refused_and_not_followed(
    client: PeerClient, serve: Serve, status: int
):
    inner = await serve(answer(b"inner secrets"))
    outer = await serve(answer(b"", f"{status} Go", f"Location: {inner.url}/admin\r\n"))
    assert (await refusal(client, outer.url + "/path")).code == "delivery-redirect"
    assert inner.requests == []


@pytest.mark.parametrize(
    "headers", ["Location: http://169.254.169.254/\r\n", "Refresh: 0; url=http://10.0.0.1\r\n"]
)
async def test_a_success_with_a_location_leads_nowhere(
    client: PeerClient, serve: Serve, headers: str
):
    peer = await serve(answer(b"ok", headers=headers))
    assert (await client.get(peer.url)).body == b"ok"
    assert len(peer.requests) == 1


async def test_a_body_beyond_the_limit_is_refused_by_its_declared_length(
    client: PeerClient, serve: Serve
):
    peer = await serve(answer(b"", length=10**12))
    assert (await refusal(client, peer.url, limit=100)).code == "delivery-too-large"


async def test_a_body_without_length_is_cut_off_at_the_limit(client: PeerClient, serve: Serve):
    sent = 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()
            sent += 65536

    peer = await serve(flood)
    assert (await refusal(client, peer.url, limit=100_000)).code == "delivery-too-large"
    assert sent < 50_000_000  # it was hung up on


async def test_a_body_of_exactly_the_limit_is_fine(client: PeerClient, serve: Serve):
    peer = await serve(answer(b"x" * 1000))
    assert len((await client.get(peer.url, limit=1000)).body) == 1000


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "identity, gzip"])
async def test_compressed_bodies_are_refused(client: PeerClient, serve: Serve, encoding: str):
    bomb = gzip.compress(bytes(10_000_000))
    peer = await serve(answer(bomb, headers=f"Content-Encoding: {encoding}\r\n"))
    assert (await refusal(client, peer.url)).code == "delivery-encoding"


@pytest.mark.parametrize("after", [b"", b"HTTP/1.1 200 OK\r\nContent-", answer(b"par", length=9)])
async def test_silence_ends_at_the_deadline(client: PeerClient, serve: Serve, after: bytes):
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(after)
        await reader.read()

    peer = await serve(stall)
    problem = await refusal(client, peer.url + "/path", timeout=0.05)
    assert problem.code == "delivery-timeout"
    assert problem.params == {"host": "localhost", "port": peer.port}


async def test_dripping_does_not_extend_the_deadline(client: PeerClient, serve: Serve):
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1\r\nx\r\n")
            await writer.drain()
            await asyncio.sleep(0)

    peer = await serve(drip)
    problem = await refusal(client, peer.url, timeout=0.1, limit=10**9)
    assert problem.code == "delivery-timeout"


@pytest.mark.parametrize(
    "reply",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/9.9 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=range(9),
)
async def test_babble_is_no_answer(client: PeerClient, serve: Serve, reply: bytes):
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply)
        writer.close()

    peer = await serve(babble)
    problem = await refusal(client, peer.url)
    assert problem.code in ("delivery-garbled", "delivery-unreachable")
    assert problem.kind == "unavailable"


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 200 OK\r\n", answer(b"half", length=9)])
async def test_a_broken_connection_is_no_answer(client: PeerClient, serve: Serve, reply: bytes):
    async def cut(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply)
        writer.close()

    peer = await serve(cut)
    code = (await refusal(client, peer.url)).code
    assert code in ("delivery-unreachable", "delivery-garbled")
    assert len(peer.requests) == 1  # a POST is never repeated by itself


async def test_nobody_listens(client: PeerClient, serve: Serve):
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    problem = await refusal(client, f"http://localhost:{port}/path")
    assert problem.code == "delivery-unreachable"
    assert problem.params == {"host": "localhost", "port": port, "reason": "refused"}


async def test_cookies_are_not_kept(client: PeerClient, serve: Serve):
    peer = await serve(answer(headers="Set-Cookie: a=b; Path=/\r\n"))
    for _ in range(2):
        await client.get(peer.url)
    assert b"cookie" not in peer.requests[1].lower()


async def test_proxies_and_netrc_of_the_environment_are_not_read(
    client: PeerClient, serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login a password b")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    peer = await serve(answer())
    async with PeerClient(dev=True) as fresh:
        for each in (client, fresh):
            assert (await each.get(peer.url)).status == 200
    assert all(b"authorization" not in request.lower() for request in peer.requests)


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["169.254.169.254"],
        ["10.0.0.1"],
        ["fe80::1%eth0"],
        ["0.0.0.0"],
        ["127.1"],
    ],
)
@pytest.mark.parametrize("dev", [False, True])
async def test_a_name_with_one_bad_address_is_refused_and_nobody_is_called(
    found: list[str], dev: bool
):
    names = Names(evil_example=found)
    async with PeerClient(lookup=names, dev=dev) as client:
        problem = await refusal(client, "https://evil.example:8443/path")
    assert (problem.code, problem.params) == ("delivery-address-refused", {"host": "evil.example"})
    assert names.asked == ["evil.example"]


@pytest.mark.parametrize("found", [["8.8.8.8"], ["127.0.0.1", "10.0.0.1"], ["::ffff:8.8.8.8"]])
async def test_localhost_is_this_machine_or_nothing(found: list[str]):
    async with PeerClient(lookup=Names(localhost=found), dev=True) as client:
        assert (await refusal(client, "http://localhost:8080/")).code == "delivery-address-refused"


async def test_the_connection_goes_to_the_address_that_was_checked(serve: Serve):
    """A name that answers differently the second time (rebinding) is asked once only."""
    peer = await serve(answer(b"pinned"))
    names = Names(localhost=["127.0.0.1"])
    async with PeerClient(lookup=names, dev=True) as client:
        assert (await client.get(peer.url)).body == b"pinned"
        names.names["localhost"] = ["10.0.0.1"]
        assert (await client.get(peer.url)).body == b"pinned"
    assert names.asked == ["localhost"]


async def test_an_unknown_name_is_unreachable():
    async with PeerClient(lookup=Names(), dev=True) as client:
        assert (await refusal(client, "https://nobody.example/")).code == "delivery-unreachable"
        names = Names(empty_example=[])
        async with PeerClient(lookup=names) as other:
            assert (await refusal(other, "https://empty.example/")).code == "delivery-unreachable"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://127.0.0.1:8443/", "delivery-address-refused"),
        ("https://[::1]:8443/", "delivery-address-refused"),
        ("https://[::ffff:7f00:1]/", "delivery-address-refused"),
        ("http://example.org/", "delivery-scheme"),
        ("https://2130706433/", "delivery-url-invalid"),
        ("https://example.org:25/", "delivery-port"),
        ("https://localhost:8443/", "delivery-address-refused"),
    ],
)
async def test_outside_development_nothing_local_is_reached(url: str, code: str):
    async with PeerClient() as client:
        assert (await refusal(client, url)).code == code


async def test_the_last_gate_checks_the_socket_itself(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
):
    """Should both checks before it be fooled, the connection is still refused."""
    peer = await serve(answer(b"inner secrets"))
    target = egress.Target("https", "127.0.0.1", peer.port, None)
    monkeypatch.setattr(egress, "check_url", lambda *_, **__: target)
    async with PeerClient() as client:
        problem = await refusal(client, f"http://127.0.0.1:{peer.port}/")
    assert problem.code == "delivery-address-refused"
    assert peer.connections == 0


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for `peer.example`, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("peer.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "peer.pem"
    path.write_bytes(
        made.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path


async def test_https_is_verified_by_name_and_authority(serve: Serve, certificate: Path):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    peer = await serve(answer(b"over tls"), context)
    trust = ssl.create_default_context(cafile=str(certificate))
    private = egress.networks(["127.0.0.0/8"])
    names = Names(peer_example=["127.0.0.1"], other_example=["127.0.0.1"])
    url = f"https://peer.example:{peer.port}/path"
    async with PeerClient(private=private, lookup=names, trust=trust) as client:
        assert (await client.get(url)).body == b"over tls"
        other = f"https://other.example:{peer.port}/path"
        assert (await refusal(client, other)).code == "delivery-tls"
    async with PeerClient(private=private, lookup=names) as client:
        assert (await refusal(client, url)).code == "delivery-tls"
    async with PeerClient(lookup=names, trust=trust, dev=True) as client:
        assert (await refusal(client, url)).code == "delivery-address-refused"
    assert len(peer.requests) == 1


async def test_a_peer_without_tls_gets_nothing_over_https(serve: Serve):
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer())

    peer = await serve(plain, None, b"HTTP/1.1 400 no TLS here\r\n\r\n")
    async with PeerClient(private=egress.networks(["127.0.0.0/8"])) as client:
        assert (await refusal(client, peer.url)).code == "delivery-scheme"
        problem = await refusal(client, f"https://127.0.0.1:{peer.port}/path")
    assert problem.code == "delivery-tls"


async def test_requests_to_one_peer_wait_for_a_place(serve: Serve):
    here, most, gate = 0, 0, asyncio.Event()

    async def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal here, most
        here += 1
        most = max(most, here)
        if here == 3:
            gate.set()
        await gate.wait()
        here -= 1
        writer.write(answer())
        await writer.drain()

    peer = await serve(count)
    async with PeerClient(dev=True, per_peer=3) as client:
        await asyncio.gather(*(client.get(peer.url) for _ in range(12)))
    assert most == 3
    assert len(peer.requests) == 12


async def test_it_never_uses_another_transport(client: PeerClient, monkeypatch: Any, serve: Serve):
    def never(*_: object, **__: object) -> None:
        raise AssertionError("httpx's own transport or client was used")

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "__init__", never)
    monkeypatch.setattr(httpx.AsyncClient, "__init__", never)
    peer = await serve(answer())
    async with PeerClient(dev=True) as fresh:
        for each in (client, fresh):
            assert (await each.get(peer.url)).status == 200


async def test_it_is_used_between_start_and_close_only():
    client = PeerClient(dev=True)
    with pytest.raises(RuntimeError):
        await client.get("http://localhost:8080/")
    await client.start()
    await client.start()
    await client.close()
    await client.close()
    with pytest.raises(RuntimeError):
        await client.get("http://localhost:8080/")


async def test_a_cancelled_request_hangs_up(client: PeerClient, serve: Serve):
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        arrived.set()
        await reader.read()
        gone.set()

    peer = await serve(wait)
    task = asyncio.create_task(client.get(peer.url))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone.wait()


def test_the_default_trust_is_a_verifying_one():
    context = httpx.create_ssl_context(trust_env=False)
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
