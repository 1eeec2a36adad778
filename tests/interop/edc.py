"""A real Eclipse EDC 0.14.1 as a process: control plane, data plane, mock identity, all in memory.

The jars come from Maven once (`gather`) and stay in `build/interop`. One `Edc` is one connector
with its own ports; its management API is spoken here in the words of EDC's v3, so that tests read
as what its operator does.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.support.source import ROOT

Json = dict[str, Any]

HERE: Final = Path(__file__).parent / "peer"
BUILD: Final = ROOT / "build" / "interop"
PROTOCOL: Final = "dataspace-protocol-http:2025-1"
EDC_TERMS: Final = "https://w3id.org/edc/v0.0.1/ns/"
ODRL_CONTEXT: Final = "http://www.w3.org/ns/odrl.jsonld"
_SERVICES: Final = "META-INF/services/org.eclipse.edc.spi.system.ServiceExtension"
_START_SECONDS: Final = 120
_PATIENCE: Final = 60.0
_BETWEEN: Final = 0.03
_MAVEN_SECONDS: Final = 900
_MACHINES: Final = (
    "edc.negotiation.consumer",
    "edc.negotiation.provider",
    "edc.transfer",
    "edc.dataplane",
    "edc.data.plane.selector",
    "edc.policy.monitor",
)


# What makes an EDC its own data plane: left out, it needs somebody else's.
_DATA_PLANE: Final = (
    "data-plane-core",
    "data-plane-http",
    "data-plane-iam",
    "data-plane-public-api",
    "data-plane-self-registration",
    "data-plane-signaling-api",
    "dataplane-base-bom",
)


_ports = iter(range(12_000 + os.getpid() * 31 % 4_000, 20_000))


def free_port() -> int:
    """A port that nobody listens on, on any address (an EDC binds all of them)."""
    for port in _ports:
        with socket.socket() as here, socket.socket() as everywhere:
            try:
                here.bind(("127.0.0.1", port))
                here.close()
                everywhere.bind(("", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


def available() -> bool:
    """Whether this machine has what an EDC needs."""
    return all(shutil.which(name) for name in ("java", "javac", "mvn"))


def gather(*, data_plane: bool = True) -> str:
    """The class path of an EDC: its jars from Maven and our extension, made on first use.

    Without `data_plane` it is a control plane only.
    """
    jars, classes = BUILD / "jars", BUILD / "classes"
    if not (jars / ".whole").exists():
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        subprocess.run(
            [*command, f"-DoutputDirectory={jars}"], check=True, timeout=_MAVEN_SECONDS, cwd=HERE
        )
        (jars / ".whole").touch()
    source = HERE / "src" / "preau" / "interop" / "SeededVault.java"
    compiled = classes / "preau" / "interop" / "SeededVault.class"
    if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
        command = ["javac", "-proc:none", "-cp", f"{jars}/*", "-d", str(classes), str(source)]
        subprocess.run(command, check=True, timeout=_MAVEN_SECONDS)
    service = classes / _SERVICES
    service.parent.mkdir(parents=True, exist_ok=True)
    service.write_text("preau.interop.SeededVault\n")
    if data_plane:
        return f"{jars}/*:{classes}"
    kept = (jar for jar in sorted(jars.glob("*.jar")) if not jar.name.startswith(_DATA_PLANE))
    return ":".join([*map(str, kept), str(classes)])


@dataclass(slots=True)
class Edc:
    """One connector: `id` is what it calls itself, `folder` holds its settings and what it said.
    Without `data_plane` it is a control plane, which signals to somebody else's data plane.
    """

    id: str
    folder: Path
    data_plane: bool = True
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def make(
        cls, folder: Path, id: str, *, wait_millis: int = 50, data_plane: bool = True
    ) -> "Edc":
        """Settings and keys of a connector, which does not run yet."""
        names = ("default", "management", "protocol", "control", "version", "public")
        made = cls(id, folder, data_plane, {name: free_port() for name in names})
        folder.mkdir(parents=True, exist_ok=True)
        made._write_keys()
        lines = [f"{name}={value}" for name, value in made._settings(wait_millis).items()]
        (folder / "edc.properties").write_text("\n".join(lines) + "\n")
        return made

    @property
    def dsp(self) -> str:
        """The base of its Dataspace Protocol 2025-1."""
        return f"http://localhost:{self.ports['protocol']}/protocol/2025-1"

    @property
    def control(self) -> str:
        """Its control API: what a data plane registers at and signals to."""
        return f"http://localhost:{self.ports['control']}/control"

    @property
    def management(self) -> str:
        """Its management API."""
        return f"http://localhost:{self.ports['management']}/management"

    @property
    def data(self) -> str:
        """The address of its data plane."""
        return f"http://localhost:{self.ports['public']}/public"

    def start(self) -> "Edc":
        """Start it and wait until it says that it is healthy."""
        command = ["java", "-Xmx512m", f"-Dedc.fs.config={self.folder / 'edc.properties'}"]
        command += ["-cp", gather(data_plane=self.data_plane)]
        command += ["org.eclipse.edc.boot.system.runtime.BaseRuntime"]
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with (self.folder / "edc.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )
        url = f"http://localhost:{self.ports['default']}/api/check/startup"
        self.until(lambda: self._healthy(url), _START_SECONDS)
        return self

    def stop(self) -> None:
        """End it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def until(self, holds: Callable[[], bool], seconds: float, what: str = "") -> None:
        """Ask again and again, which is all that an EDC offers; between two questions, wait for
        its end.

        Raises:
            AssertionError: it did not come true in time, or the EDC ended.
        """
        assert self.process is not None
        for _ in range(int(seconds / _BETWEEN)):
            if holds():
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_BETWEEN)
                raise AssertionError(f"the EDC ended: {self.said()}")
        raise AssertionError(f"not in {seconds} s: {what} {self.said()}")

    def pause(self) -> None:
        """Let it answer nobody: connections are taken, and nothing comes back."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def said(self) -> str:
        """The end of its log."""
        return (self.folder / "edc.log").read_text("utf-8", "replace")[-4000:]

    # ------------------------------------------------------------------ what it offers

    def offer(
        self, asset: str, url: str, constraints: list[Json] | None = None, **more: Any
    ) -> str:
        """Offer what lies at `url` as an asset, under a policy of its own."""
        return self.offer_from(asset, {"type": "HttpData", "baseUrl": url}, constraints, **more)

    def offer_from(
        self, asset: str, address: Json, constraints: list[Json] | None = None, **more: Any
    ) -> str:
        """As `offer`, from a data address that some data plane can read."""
        properties = {"name": asset, "description": "rows of learners", **more}
        self.post("assets", {"@id": asset, "properties": properties, "dataAddress": address})
        permission: Json = {"action": "use"}
        if constraints:
            permission["constraint"] = constraints
        policy = {"@context": ODRL_CONTEXT, "@type": "Set", "permission": [permission]}
        name = f"policy-{asset}"
        self.post("policydefinitions", {"@type": "PolicyDefinition", "@id": name, "policy": policy})
        criterion = {
            "@type": "Criterion",
            "operandLeft": f"{EDC_TERMS}id",
            "operator": "=",
            "operandRight": asset,
        }
        definition = {"accessPolicyId": name, "contractPolicyId": name}
        kind = {"@type": "ContractDefinition", "@id": f"definition-{asset}"}
        self.post("contractdefinitions", {**kind, **definition, "assetsSelector": [criterion]})
        return asset

    def available(self, plane: str) -> None:
        """Wait until the control plane has found a data plane where it was registered."""
        place = f"{self.control}/v1/dataplanes/{plane}"
        self.until(lambda: _json("GET", place, None)["state"] == "AVAILABLE", _PATIENCE)

    # ------------------------------------------------------------------ what it asks for

    def catalog(self, peer: str, url: str) -> Json:
        """A peer's catalog as this EDC hands it to its operator."""
        return dict(self.post("catalog/request", {"@type": "CatalogRequest", **_peer(peer, url)}))

    def dataset(self, peer: str, url: str, dataset: str) -> Json:
        """One dataset of a peer."""
        body = {"@type": "DatasetRequest", "@id": dataset, **_peer(peer, url)}
        return dict(self.post("catalog/dataset/request", body))

    def negotiate(self, peer: str, url: str, dataset: str, offer: Json) -> str:
        """Ask for a dataset under an offer of its catalog; our id of the negotiation."""
        policy = {**offer, "@context": ODRL_CONTEXT, "assigner": peer, "target": dataset}
        body = {"@type": "ContractRequest", **_peer(peer, url), "policy": policy}
        return str(self.post("contractnegotiations", body)["@id"])

    def negotiation(self, ident: str, *states: str) -> Json:
        """A negotiation, once it is in one of these states."""
        return self._reached(f"contractnegotiations/{ident}", states)

    def negotiations(self) -> list[Json]:
        """All negotiations it knows."""
        return self._all("contractnegotiations/request")

    def transfer(self, peer: str, url: str, agreement: str, kind: str, sink: str = "") -> str:
        """Ask for data under an agreement; our id of the transfer."""
        body = {
            "@type": "TransferRequest",
            "contractId": agreement,
            "connectorId": peer,
            "transferType": kind,
            **_peer(peer, url),
        }
        if sink:
            body["dataDestination"] = {"type": "HttpData", "baseUrl": sink}
        return str(self.post("transferprocesses", body)["@id"])

    def transferred(self, ident: str, *states: str) -> Json:
        """A transfer, once it is in one of these states."""
        return self._reached(f"transferprocesses/{ident}", states)

    def transfers(self) -> list[Json]:
        """All transfers it knows."""
        return self._all("transferprocesses/request")

    def act(self, transfer: str, act: str) -> None:
        """Suspend, resume or terminate a transfer."""
        kinds = {"suspend": "SuspendTransfer", "terminate": "TerminateTransfer"}
        body = {"@type": kinds[act], "reason": "as its operator wished"} if act in kinds else {}
        self.post(f"transferprocesses/{transfer}/{act}", body)

    def address(self, transfer: str) -> Json:
        """Where the data of a transfer are, as a started pull left it: stored a little after the
        state.
        """
        seen: list[Json] = []

        def there() -> bool:
            with contextlib.suppress(AssertionError):
                seen[:] = [dict(self._get(f"edrs/{transfer}/dataaddress"))]
            return bool(seen)

        self.until(there, _PATIENCE, f"the address of {transfer}")
        return seen[0]

    # ------------------------------------------------------------------ its management API

    def post(self, path: str, body: Json) -> Any:
        """One request of its operator."""
        return self._ask("POST", path, {"@context": {"@vocab": EDC_TERMS}, **body})

    def _get(self, path: str) -> Any:
        return self._ask("GET", path, None)

    def _all(self, path: str) -> list[Json]:
        found: list[Json] = []
        while True:
            page = self.post(path, {"@type": "QuerySpec", "offset": len(found), "limit": 500})
            found += page
            if len(page) < 500:
                return found

    def _ask(self, method: str, path: str, body: Json | None) -> Any:
        return _json(method, f"{self.management}/v3/{path}", body)

    def _reached(self, path: str, states: tuple[str, ...]) -> Json:
        seen: list[Json] = []

        def there() -> bool:
            seen[:] = [self._get(path)]
            return not states or seen[0]["state"] in states

        try:
            self.until(there, _PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{path} is {seen}, not {states}: {error}") from None
        return seen[0]

    def _healthy(self, url: str) -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bool(json.load(answer)["isSystemHealthy"])
        except (OSError, ValueError, KeyError):
            return False

    def _settings(self, wait_millis: int) -> dict[str, object]:
        paths = {
            "default": "/api",
            "management": "/management",
            "protocol": "/protocol",
            "control": "/control",
            "version": "/version",
            "public": "/public",
        }
        found: dict[str, object] = {
            "edc.participant.id": self.id,
            "edc.component.id": f"{self.id}-1",
            "edc.hostname": "localhost",
            "edc.dsp.callback.address": f"http://localhost:{self.ports['protocol']}/protocol",
            "edc.dataplane.api.public.baseurl": self.data,
            "edc.transfer.proxy.token.signer.privatekey.alias": "private-key",
            "edc.transfer.proxy.token.verifier.publickey.alias": "public-key",
            "preau.vault.private-key": self.folder / "private.pem",
            "preau.vault.public-key": self.folder / "public.pem",
        }
        for name, path in paths.items():
            prefix = "web.http" if name == "default" else f"web.http.{name}"
            found[f"{prefix}.port"], found[f"{prefix}.path"] = self.ports[name], path
        for machine in _MACHINES:
            found[f"{machine}.state-machine.iteration-wait-millis"] = wait_millis
        return found

    def _write_keys(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (self.folder / "private.pem").write_bytes(private)
        (self.folder / "public.pem").write_bytes(public)


def _json(method: str, url: str, body: Json | None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            content = answer.read()
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{url}: {error.code} {error.read().decode()}") from None
    return json.loads(content) if content else None


def _peer(peer: str, url: str) -> Json:
    return {"counterPartyId": peer, "counterPartyAddress": url, "protocol": PROTOCOL}
