"""The whole story, from two empty folders to a verdict."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connector.base.clock import SystemClock
from connector.cli.story import (
    act_audit,
    act_catalog,
    act_consent,
    act_request,
    act_transfer,
    generate,
    nodes,
)
from connector.cli.story.facts import Board, Timer
from connector.cli.story.nodes import Node
from connector.cli.story.scene import LAB, PLATFORM, Folders, Scene, Voice
from connector.cli.story.source import Source
from policies.problem import Problem

_PARTS: Final = 8
_SMALLEST_PART: Final = 200
_LARGEST_PART: Final = 16_384
_BASELINE: Final = (
    "import time, fastapi, uvicorn, sqlalchemy, httpx, jwt; print(time.process_time())"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: the board, and the nodes if they were left running."""

    board: Board
    running: tuple[Node, ...] = ()
    problem: Problem | None = None

    @property
    def ok(self) -> bool:
        """Whether the story came to its end and every fact is as stated."""
        return self.problem is None and self.board.ok

    def document(self, folder: Path, traces: Path) -> dict[str, Any]:
        """The outcome for machines."""
        return {
            "v": 1,
            "ok": self.ok,
            "dir": str(folder),
            "traces": str(traces),
            "facts": [fact.document() for fact in self.board.facts],
            "measures": [measure.document() for measure in self.board.measures],
            "nodes": [node.document() for node in self.running],
            "problem": self.problem.document() if self.problem else None,
        }


def play(root: Path, traces: Path | None, voice: Voice, *, keep: bool) -> Outcome:
    """Play all acts in `root`; the nodes are stopped at the end unless `keep`.

    A problem on the way ends the story and stands in the outcome. Whatever happens, no process is
    left behind unasked.
    """
    board = Board()
    folders = _folders(root)
    begun: list[Node] = []
    try:
        timer = Timer()
        scene = _set_up(folders, traces, voice, board, begun)
        _acts(scene)
        board.measure("story", ("l'histoire entière", "the whole story"), timer.split(), "s", 60)
        _measure_start(scene)
        if keep:
            nodes.start(begun)
    except Problem as problem:
        nodes.stop(begun)
        return Outcome(board, problem=problem)
    except BaseException:
        nodes.stop(begun)
        raise
    return Outcome(board, tuple(begun) if keep else ())


def _folders(root: Path) -> Folders:
    if root.exists() and any(root.iterdir()):
        raise Problem("demo-folder-not-empty", path=str(root))
    folders = Folders(root)
    for folder in (root, folders.expected):
        folder.mkdir(parents=True, exist_ok=True)
    return folders


def _set_up(
    folders: Folders, traces: Path | None, voice: Voice, board: Board, begun: list[Node]
) -> Scene:
    """Traces, folders of both nodes, both processes."""
    path = traces or folders.expected / "traces.jsonl.gz"
    if traces is None:
        generate.write(path)
    source = Source(path)
    source.talkative()
    voice.say("Préau")
    begun += nodes.make(folders.root, (PLATFORM, LAB), voice.lang)
    platform, lab = begun
    nodes.limit_parts(platform, _part_rows(len(source.statements)))
    for node in begun:
        voice.say(f"  $ preau serve {node.folder}")
    nodes.start(begun)
    for node in begun:
        voice.say(f"  {node.did}  {node.public}")
        _measure_idle(board, node)
    return Scene(folders, source, voice, board, SystemClock(), platform, lab)


def _acts(scene: Scene) -> None:
    act_catalog.play(scene)
    act_audit.remember_checkpoint(scene)
    act_consent.play(scene)
    act_request.refuse(scene)
    act_request.agree(scene)
    act_transfer.fetch(scene)
    act_transfer.search(scene)
    act_transfer.files(scene)
    act_request.time_negotiations(scene)
    for node in (scene.platform, scene.lab):
        scene.board.measure(
            f"rss-{node.name}",
            (f"mémoire après le transfert ({node.name})", f"RSS after the transfer ({node.name})"),
            node.resident_mb(),
            "MB",
            250,
        )
    act_audit.play(scene)


def _part_rows(rows: int) -> int:
    """Small enough for several parts, whatever the file: a withdrawal needs a middle."""
    return min(_LARGEST_PART, max(_SMALLEST_PART, rows // _PARTS))


def _measure_idle(board: Board, node: Node) -> None:
    board.measure(
        f"idle-{node.name}",
        (f"mémoire au repos ({node.name})", f"idle RSS ({node.name})"),
        node.resident_mb(),
        "MB",
        120,
    )


def _measure_start(scene: Scene) -> None:
    """CPU to ready, beside what importing the libraries alone costs on this machine now."""
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        [sys.executable, "-c", _BASELINE],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    baseline = float(done.stdout) if done.returncode == 0 else None
    scene.board.measure(
        "cpu-ready",
        (
            "processeur jusqu'à « prêt » ; repère : importer les bibliothèques seules",
            "CPU to ready; baseline: importing the libraries alone",
        ),
        scene.lab.ready_cpu,
        "s",
        None if baseline is None else 2 * baseline,
        baseline,
    )
