"""A PostgreSQL server of the tests' own: Debian's programs, a folder under /tmp, a free port.

It starts when the first test asks for it and ends with the test run. Nothing of it survives, so it
need not write to the disk before it answers (`fsync=off`); tests that kill *nodes* lose nothing by
that.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

_FAST = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60"),
    # Nothing here lives long enough to be swept, compiled or replicated.
    *("autovacuum=off", "jit=off", "wal_level=minimal", "max_wal_senders=0"),
)


@dataclass(slots=True)
class Server:
    """A running server; `database` makes a new one in it."""

    port: int
    _names: Iterator[int] = field(default_factory=count)

    def database(self, template: str = "template0") -> str:
        """The URL of a new database, a copy of another one."""
        name = f"node{next(self._names)}"
        with self.admin() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def admin(self) -> "psycopg.Connection[tuple[object, ...]]":
        """A session of the server's owner."""
        return psycopg.connect(self.url("postgres"), autocommit=True)


def programs() -> Path | None:
    """Debian's newest PostgreSQL, if one is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: p.parts[-3])
    return found[-1].parent if found else None


@contextmanager
def running() -> Iterator[Server]:
    """A server, for as long as it is used; the test is skipped where none is installed."""
    place = programs()
    if place is None:
        if os.environ.get("PREAU_REQUIRE_TEST_DATA"):
            pytest.fail("PostgreSQL is not installed: the package is 'postgresql'")
        pytest.skip("PostgreSQL is not installed")
    base = Path(tempfile.mkdtemp(prefix="preau-pg-", dir="/tmp"))
    # The server refuses to run as root; Debian's package has made a user for it.
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        owner = pwd.getpwnam(user)
        os.chown(base, owner.pw_uid, owner.pw_gid)
    try:
        _run(place / "initdb", base, user)
        port = _free_port()
        options = ["-p", str(port), *(word for each in _FAST for word in ("-c", each))]
        server = subprocess.Popen(
            [*(place / "postgres", "-D", base / "data", "-k", base, "-h", "127.0.0.1"), *options],
            cwd=base,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            made = Server(port)
            _await(made)
            yield made
        finally:
            server.send_signal(2)
            server.wait()
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _run(program: Path, base: Path, user: str | None) -> None:
    command: list[str | Path] = [
        program,
        "-D",
        base / "data",
        "-U",
        "postgres",
        "-A",
        "trust",
        "-N",
    ]
    subprocess.run(
        [*command, "-E", "UTF8", "--locale=C.UTF-8"],
        cwd=base,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(server: Server) -> None:
    for _ in range(600):
        try:
            server.admin().close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("PostgreSQL does not start")
