"""Act 11: the nodes stop; what they left is checked by somebody who trusts none of them."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from catalog import proofs
from connector.base.ids import SystemIds
from connector.cli.client import segment
from connector.cli.story import nodes, tamper
from connector.cli.story.agreeing import compare
from connector.cli.story.deals import TRACES, Deal
from connector.cli.story.facts import Said, short
from connector.cli.story.scene import Json, Scene
from connector.cli.story.tamper import FORGERIES, Means
from connector.evidence.report import Report
from connector.evidence.verify import verify
from connector.identity.keys import KeyRing


def remember_checkpoint(scene: Scene) -> None:
    """Keep a checkpoint of the platform's log from before the story: an old one, but genuine."""
    scene.old_checkpoint = scene.public(scene.platform, "/log/checkpoint")


def take(scene: Scene) -> None:
    """Each party's evidence of each agreement, taken while the nodes run."""
    scene.folders.bundles.mkdir(exist_ok=True)
    for deal in scene.deals.values():
        path = f"/v1/agreements/{segment(deal.agreement)}/bundle"
        for node in deal.parties:
            node.who("auditor").download(path, scene.folders.bundle(deal.key, node))


def play(scene: Scene) -> None:
    """Stop the nodes, verify offline, compare both parties' bundles, then try forgeries."""
    with scene.act(11, "audit", "L'audit, nœuds arrêtés", "The audit, nodes stopped"):
        codes = nodes.stop(scene.nodes)
        scene.board.note(
            ("nœuds arrêtés proprement", "nodes stopped cleanly"), [0, 0, 0], codes, detail=True
        )
        scene.board.note(
            ("nœuds qui répondent encore", "nodes still answering"), 0, _answering(scene)
        )
        checked = [ok for deal in scene.deals.values() for ok in _verify(scene, deal)]
        scene.board.note(
            ("dossiers de preuves valides", "evidence bundles that verify"),
            len(checked),
            sum(checked),
        )
        for deal in scene.deals.values():
            _compare(scene, deal)
        _forge(scene)


def _answering(scene: Scene) -> int:
    """How many of the ports still accept a connection."""
    open_ports = 0
    for node in scene.nodes:
        for port in (node.ports.public, node.ports.management):
            with socket.socket() as probe:
                open_ports += probe.connect_ex(("127.0.0.1", port)) == 0
    return open_ports


def _verify(scene: Scene, deal: Deal) -> Iterator[bool]:
    """Once as the auditor types it, in a process of its own; for the others, here."""
    for node in deal.parties:
        bundle = scene.folders.bundle(deal.key, node)
        typed = (deal.key, node) == (TRACES, scene.platform)
        if typed:
            scene.voice.command(
                node, f"audit bundle {deal.agreement} --out bundles/{bundle.name}   (× 6)"
            )
            scene.voice.say(
                f"  $ preau audit verify bundles/{bundle.name} --files received/{deal.key}   (× 6)"
            )
            code, report = _run(bundle, deal.received)
            ok = code == 0 and report.get("ok") is True
            verdict = (str(report["verdict"]["fr"]), str(report["verdict"]["en"]))
        else:
            found = verify(bundle, files=deal.received)
            ok, verdict = found.ok, (found.verdict("fr"), found.verdict("en"))
        yield scene.board.judge(
            (f"dossier de preuves {bundle.stem}", f"evidence bundle {bundle.stem}"),
            ("valide", "valid"),
            verdict,
            ok=ok,
            detail=True,
        )


def _compare(scene: Scene, deal: Deal) -> None:
    """The same agreement, and whatever passed between the parties, in both logs alike."""
    found = compare(*(scene.folders.bundle(deal.key, node) for node in deal.parties))
    between = "–".join(node.name for node in deal.parties)
    scene.board.judge(
        (f"les dossiers concordent : {between}", f"both bundles agree: {between}"),
        (short(found.digests[0]),) * 2,
        (
            f"{short(found.digests[1])} {found.shared}/{found.shared + found.alone} feuilles",
            f"{short(found.digests[1])} {found.shared}/{found.shared + found.alone} leaves",
        ),
        ok=found.agree,
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
    bundle = scene.folders.bundle(TRACES, scene.platform)
    means = Means(_signer(scene), scene.old_checkpoint, scene.folders.received)
    caught = []
    with TemporaryDirectory(prefix="preau-forged-") as folder:
        for forgery in FORGERIES:
            forged = Path(folder) / f"{forgery.key}.zip"
            tamper.forge(bundle, forgery, means, forged)
            report = verify(forged, files=scene.folders.received)
            caught.append(_caught(scene, forgery.name, forgery.caught_by, report))
        files = Path(folder) / "received"
        copytree(scene.folders.received, files)
        data = files / "data.ndjson"
        content = data.read_bytes()
        data.write_bytes(content + content.splitlines(keepends=True)[-1])
        name = ("une ligne ajoutée aux données reçues", "a row added to the received data")
        report = verify(bundle, files=files)
        caught.append(_caught(scene, name, frozenset({"files"}), report))
    scene.board.note(("falsifications détectées", "forgeries caught"), len(caught), sum(caught))


def _caught(scene: Scene, name: Said, by: frozenset[str], report: Report) -> bool:
    wrong = [check for check in report.failures if check.name in by]
    shown = wrong[0] if wrong else None
    return scene.board.judge(
        (f"falsification : {name[0]}", f"forgery: {name[1]}"),
        ("détectée", "caught"),
        (
            f"{shown.name} : {shown.fr}" if shown else "passée",
            f"{shown.name}: {shown.en}" if shown else "passed",
        ),
        ok=bool(wrong),
        detail=True,
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
