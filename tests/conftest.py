"""Fixtures of every test, and the rules no test can leave: loopback only, same run twice."""

import gc
import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import postgres as postgresql
from tests.support import report
from tests.support.clock import ManualClock
from tests.support.ids import SeededIds

# Same examples in every run and no time limit: a loaded machine must not fail a test.
# `pytest --hypothesis-profile=full` looks harder.
settings.register_profile(
    "preau",
    derandomize=True,
    deadline=None,
    max_examples=30,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("full", deadline=None, max_examples=2000)
settings.load_profile("preau")


# Files that take longest. Where several processes share the tests, file by file, these begin, so
# that none is left alone with one of them at the end.
_LONG = (
    "tests/simulation/test_simulation.py",
    "tests/real/test_kills.py",
    "tests/real/test_kills_people.py",
    "tests/real/test_demo.py",
    "tests/conformance/dsp/test_negotiation.py",
    "tests/conformance/dsp/test_transfer.py",
    "tests/conformance/test_schemathesis.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; within a file, and among the others, the order stays."""

    def rank(item: pytest.Item) -> int:
        name = item.nodeid.partition("::")[0]
        return _LONG.index(name) if name in _LONG else len(_LONG)

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """What collecting made lives as long as the run: the garbage collector need not look at it
    again, and looks for cycles as seldom as a node does (`connector.runtime`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker left for the end of the run."""
    report.fetch(node)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The report on size under the results, when its test ran."""
    line = report.left(config)
    if line:
        terminalreporter.write_line(line)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test moves."""
    return ManualClock()


@pytest.fixture
def ids() -> SeededIds:
    """Identifiers that are the same in every run."""
    return SeededIds()


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql.Server]:
    """A PostgreSQL server for the whole run; tests that ask for it are skipped without one."""
    with postgresql.running() as server:
        yield server


@pytest.fixture(scope="session")
def official() -> Callable[[str], Path]:
    """Finds official material (schemas, vectors, traces) under PREAU_TEST_DATA.

    `official("xapi/x.jsonl.gz")` is a path. The project ships none of it: without the variable
    the test is skipped, and with PREAU_REQUIRE_TEST_DATA=1 that skip is a failure.
    """

    def find(path: str) -> Path:
        root = os.environ.get("PREAU_TEST_DATA")
        if root and (Path(root) / path).exists():
            return Path(root).resolve() / path
        reason = f"{path} is not in PREAU_TEST_DATA" if root else "PREAU_TEST_DATA is not set"
        if os.environ.get("PREAU_REQUIRE_TEST_DATA") == "1":
            pytest.fail(f"{reason}, and PREAU_REQUIRE_TEST_DATA=1 asks for it", pytrace=False)
        pytest.skip(reason)

    return find


@pytest.fixture(scope="session", autouse=True)
def _statements_prepared_once() -> Iterator[None]:
    """Where a test has anything to do with a store: its statements are checked once per schema."""
    if "connector.store.sqlite" not in sys.modules:
        yield
        return
    from tests.support import databases

    with databases.prepared_once():
        yield


def _is_loopback(host: str) -> bool:
    """Whether a host, by name or number, is this machine and needs no name server to be found."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _check(sock: socket.socket, address: object) -> None:
    """Refuse an address beyond this machine; sockets that are no network may do as they like."""
    is_network = sock.family in (socket.AF_INET, socket.AF_INET6)
    if is_network and isinstance(address, tuple) and not _is_loopback(str(address[0])):
        raise PermissionError(f"tests stay on loopback; this one tried to reach {address!r}")


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """No test of this process reaches beyond loopback or asks a name server; attempts are named."""
    plain = socket.socket
    connect, connect_ex, sendto = plain.connect, plain.connect_ex, plain.sendto
    getaddrinfo = socket.getaddrinfo

    def guarded_connect(sock: socket.socket, address: Any) -> None:
        _check(sock, address)
        connect(sock, address)

    def guarded_connect_ex(sock: socket.socket, address: Any) -> int:
        _check(sock, address)
        return connect_ex(sock, address)

    def guarded_sendto(sock: socket.socket, *arguments: Any) -> int:
        _check(sock, arguments[-1])
        return sendto(sock, *arguments)

    def guarded_getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        name = host.decode("ascii") if isinstance(host, bytes) else host
        if name and not _is_loopback(name) and not _is_number(name):
            raise socket.gaierror(socket.EAI_NONAME, f"tests ask no name server (for {name!r})")
        return getaddrinfo(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "connect", guarded_connect)
        patch.setattr(plain, "connect_ex", guarded_connect_ex)
        patch.setattr(plain, "sendto", guarded_sendto)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield
