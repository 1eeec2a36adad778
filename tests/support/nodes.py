"""Nodes as real processes on loopback, and two of them that know each other.

Commands run through the command line's own application, in this process (`preau`); nodes are
processes of their own, which tests stop, kill and start again on the same folder and ports.
Nothing here sleeps: a wait is a question put to the node, or a wait for its end.
"""

import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from typer.testing import CliRunner

from connector.cli.client import Client
from connector.cli.main import app, hoist
from tests.support import traces
from tests.support.source import ROOT

Json = dict[str, Any]

READY_QUESTIONS: Final = 3000
BETWEEN_QUESTIONS: Final = 0.02
# Seconds that something may take at most. Nothing waits so long on a machine that does its work;
# several test processes side by side on few cores may be late.
STOP_SECONDS: Final = 60.0
WAIT: Final = 120
# Below those that the system gives to outgoing connections. Of several test processes side by
# side, each has ports of its own: the port of a node that is down must stay free for it.
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS: Final = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_PORTS: Final = range(20_000, 32_000)[_WORKER * 12_000 // _WORKERS :][: 12_000 // _WORKERS]
_ports = itertools.islice(itertools.cycle(_PORTS), os.getpid() * 97 % len(_PORTS), None)


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document of `--json`."""
        return json.loads(self.out)


def preau(*arguments: str | Path | None) -> Done:
    """Run a command as typed; its exit code and what it said."""
    words = [str(one) for one in arguments if one is not None]
    done = CliRunner().invoke(app, hoist(words), prog_name="preau")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


def free_port() -> int:
    """A port nobody listens on; another one at every call."""
    for port in itertools.islice(_ports, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


@dataclass(slots=True)
class NodeProcess:
    """One node: its folder and ports for good, its process while it runs."""

    folder: Path
    public: int
    management: int
    did: str
    process: subprocess.Popen[bytes] | None = None
    _tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    def init(cls, folder: Path, store: str | None = None, **release: int) -> "NodeProcess":
        """Make a node with `preau init --dev`; `release` goes into `[release]` of its TOML."""
        public, management = free_port(), free_port()
        done = preau(
            *("init", folder, "--name", folder.name, "--dev", "--json"),
            *("--public-url", f"http://localhost:{public}"),
            *("--management", f"127.0.0.1:{management}"),
            *(("--store", store) if store else ()),
        )
        assert done.code == 0, done
        node = cls(folder, public, management, str(done.document["did"]))
        if release:
            node.configure("release", **release)
        return node

    def at(self, folder: Path) -> "NodeProcess":
        """The same node, not running, in a copy of its folder."""
        shutil.copytree(self.folder, folder)
        return NodeProcess(folder, self.public, self.management, self.did, None, dict(self._tokens))

    def configure(self, table: str, **members: object) -> None:
        """Add a table to the node's TOML."""
        lines = [f"{name} = {json.dumps(value)}" for name, value in members.items()]
        with (self.folder / "preau.toml").open("a", encoding="utf-8") as settings:
            settings.write("\n".join(["", f"[{table}]", *lines, ""]))

    # ------------------------------------------------------------------ life

    @property
    def url(self) -> str:
        """The address other nodes reach."""
        return f"http://localhost:{self.public}"

    @property
    def log(self) -> Path:
        """What the process said, of all its lives."""
        return self.folder.with_name(self.folder.name + ".log")

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def begin(self, *options: str) -> None:
        """Start the process; with options, through `tests.support.runner`."""
        module = ["-m", "tests.support.runner"] if options else ["-m", "connector.cli", "serve"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *module, str(self.folder), *options],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def start(self, *options: str) -> "NodeProcess":
        """Start the process and wait until it is ready."""
        self.begin(*options)
        return self.ready()

    def ready(self, path: str = "/health/ready") -> "NodeProcess":
        """Wait until the node says it is ready; between two questions, wait for its end."""
        for _ in range(READY_QUESTIONS):
            if self.healthy(path):
                return self
            if self.ended(BETWEEN_QUESTIONS) is not None:
                raise AssertionError(f"{self.folder.name} ended: {self.said()[-2000:]}")
        raise AssertionError(f"{self.folder.name} is not ready: {self.said()[-2000:]}")

    def healthy(self, path: str = "/health/ready") -> bool:
        """Whether the node says yes at an address of its health."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.management, timeout=10)) as ask:
            try:
                ask.request("GET", path)
                return ask.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False

    def ended(self, seconds: float) -> int | None:
        """The exit code, waiting so long for it; None while the process lives."""
        assert self.process is not None
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def killed(self) -> "NodeProcess":
        """Wait until the process has killed itself, as its failpoint asks."""
        code = self.ended(WAIT)
        assert code == -signal.SIGKILL, f"not killed ({code}): {self.said()[-2000:]}"
        return self

    def kill(self) -> None:
        """End it by SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int | None:
        """End it by SIGTERM; its exit code, None when it did not run."""
        if self.process is None or self.process.poll() is not None:
            return None
        self.process.terminate()
        code = self.ended(STOP_SECONDS)
        if code is None:
            self.kill()
            raise AssertionError(f"{self.folder.name} did not stop: {self.said()[-2000:]}")
        return code

    def said(self) -> str:
        """Its log lines."""
        return self.log.read_text("utf-8") if self.log.exists() else ""

    # ------------------------------------------------------------------ people

    def token(self, role: str) -> str:
        """The token of a person of that role, made on first use."""
        if role not in self._tokens:
            secret = (self.folder / "tokens" / "operator").read_text("ascii").strip()
            if role != "operator":
                operator = Client(f"http://127.0.0.1:{self.management}", secret)
                secret = operator.post("/v1/tokens", {"name": role, "role": role})["token"]
                path = self.folder / "tokens" / role
                path.touch(mode=0o600)
                path.write_text(secret, "ascii")
            self._tokens[role] = secret
        return self._tokens[role]

    def client(self, role: str = "operator") -> Client:
        """The management API as a person of that role."""
        return Client(f"http://127.0.0.1:{self.management}", self.token(role))

    def run(self, *arguments: str | Path | None, role: str = "operator") -> Done:
        """A command against this node, with `--json`."""
        self.token(role)
        who = ("--token-file", self.folder / "tokens" / role)
        return preau(*arguments, "--node", self.folder, *who, "--json")

    def must(self, *arguments: str | Path | None, role: str = "operator") -> Any:
        """The document of a command that must succeed."""
        done = self.run(*arguments, role=role)
        assert done.code == 0, done
        return done.document

    def negotiation(self, pid: str | None = None, until: str | None = None) -> Json:
        """A negotiation (the newest by default), waiting for a state if asked to."""
        client = self.client()
        # A request that was just sent may still be on its way: the list waits for the first.
        pid = pid or str(client.get("/v1/negotiations", wait=WAIT)[0]["pid"])
        found: Json = client.get(
            f"/v1/negotiations/{pid}", wait=WAIT if until else None, until=until
        )
        assert until in {None, "SETTLED", found["state"]}, (found["state"], found["reasons"])
        return found

    def awaiting(self, role: str) -> str:
        """The pid of the negotiation that waits for this role, once there is one."""
        client = self.client()
        for _ in range(READY_QUESTIONS):
            for found in client.get("/v1/negotiations"):
                if found["awaiting"][:1] == [role]:
                    return str(found["pid"])
            assert self.ended(BETWEEN_QUESTIONS) is None, self.said()[-2000:]
        raise AssertionError(f"nothing waits for {role}")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the database, read beside the node."""
        path = self.folder / "preau.sqlite"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()


@dataclass(slots=True)
class Two:
    """A platform that publishes and a lab that asks; each knows the other."""

    platform: NodeProcess
    lab: NodeProcess

    @property
    def both(self) -> tuple[NodeProcess, NodeProcess]:
        """Provider first."""
        return self.platform, self.lab

    @property
    def dataset(self) -> str:
        """The address of the dataset that `publish` makes by default."""
        return f"{self.platform.url}/datasets/traces"

    @classmethod
    def make(cls, folder: Path, **release: int) -> "Two":
        """Make two nodes, which do not run and do not know each other yet."""
        folder.mkdir(exist_ok=True)
        platform = NodeProcess.init(folder / "platform", None, **release)
        return cls(platform, NodeProcess.init(folder / "lab"))

    def meet(self) -> "Two":
        """Let each know the other."""
        self.platform.must("peer", "add", self.lab.did, "--group", "labs")
        self.lab.must("peer", "add", self.platform.did)
        return self

    def at(self, folder: Path) -> "Two":
        """The same nodes, not running, in copies of their folders: on the same ports."""
        folder.mkdir(exist_ok=True)
        return Two(*(node.at(folder / node.folder.name) for node in self.both))

    def start(self, platform: Sequence[str] = (), lab: Sequence[str] = ()) -> "Two":
        """Start both (with options for the runner) and wait until both are ready."""
        for node, options in zip(self.both, (platform, lab), strict=True):
            if not node.running:
                node.begin(*options)
        for node in self.both:
            node.ready()
        return self

    def stop(self) -> None:
        """End both by SIGTERM."""
        for node in self.both:
            if node.running and node.process is not None:
                node.process.terminate()
        for node in self.both:
            node.stop()

    def kill(self) -> None:
        """End whatever runs by SIGKILL."""
        for node in self.both:
            if node.running:
                node.kill()

    def publish(self, rows: list[Json] | None = None, **about: Any) -> Json:
        """Publish generated traces at the platform and import the learners' consents."""
        folder = self.platform.folder.parent
        name = about.get("id", "traces")
        data, declared = folder / f"{name}.jsonl", folder / f"{name}.toml"
        rows = traces.statements() if rows is None else rows
        data.write_bytes(traces.lines(rows))
        declared.write_text(traces.about(**about), "utf-8")
        made: Json = self.platform.must("dataset", "add", data, "--about", declared)
        return made

    def consent(self, names: Sequence[str]) -> Json:
        """Import what these learners said about the lab."""
        path = self.platform.folder.parent / "consents.csv"
        path.write_text(traces.consent_file(names, self.lab.did), "utf-8")
        made: Json = self.platform.must("consent", "import", path, role="dpo")
        return made

    def ask(self, dataset: str | None = None, **changes: Any) -> Json:
        """The lab asks; what it knows right after."""
        path = self.lab.folder.parent / "application.json"
        path.write_text(json.dumps(traces.application(**changes)), "utf-8")
        asked = dataset or self.dataset
        made: Json = self.lab.must("request", asked, "--application", path, role="researcher")
        return made

    def agree(self, dataset: str | None = None, *, dpo: bool = False) -> str:
        """Negotiate to the end (through the DPO's approval if asked to); the agreement's id."""
        pid = self.ask(dataset)["pid"]
        if dpo:
            waiting = self.platform.awaiting("dpo")
            self.platform.must(
                *("negotiation", "decide", waiting, "--as", "dpo", "--approve"), role="dpo"
            )
        return str(self.lab.negotiation(pid, until="FINALIZED")["agreement"])


@contextmanager
def alive(nodes: Two) -> Iterator[Two]:
    """Two nodes that are ended whatever happens."""
    try:
        yield nodes
    finally:
        nodes.kill()


@contextmanager
def two(folder: Path, **release: int) -> Iterator[Two]:
    """Two running nodes that know each other."""
    with alive(Two.make(folder, **release)) as made:
        yield made.start().meet()
