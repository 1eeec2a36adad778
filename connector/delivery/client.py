"""The one HTTP client for addresses that others named; the only module that imports one.

`PeerClient` implements `connector.identity.ports.Fetch`. Before a byte is sent, the URL passes
`egress.check_url`; names are resolved by a resolver that checks every address and hands exactly
these to the connector, which asks once more before each socket. It follows no redirect, keeps no
cookie, reads no proxy or netrc of the environment, accepts no compressed body, and counts the
body's bytes as they arrive. Foreign exceptions end here: callers see `Problem` `delivery-…` that
names the host, never a URL, a token or a body.

Requests and answers are httpx's, carried by aiohttp (httpx-aiohttp): httpx's own transport gets
slower with concurrency, so it is never used, not even as a fallback. The transport is driven
directly, without httpx's client around it: what could follow a redirect, keep a cookie or read a
netrc is not switched off but absent, and a quarter of the time per request with it. A client
belongs to the event loop it was started in.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Final, NoReturn, Self

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport

from connector.delivery import egress
from connector.identity.ports import DEFAULT_LIMIT, DEFAULT_TIMEOUT, Response, Write
from policies.problem import Problem

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Resolves (host, port) to the texts of addresses; raises OSError when there is none."""

CONNECT_TIMEOUT: Final = 10.0
# Shorter than servers keep theirs (65 s), so that we hang up first.
KEEP_ALIVE: Final = 50.0
DNS_TTL: Final = 10
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_HEADERS: Final = {"user-agent": "preau", "accept": "*/*", "accept-encoding": "identity"}


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """The machine's own resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def authorities() -> ssl.SSLContext:
    """The public authorities that nodes trust: one list everywhere, whatever a machine adds."""
    return httpx.create_ssl_context(trust_env=False)


class PeerClient:
    """HTTP to peers, guarded. Use as `async with`, or `start` and `close` in the running loop.

    Args:
        private: networks allowed although not public (`[egress] private`).
        dev: allow http, and only to loopback.
        per_peer: connections to one host and port; further requests wait.
        connections: connections in all.
        lookup: resolves names; the machine's resolver unless a test says otherwise.
        trust: certificates to trust, in place of the public authorities.
    """

    def __init__(
        self,
        *,
        private: Sequence[egress.Network] = (),
        dev: bool = False,
        per_peer: int = 16,
        connections: int = 128,
        lookup: Lookup = system_lookup,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._private = tuple(private)
        self._dev = dev
        self._per_peer = per_peer
        self._connections = connections
        self._lookup = lookup
        self._trust = trust
        self._transport: AiohttpTransport | None = None

    async def start(self) -> None:
        """Be ready; must be called in the loop that will use the client."""
        if self._transport is not None:
            return
        trust = self._trust or authorities()
        connector = aiohttp.TCPConnector(
            resolver=_Resolver(self._lookup, self._private, dev=self._dev),
            ttl_dns_cache=DNS_TTL,
            ssl=trust,
            limit=self._connections,
            limit_per_host=self._per_peer,
            keepalive_timeout=KEEP_ALIVE,
            socket_factory=self._socket,
        )
        session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )
        self._transport = AiohttpTransport(verify=trust, client=session, trust_env=False)

    async def close(self) -> None:
        """Hang up; what is in flight fails. May be called twice."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = DEFAULT_LIMIT,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109  (the port's deadline)
    ) -> Response:
        """See `Fetch.get`.

        Raises:
            Problem: `delivery-url-invalid`, `-scheme`, `-port`, `-address-refused` (we do not
                speak to this address), `-unreachable`, `-tls`, `-timeout` (no answer),
                `-garbled`, `-too-large`, `-redirect`, `-encoding` (an answer we do not use).
        """
        return await self._send("GET", url, None, headers, limit, timeout)

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = DEFAULT_LIMIT,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109  (the port's deadline)
    ) -> Response:
        """See `Fetch.post`; raises like `get`. After `-unreachable`, `-timeout` and all answers
        we do not use, whether the peer acted is unknown.
        """
        return await self._send("POST", url, body, headers, limit, timeout)

    async def download(
        self,
        url: str,
        write: Write,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109  (the port's longest silence)
    ) -> Response:
        """See `Fetch.download`; raises like `get`, also for a body that breaks off."""
        target = egress.check_url(url, private=self._private, dev=self._dev)
        request = _request("GET", url, None, headers, timeout)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout) as silence:
                answer = await self._started().handle_async_request(request)
                try:
                    if answer.status_code != _OK:
                        return await _read(answer, target, DEFAULT_LIMIT)
                    found, size = _head(answer, target, limit), 0
                    async for chunk in answer.aiter_raw():
                        size += len(chunk)
                        if size > limit:
                            raise Problem("delivery-too-large", host=target.host, limit=limit)
                        silence.reschedule(None)  # our own disk is not the peer's silence
                        await write(chunk)
                        silence.reschedule(loop.time() + timeout)
                    return Response(answer.status_code, found)
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, aiohttp.ClientError, OSError, ValueError) as error:
            _translate(error, target)

    async def upload(
        self,
        url: str,
        body: AsyncIterator[bytes],
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109  (the port's longest silence)
    ) -> Response:
        """See `Fetch.upload`; raises like `post`, and what `body` raises."""
        target = egress.check_url(url, private=self._private, dev=self._dev)
        loop = asyncio.get_running_loop()
        broken: list[Problem] = []
        try:
            async with asyncio.timeout(timeout) as silence:

                async def pieces() -> AsyncIterator[bytes]:
                    try:
                        silence.reschedule(None)  # making a piece is our time, not the peer's
                        async for piece in body:
                            silence.reschedule(loop.time() + timeout)
                            yield piece
                            silence.reschedule(None)
                    except Problem as problem:
                        broken.append(problem)
                        raise
                    finally:
                        silence.reschedule(loop.time() + timeout)

                request = _request("POST", url, pieces(), headers, timeout)
                answer = await self._started().handle_async_request(request)
                try:
                    return await _read(answer, target, DEFAULT_LIMIT)
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, aiohttp.ClientError, OSError, ValueError) as error:
            if broken:
                raise broken[0] from None
            _translate(error, target)

    def _started(self) -> AiohttpTransport:
        if self._transport is None:
            raise RuntimeError("PeerClient is used before start or after close")
        return self._transport

    async def _send(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        limit: int,
        seconds: float,
    ) -> Response:
        target = egress.check_url(url, private=self._private, dev=self._dev)
        transport = self._started()
        request = _request(method, url, body, headers, seconds)
        try:
            async with asyncio.timeout(seconds):
                answer = await transport.handle_async_request(request)
                try:
                    return await _read(answer, target, limit)
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, aiohttp.ClientError, OSError, ValueError) as error:
            _translate(error, target)

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """The last gate: the very address a socket is about to be connected to."""
        family, kind, protocol, _, address = info
        if not egress.allowed(str(address[0]), private=self._private, loopback=self._dev):
            raise Problem("delivery-address-refused", host=str(address[0]))
        return socket.socket(family, kind, protocol)


