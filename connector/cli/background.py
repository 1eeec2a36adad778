"""`preau serve --background`: a node that goes on after the command that started it.

For trying things and for scripts; on a server, the service manager does this (docs/operating.md).
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connector.base import settings as configuration
from connector.cli.client import Client
from connector.store.lock import NodeLock
from policies.problem import Problem

LOG: Final = "serve.log"
READY_SECONDS: Final = 60.0
_BETWEEN_QUESTIONS: Final = 0.05
_TAIL: Final = 600


@dataclass(frozen=True, slots=True)
class Started:
    """A node that is ready."""

    pid: int
    url: str
    log: Path


def start(folder: Path) -> Started:
    """Run `preau serve` in a session of its own; return when the node is ready.

    Raises:
        Problem: `settings-…`, `store-node-running`, `cli-serve-ended` (with the end of its log),
            `cli-serve-slow`.
    """
    checked = configuration.read(folder)
    with NodeLock(folder):
        pass  # else the answer of a node that runs already would be taken for this one's
    log = folder / LOG
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as output:
        begun = output.tell()
        process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
            [sys.executable, "-m", "connector.cli", "serve", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _wait(process, Client(f"http://{checked.listen.management}", "anybody"), folder, begun)
    # It is not ours to wait for any more.
    process.returncode = 0
    return Started(process.pid, checked.node.public_url, log)


def _wait(process: subprocess.Popen[bytes], health: Client, folder: Path, begun: int) -> None:
    """Ask until the node is ready; between two questions, wait for its end."""
    log = str(folder / LOG)
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            status = process.wait(timeout=_BETWEEN_QUESTIONS)
        except subprocess.TimeoutExpired:
            if _ready(health):
                return
            continue
        with (folder / LOG).open("rb") as said:
            said.seek(begun)
            fault = said.read().decode("utf-8", "replace").strip()[-_TAIL:]
        raise Problem("cli-serve-ended", folder=str(folder), status=status, fault=fault, log=log)
    process.terminate()
    raise Problem("cli-serve-slow", folder=str(folder), seconds=int(READY_SECONDS), log=log)


def _ready(health: Client) -> bool:
    try:
        return bool(health.get("/health/ready")["status"] == "ready")
    except Problem:
        return False  # not listening yet
