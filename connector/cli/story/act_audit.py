"""Act 8: both nodes stop; what they left is checked by somebody who trusts neither."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from catalog import proofs
from connector.base.ids import SystemIds
from connector.cli.client import segment
from connector.cli.story import nodes, tamper
from connector.cli.story.facts import Said
from connector.cli.story.scene import Json, Scene
from connector.cli.story.tamper import FORGERIES, Means
from connector.evidence.report import Report
from connector.evidence.verify import verify
from connector.identity.keys import KeyRing


def remember_checkpoint(scene: Scene) -> None:
    """Keep a checkpoint of the platform's log from before the story: an old one, but genuine."""
    scene.old_checkpoint = scene.public(scene.platform, "/log/checkpoint")


def play(scene: Scene) -> None:
    """Take the bundles, stop the nodes, verify offline, then try to get forgeries through."""
    with scene.act(8, "audit", "L'audit, nœuds arrêtés", "The audit, nodes stopped"):
        _take(scene)
        codes = nodes.stop([scene.platform, scene.lab])
        scene.board.note(("nœuds arrêtés proprement", "nodes stopped cleanly"), [0, 0], codes)
        scene.board.note(
            ("nœuds qui répondent encore", "nodes still answering"), 0, _answering(scene)
        )
        _verify(scene)
        _forge(scene)


def _take(scene: Scene) -> None:
    scene.folders.bundles.mkdir(exist_ok=True)
    for node in (scene.platform, scene.lab):
        scene.voice.command(node, f"audit bundle {scene.agreement} --out bundles/{node.name}.zip")
        path = f"/v1/agreements/{segment(scene.agreement)}/bundle"
        node.who("auditor").download(path, scene.folders.bundles / f"{node.name}.zip")


def _answering(scene: Scene) -> int:
    """How many of the four ports still accept a connection."""
    open_ports = 0
    for node in (scene.platform, scene.lab):
        for port in (node.ports.public, node.ports.management):
            with socket.socket() as probe:
                open_ports += probe.connect_ex(("127.0.0.1", port)) == 0
    return open_ports


def _verify(scene: Scene) -> None:
    """Once as the auditor types it, in a process of its own; once for the lab's bundle, here."""
    for node in (scene.platform, scene.lab):
        bundle = scene.folders.bundles / f"{node.name}.zip"
        scene.voice.say(f"  $ preau audit verify bundles/{node.name}.zip --files received")
        if node is scene.platform:
            code, report = _run(bundle, scene.folders.received)
            ok = code == 0 and report.get("ok") is True
            verdict = (str(report["verdict"]["fr"]), str(report["verdict"]["en"]))
        else:
            found = verify(bundle, files=scene.folders.received)
            ok, verdict = found.ok, (found.verdict("fr"), found.verdict("en"))
        scene.board.judge(
            (f"dossier de preuves : {node.name}", f"evidence bundle: {node.name}"),
            ("valide", "valid"),
            verdict,
            ok=ok,
        )


def _run(bundle: Path, received: Path) -> tuple[int, Json]:
    """`preau audit verify` as a process: exit code and report."""
    done = subprocess.run(  # noqa: S603  (our own interpreter and module)
        [
            *(sys.executable, "-m", "connector.cli", "audit", "verify", str(bundle)),
            *("--files", str(received), "--json"),
        ],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        said = done.stderr.decode("utf-8", "replace").strip()[-300:]
        return done.returncode or 1, {"ok": False, "verdict": {"fr": said, "en": said}}


def _forge(scene: Scene) -> None:
    """Each forgery must fail for a reason of its own, not for its packaging."""
    bundle = scene.folders.bundles / "platform.zip"
    means = Means(_signer(scene), scene.old_checkpoint, scene.folders.received)
    with TemporaryDirectory(prefix="preau-forged-") as folder:
        for forgery in FORGERIES:
            forged = Path(folder) / f"{forgery.key}.zip"
            tamper.forge(bundle, forgery, means, forged)
            report = verify(forged, files=scene.folders.received)
            _caught(scene, forgery.name, forgery.caught_by, report)
        files = Path(folder) / "received"
        copytree(scene.folders.received, files)
        data = files / "data.ndjson"
        content = data.read_bytes()
        data.write_bytes(content + content.splitlines(keepends=True)[-1])
        name = ("une ligne ajoutée aux données reçues", "a row added to the received data")
        _caught(scene, name, frozenset({"files"}), verify(bundle, files=files))


def _caught(scene: Scene, name: Said, by: frozenset[str], report: Report) -> None:
    wrong = [check for check in report.failures if check.name in by]
    shown = wrong[0] if wrong else None
    scene.board.judge(
        (f"falsification : {name[0]}", f"forgery: {name[1]}"),
        ("détectée", "caught"),
        (
            f"{shown.name} : {shown.fr}" if shown else "passée",
            f"{shown.name}: {shown.en}" if shown else "passed",
        ),
        ok=bool(wrong),
    )


def _signer(scene: Scene) -> tamper.Sign:
    """The platform's own assertion key, read from its folder: the forger is the node itself."""
    ring = KeyRing.load(scene.platform.folder / "keys")
    method = f"{scene.platform.did}#{ring.fragment('assertion')}"
    ids, clock = SystemIds(), scene.clock

    def sign(document: Json) -> Json:
        return dict(
            proofs.sign(
                document,
                sign=ring.sign_assertion,
                method=method,
                created=clock.now().replace(microsecond=0),
                proof_id=ids.uuid(),
            )
        )

    return sign