class _Resolver(AbstractResolver):
    """Names to addresses, all of them checked: one that is refused refuses the name."""

    def __init__(self, lookup: Lookup, private: Sequence[egress.Network], *, dev: bool) -> None:
        self._lookup = lookup
        self._private = private
        self._dev = dev

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  (aiohttp's signature)
    ) -> list[ResolveResult]:
        # Only `localhost` may be this machine, and it may be nothing else: a name that somebody
        # points at 127.0.0.1 is refused, and so is a localhost that leads elsewhere.
        local = self._dev and host == "localhost"
        private = () if local else self._private
        found: list[ResolveResult] = []
        for text in dict.fromkeys(await self._lookup(host, port)):
            fine = egress.allowed(text, private=private, loopback=local)
            if not fine or (local and not ip_address(text).is_loopback):
                raise Problem("delivery-address-refused", host=host)
            found.append(_result(host, text, port))
        if not found:
            raise OSError("no address")
        return found

    async def close(self) -> None:
        """Nothing to release."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def _request(
    method: str,
    url: str,
    body: bytes | AsyncIterator[bytes] | None,
    headers: Mapping[str, str] | None,
    seconds: float,
) -> httpx.Request:
    given = {name.lower(): text for name, text in (headers or {}).items()}
    phases = {"connect": CONNECT_TIMEOUT, "read": seconds, "write": seconds, "pool": seconds}
    try:
        return httpx.Request(
            method,
            url,
            content=body,
            headers={**_HEADERS, **given},
            extensions={"timeout": phases},
        )
    except httpx.InvalidURL:
        raise Problem("delivery-url-invalid") from None


def _head(answer: httpx.Response, target: egress.Target, limit: int) -> dict[str, str]:
    """The headers of an answer we use, checked before its body is read."""
    status = answer.status_code
    if 300 <= status < 400 and status != _NOT_MODIFIED:
        raise Problem("delivery-redirect", host=target.host, status=status)
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem("delivery-encoding", host=target.host)
    declared = headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > limit:
        raise Problem("delivery-too-large", host=target.host, limit=limit)
    return headers


async def _read(answer: httpx.Response, target: egress.Target, limit: int) -> Response:
    headers = _head(answer, target, limit)
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > limit:
            raise Problem("delivery-too-large", host=target.host, limit=limit)
    return Response(answer.status_code, headers, bytes(body))


def _translate(error: Exception, target: egress.Target) -> NoReturn:
    """Raise the Problem that a foreign exception means; httpx-aiohttp keeps the cause."""
    cause = error if isinstance(error, TimeoutError) else error.__cause__ or error
    if _refused(cause):
        raise Problem(
            "delivery-unreachable", host=target.host, port=target.port, reason="refused"
        ) from None
    if isinstance(cause, TimeoutError):
        code = "delivery-timeout"
    elif isinstance(cause, aiohttp.ClientSSLError | ssl.SSLError):
        raise Problem(
            "delivery-tls", host=target.host, port=target.port, fault=_tls_fault(cause)
        ) from None
    elif isinstance(cause, aiohttp.ClientConnectionError | OSError):
        code = "delivery-unreachable"
    else:
        code = "delivery-garbled"
    raise Problem(code, host=target.host, port=target.port) from None


def _refused(cause: BaseException) -> bool:
    """Whether the host itself said that nothing listens there (no name, no silence, no TLS)."""
    system = cause.os_error if isinstance(cause, aiohttp.ClientConnectorError) else None
    return isinstance(system, ConnectionRefusedError)


def _tls_fault(cause: BaseException) -> str:
    """What TLS found wrong, in the words of the library: of the certificate, or the handshake."""
    inner = getattr(cause, "certificate_error", None) or getattr(cause, "os_error", None) or cause
    said = getattr(inner, "verify_message", None) or getattr(inner, "reason", None)
    return str(said or type(inner).__name__)[:120]
