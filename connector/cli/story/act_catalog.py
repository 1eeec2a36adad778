"""Act 1: the platform publishes, the lab finds and verifies; what was altered is refused."""

import json
from hashlib import sha256
from pathlib import Path

from catalog.verify import assertion_keys, verify_dataset
from connector.cli.story import generate, nodes
from connector.cli.story.about import GROUP, About
from connector.cli.story.nodes import Node
from connector.cli.story.scene import Json, Scene
from connector.cli.story.standin import serving
from policies.jcs import jcs
from policies.vocabulary import PREAU

_SAMPLE_LEARNERS = 12
_REFUSALS = ("catalog-", "peer-")


def play(scene: Scene) -> None:
    """Publish, introduce the nodes to each other, find, verify, and try to cheat."""
    with scene.act(1, "catalog", "Publier, trouver, vérifier", "Publish, find, verify"):
        made = _publish(scene)
        _measure_linkage(scene)
        _introduce(scene)
        _find(scene, made)
        _verify(scene)
        _cheat(scene)


def _publish(scene: Scene) -> Json:
    """The steward's upload; the traces and the declaration stay in `expected/`."""
    about = scene.folders.expected / "about.toml"
    About(
        id="mooc-traces",
        fr="Traces de visionnage de MOOC",
        en="MOOC viewing traces",
        until=scene.until(),
        decisions=("dpo",),
    ).write(about)
    scene.voice.command(scene.platform, f"dataset add {scene.source.path.name} --about about.toml")
    made = upload(scene.platform, scene.source.path, about)
    scene.voice.tell(
        f"{made['counts']['rows']} lignes, {made['counts']['persons']} personnes",
        f"{made['counts']['rows']} rows, {made['counts']['persons']} persons",
    )
    return made


def upload(node: Node, file: Path, about: Path) -> Json:
    """Publish a file as its steward."""
    with about.open("rb") as declared, file.open("rb") as data:
        made: Json = node.who("steward").upload(
            "/v1/datasets",
            {"about": (about.name, declared), "file": (file.name, data)},
            max_bad="0.001",
        )
    return made


def _measure_linkage(scene: Scene) -> None:
    """Before anybody asks: what recipients could link goes into the signed document (X5)."""
    scene.voice.command(scene.platform, "dataset risk mooc-traces")
    found = nodes.run(scene.platform, "dpo", "dataset", "risk", "mooc-traces")
    scene.board.note(
        ("lien entre destinataires : mesuré et annoncé", "linkage: measured and announced"),
        True,
        bool(found["linkage"]) and found["document"] == f"{found['dataset']}/v2",
        detail=True,
    )


def _introduce(scene: Scene) -> None:
    group = scene.table.declared.group or GROUP
    for node, other, groups in (
        (scene.lab, scene.platform, ["platforms"]),
        (scene.lab, scene.authority, ["platforms"]),
        (scene.platform, scene.lab, [GROUP]),
        (scene.platform, scene.authority, [GROUP]),
        (scene.authority, scene.platform, ["platforms"]),
        (scene.authority, scene.lab, [group]),
    ):
        node.who("operator").post(
            "/v1/peers", {"did": other.did, "name": other.name, "groups": groups}
        )


def _find(scene: Scene, made: Json) -> None:
    """The lab's own node fetches and verifies; the demo checks the digest by hand."""
    scene.seen = _catalog(scene)
    found = {item["id"]: item for item in scene.seen["datasets"]}
    scene.board.note(
        ("trouvé par le nœud du laboratoire", "found by the lab's node"),
        1,
        len(found),
        detail=True,
    )
    scene.dataset, item = next(iter(found.items()))
    scene.fields = tuple(item["fields"])
    document = json.loads(scene.public(scene.platform, _path(scene, item["document"])))
    proof = document.pop("proof")
    scene.board.note(
        ("empreinte recalculée du document signé", "digest of the signed document, recomputed"),
        item["digest"],
        "sha-256:" + sha256(jcs(document)).hexdigest(),
        detail=True,
    )
    scene.board.judge(
        ("catalogue signé par la plateforme", "catalog signed by the platform"),
        ("eddsa-jcs-2022",) * 2,
        (str(proof["cryptosuite"]),) * 2,
        ok=proof["cryptosuite"] == "eddsa-jcs-2022"
        and str(proof["verificationMethod"]).startswith(scene.platform.did + "#")
        and scene.dataset == made["dataset"],
    )


def _verify(scene: Scene) -> None:
    """Anybody can verify without a node of their own."""
    from connector.runtime import verify_catalog

    scene.voice.command(scene.lab, f"catalog verify {scene.platform.public}")
    report = verify_catalog(scene.platform.public)
    publisher = str(report["publisher"])
    scene.board.judge(
        ("vérifié sans nœud (catalog verify)", "verified without a node (catalog verify)"),
        ("l'éditeur", "the publisher"),
        (publisher,) * 2,
        ok=publisher == scene.platform.did,
    )


def _cheat(scene: Scene) -> None:
    """An altered document; then the whole address taken over with an older head, and another."""
    did = json.loads(scene.public(scene.platform, "/.well-known/did.json"))
    entry = scene.seen["datasets"][0]
    address = _path(scene, entry["document"])
    document = scene.public(scene.platform, address)
    keys = assertion_keys(did, scene.platform.did)
    with scene.board.refused(("document altéré", "altered document"), *_REFUSALS):
        verify_dataset(_altered(document), keys, scene.platform.did, entry["digest"])
    old_head = scene.public(scene.platform, "/catalog")
    _publish_sample(scene)
    scene.seen = _catalog(scene)
    new_head = scene.public(scene.platform, "/catalog")
    answers = {
        path: scene.public(scene.platform, path) for path in ("/.well-known/did.json", address)
    }
    nodes.stop([scene.platform])
    for name, head, detail in (
        (("catalogue plus ancien, bien signé", "an older catalog, well signed"), old_head, False),
        (("tête de catalogue altérée", "altered catalog head"), _altered(new_head), True),
    ):
        with (
            serving(scene.platform.ports.public, {**answers, "/catalog": head}),
            scene.board.refused(name, *_REFUSALS, detail=detail),
        ):
            _catalog(scene)
    nodes.start([scene.platform])


def _publish_sample(scene: Scene) -> None:
    """A second, small dataset that needs nobody's decision: negotiations are timed on it."""
    traces = scene.folders.expected / "sample.jsonl.gz"
    generate.write(traces, seed="preau-sample-1", learners=_SAMPLE_LEARNERS)
    about = scene.folders.expected / "sample.toml"
    About(
        id="mooc-sample",
        fr="Échantillon de traces",
        en="Sample of traces",
        until=scene.until(),
    ).write(about)
    scene.sample = str(upload(scene.platform, traces, about)["dataset"])


def _catalog(scene: Scene) -> Json:
    found: Json = scene.lab.who("researcher").get("/v1/catalogs", peer=scene.platform.did)
    return found


def _path(scene: Scene, iri: str) -> str:
    return iri.removeprefix(scene.platform.public)


def _altered(document: bytes) -> bytes:
    """The same document with one thing changed, well-formed."""
    found = json.loads(document)
    if "version" in found:
        found["version"] += 1
    else:
        found["subject"]["periodicity"] = PREAU + "altered"
    return jcs(found)
