"""Act 10: the three nodes' folders, searched for everybody whom they should not know by name."""

import re
from typing import Final

from connector.cli.story import nodes
from connector.cli.story.act_results import own
from connector.cli.story.facts import Said
from connector.cli.story.nodes import Node
from connector.cli.story.scene import Scene
from connector.cli.story.search import Needles
from connector.cli.story.sweep import Sweeper, Swept

# The publisher's own copy of what it published: rows as they were uploaded, and nothing else.
_COPY: Final = re.compile(r"(?:.*/)?data/[^/]+/[^/]+/rows\.bin")
_OF_THE_TABLE: Final = ("nom_prenom", "courriel")


def play(scene: Scene) -> None:
    """Back all nodes up, then search folders, logs, backups and evidence of each."""
    with scene.act(
        10,
        "disks",
        "Trois dossiers passés au peigne fin",
        "Three folders, every byte searched",
    ):
        _back_up(scene)
        traces = Needles.of(row.value for row in scene.source.statements).names
        table = scene.table.identifiers(*(_OF_THE_TABLE if own(scene) else ()))
        sweeper = Sweeper(traces | table)
        scene.voice.tell(
            f"{sweeper.count} identifiants : comptes, INE, NIR, noms, courriels ; seul rows.bin,"
            " copie que garde l'éditeur de ce qu'il publie, est mis à part",
            f"{sweeper.count} identifiers: accounts, INE, NIR, names, e-mails; only rows.bin, the"
            " publisher's own copy of what it publishes, is left out",
        )
        for node in scene.nodes:
            _search(scene, sweeper, node)
        _search_evidence(scene, sweeper)
        for node, identifiers in ((scene.platform, traces), (scene.authority, table)):
            _control(scene, node, identifiers)


def _back_up(scene: Scene) -> None:
    """One file a node, its keys left out; made while it runs."""
    scene.folders.backups.mkdir(exist_ok=True)
    outs = {node.name: scene.folders.backups / f"{node.name}.tar" for node in scene.nodes}
    for node in scene.nodes:
        scene.voice.command(node, f"backup --out backups/{node.name}.tar")
    nodes.run_all(
        (node, "operator", "backup", "--out", str(outs[node.name])) for node in scene.nodes
    )


def _search(scene: Scene, sweeper: Sweeper, node: Node) -> None:
    """The folder with database, WAL, journal, evidence and received files; log; backup."""
    swept = sweeper.folder(node.folder, _is_copy)
    for path in (node.log, scene.folders.backups / f"{node.name}.tar"):
        sweeper.file(path, path.name, swept, _is_copy)
    _judge(
        scene,
        (f"identifiants retrouvés : {node.name}", f"identifiers found: {node.name}"),
        sweeper,
        swept,
    )


def _search_evidence(scene: Scene, sweeper: Sweeper) -> None:
    """What went to auditors and researchers."""
    swept = Swept()
    for folder in (scene.folders.bundles, scene.folders.root / "received"):
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            sweeper.file(path, path.name, swept, lambda _: False)
    _judge(
        scene,
        (
            "identifiants retrouvés : reçus et preuves",
            "identifiers found: received, evidence",
        ),
        sweeper,
        swept,
    )


def _judge(scene: Scene, name: Said, sweeper: Sweeper, swept: Swept) -> None:
    size = f"{swept.bytes / 1e6:.1f}"
    places = ", ".join(sorted(set(swept.found.values()))[:3])
    where = f" : {places}" if places else ""
    packed = swept.files + swept.packed
    scene.board.judge(
        name,
        (f"0 sur {sweeper.count}", f"0 of {sweeper.count}"),
        (
            f"{len(swept.found)} ({packed} fichiers, {size.replace('.', ',')} Mo){where}",
            f"{len(swept.found)} ({packed} files, {size} MB){where}",
        ),
        ok=not swept.found and swept.bytes > 0,
    )


def _control(scene: Scene, node: Node, identifiers: frozenset[str]) -> None:
    """The same search in what was left out finds everybody: it is able to find."""
    sweeper = Sweeper(identifiers)
    swept = sweeper.folder(node.folder, _is_not_copy)
    scene.board.judge(
        (
            f"contre-épreuve, rows.bin : {node.name}",
            f"counter-check, rows.bin: {node.name}",
        ),
        (f"{sweeper.count} sur {sweeper.count}", f"{sweeper.count} of {sweeper.count}"),
        (f"{len(swept.found)} sur {sweeper.count}", f"{len(swept.found)} of {sweeper.count}"),
        ok=len(swept.found) == sweeper.count,
        detail=True,
    )


def _is_copy(where: str) -> bool:
    return _COPY.fullmatch(where) is not None


def _is_not_copy(where: str) -> bool:
    return not _is_copy(where)
