"""The fixtures themselves: a still clock, repeatable identifiers, loopback only."""

import asyncio
import socket
from datetime import timedelta

import httpx
import pytest

from tests.support.clock import START, ManualClock
from tests.support.ids import SeededIds


def test_the_clock_stands_still_until_moved(clock: ManualClock):
    assert clock.now() == clock.now() == START
    assert clock.advance(90) == START + timedelta(seconds=90)
    clock.set(START)
    assert clock.now() == START


def test_the_clock_refuses_an_instant_without_zone(clock: ManualClock):
    with pytest.raises(ValueError, match="time zone"):
        clock.set(START.replace(tzinfo=None))


def test_ids_repeat_by_seed_and_never_meet(ids: SeededIds):
    again = SeededIds()
    first = [ids.uuid() for _ in range(50)]
    assert first == [again.uuid() for _ in range(50)]
    assert len(set(first)) == 50
    assert set(first).isdisjoint(SeededIds("other").uuid() for _ in range(50))
    assert len(ids.token(40)) == 40


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.org", 80), ("::ffff:8.8.8.8", 1)])
def test_sockets_stay_on_loopback(address: tuple[str, int]):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with (
        socket.socket(family, socket.SOCK_DGRAM) as sock,
        pytest.raises(PermissionError, match="loopback"),
    ):
        sock.connect(address)


def test_no_name_server_is_asked():
    with pytest.raises(socket.gaierror, match="name server"):
        socket.getaddrinfo("example.org", 443)
    assert socket.getaddrinfo("localhost", 443)
    assert socket.getaddrinfo("192.0.2.1", 443)


def test_loopback_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


async def test_http_clients_stay_on_loopback_too():
    async with httpx.AsyncClient() as client:
        with pytest.raises((PermissionError, httpx.ConnectError)):
            await client.get("http://192.0.2.1/")
    with pytest.raises(PermissionError, match="loopback"):
        await asyncio.get_running_loop().create_connection(asyncio.Protocol, "192.0.2.1", 80)
