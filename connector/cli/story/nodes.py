"""Nodes as separate processes of the operating system, started and stopped as anybody would.

`preau init` and `preau serve` run through `python -m connector.cli` with this very interpreter.
A process starts in a session of its own, so that it can outlive the demo (`--keep`) and no Ctrl-C
meant for the demo reaches it; the demo ends what it started.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from connector.cli.client import ApiProblem, Client
from connector.cli.story.facts import cpu_seconds, resident_mb
from policies.problem import Language, Problem

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
_BETWEEN_QUESTIONS: Final = 0.02
_COMMAND: Final = (sys.executable, "-m", "connector.cli")
_TAIL: Final = 600


@dataclass(frozen=True, slots=True)
class Ports:
    """Two free ports of the loopback address."""

    public: int
    management: int


@dataclass(slots=True)
class Node:
    """One node: its folder, its addresses, and its process while it runs."""

    name: str
    folder: Path
    ports: Ports
    did: str
    log: Path
    process: subprocess.Popen[bytes] | None = None
    ready_cpu: float | None = None
    _clients: dict[str, Client] = field(default_factory=dict)

    @property
    def public(self) -> str:
        """The address other nodes reach."""
        return f"http://localhost:{self.ports.public}"

    @property
    def management(self) -> str:
        """The address of this institution's own people."""
        return f"http://127.0.0.1:{self.ports.management}"

    @property
    def pid(self) -> int:
        """The process, 0 while there is none."""
        return self.process.pid if self.process else 0

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def who(self, role: str) -> Client:
        """The management API as the person of a role, whose token is made on first use."""
        if role not in self._clients:
            secret = (self.folder / "tokens" / "operator").read_text("ascii").strip()
            operator = Client(self.management, secret)
            if role != "operator":
                made = operator.post("/v1/tokens", {"name": f"{role} (demo)", "role": role})
                secret = made["token"]
                path = self.folder / "tokens" / role
                path.touch(mode=0o600)
                path.write_text(secret + "\n", "ascii")
            self._clients[role] = Client(self.management, secret)
        return self._clients[role]

    def resident_mb(self) -> float | None:
        """Resident memory of the process in MB."""
        return resident_mb(self.pid)

    def document(self) -> dict[str, Any]:
        """Addresses for machines."""
        return {
            "name": self.name,
            "did": self.did,
            "public": self.public,
            "management": self.management,
            "folder": str(self.folder),
            "pid": self.pid or None,
        }


def make(root: Path, names: Iterable[tuple[str, str]], lang: Language) -> list[Node]:
    """Run `preau init` for each (folder name, institution name), side by side.

    Raises:
        Problem: `demo-init-failed`.
    """
    begun = [_begin(root / folder, institution, lang) for folder, institution in names]
    ended = [(folder, ports, process, process.communicate()) for folder, ports, process in begun]
    return [
        _made(folder, ports, process.returncode, said) for folder, ports, process, said in ended
    ]


def limit_parts(node: Node, rows: int) -> None:
    """Configure how many rows a part of this node holds at most (FORMATS `[release]`)."""
    path = node.folder / "preau.toml"
    with path.open("a", encoding="utf-8") as settings:
        settings.write(f"\n[release]\nmax_part_rows = {rows}\n")


def start(nodes: Iterable[Node]) -> None:
    """Run `preau serve` for each node and wait until all are ready.

    Raises:
        Problem: `demo-node-ended`, `demo-node-slow`.
    """
    begun = list(nodes)
    for node in begun:
        with node.log.open("ab") as log:
            node.process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                [*_COMMAND, "serve", str(node.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    for node in begun:
        _wait_ready(node)


def run(node: Node, role: str, *arguments: str) -> Any:
    """Run a command as the person of a role types it, in a process of its own; its document.

    Raises:
        Problem: what the command said.
    """
    node.who(role)
    token = str(node.folder / "tokens" / role)
    words = ("--json", "--node", node.management, "--token-file", token, *arguments)
    done = subprocess.run(  # noqa: S603  (our own interpreter and module)
        [*_COMMAND, *words], capture_output=True, check=False, stdin=subprocess.DEVNULL
    )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        fault = done.stderr.decode("utf-8", "replace").strip()[-_TAIL:]
        raise Problem("demo-command-failed", command=" ".join(arguments[:2]), fault=fault) from None
    if done.returncode:
        raise ApiProblem(found)
    return found


def run_all(commands: Iterable[tuple[Node, str, *tuple[str, ...]]]) -> list[Any]:
    """As `run`, side by side: (node, role, arguments …) each; the documents in that order."""
    todo = list(commands)
    for node, role, *_ in todo:
        node.who(role)
    with ThreadPoolExecutor(max_workers=len(todo)) as pool:
        return list(pool.map(lambda one: run(*one), todo))


def stop(nodes: Iterable[Node]) -> list[int]:
    """End the nodes that run, politely, then not; the exit codes of those that ran."""
    ending = [node for node in nodes if node.running]
    for node in ending:
        node.process.send_signal(signal.SIGTERM)  # type: ignore[union-attr]  # it runs
    return [_ended(node) for node in ending]


def ticks() -> int:
    """Clock ticks a second, the unit of processor time under /proc."""
    return os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def _begin(
    folder: Path, institution: str, lang: Language
) -> tuple[Path, Ports, subprocess.Popen[str]]:
    ports = _free_ports()
    arguments = [
        *("init", str(folder), "--name", institution, "--dev", "--json", "--lang", lang),
        *("--public-url", f"http://localhost:{ports.public}"),
        *("--listen", f"127.0.0.1:{ports.public}"),
        *("--management", f"127.0.0.1:{ports.management}"),
    ]
    process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
        [*_COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return folder, ports, process


def _made(folder: Path, ports: Ports, status: int, said: tuple[str, str]) -> Node:
    out, err = said
    try:
        if status:
            raise ValueError
        did = str(json.loads(out)["did"])
    except (ValueError, KeyError):
        fault = (out + err).strip()[-_TAIL:]
        raise Problem("demo-init-failed", node=folder.name, fault=fault) from None
    return Node(folder.name, folder, ports, did, folder.with_name(f"{folder.name}.log"))


def _free_ports() -> Ports:
    """Two ports that nobody listens on now."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        return Ports(one.getsockname()[1], two.getsockname()[1])


def _wait_ready(node: Node) -> None:
    """Ask until the node says it is ready; between two questions, wait for its end."""
    deadline = time.monotonic() + READY_SECONDS
    health = Client(node.management, "anybody")
    while time.monotonic() < deadline:
        try:
            if health.get("/health/ready")["status"] == "ready":
                node.ready_cpu = cpu_seconds(node.pid, ticks())
                return
        except Problem:
            pass  # not listening yet
        try:
            code = node.process.wait(timeout=_BETWEEN_QUESTIONS) if node.process else None
        except subprocess.TimeoutExpired:
            continue
        raise Problem(
            "demo-node-ended", node=node.name, status=code, fault=_tail(node.log), log=str(node.log)
        )
    raise Problem("demo-node-slow", node=node.name, seconds=int(READY_SECONDS), log=str(node.log))


def _ended(node: Node) -> int:
    process = node.process
    if process is None:
        return 0
    try:
        code = process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    node.process = None
    return code


def _tail(log: Path) -> str:
    """The end of a log: the reason stands there."""
    file: IO[bytes]
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        return file.read().decode("utf-8", "replace").strip()
