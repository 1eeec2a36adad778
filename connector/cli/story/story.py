"""The whole story, from two empty folders to a verdict."""

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connector.base.clock import SystemClock
from connector.cli.story import (
    about,
    act_audit,
    act_catalog,
    act_consent,
    act_request,
    act_results,
    act_second,
    act_sweep,
    act_transfer,
    generate,
    nodes,
    pupils,
)
from connector.cli.story.facts import Board, Timer
from connector.cli.story.nodes import Node
from connector.cli.story.scene import AUTHORITY, LAB, PLATFORM, Folders, Scene, Voice, until
from connector.cli.story.source import Source
from connector.cli.story.tables import Table
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
            "acts": {key: {"fr": said[0], "en": said[1]} for key, said in self.board.acts.items()},
            "facts": [fact.document() for fact in self.board.facts],
            "measures": [measure.document() for measure in self.board.measures],
            "nodes": [node.document() for node in self.running],
            "problem": self.problem.document() if self.problem else None,
        }


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files of one's own to play with; None stands for those that the demo makes."""

    traces: Path | None = None
    table: Path | None = None
    table_about: Path | None = None


def play(root: Path, given: Inputs, voice: Voice, *, keep: bool) -> Outcome:
    """Play all acts in `root`; the nodes are stopped at the end unless `keep`.

    A problem on the way ends the story and stands in the outcome. Whatever happens, no process is
    left behind unasked.
    """
    board = Board()
    folders = _folders(root)
    begun: list[Node] = []
    try:
        timer = Timer()
        scene = _set_up(folders, given, voice, board, begun)
        _acts(scene)
        board.measure("story", ("l'histoire entière", "the whole story"), timer.split(), "s", 90)
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
    folders: Folders, given: Inputs, voice: Voice, board: Board, begun: list[Node]
) -> Scene:
    """Traces and table, folders of the nodes, their processes."""
    source, table = sources(folders, given)
    voice.say("Préau")
    begun += nodes.make(folders.root, (PLATFORM, LAB, AUTHORITY), voice.lang)
    platform, lab, authority = begun
    nodes.limit_parts(platform, _part_rows(len(source.statements)))
    nodes.limit_parts(authority, _part_rows(len(table.rows)))
    for node in begun:
        voice.say(f"  $ preau serve {node.folder}")
    nodes.start(begun)
    for node in begun:
        voice.say(f"  {node.did}  {node.public}")
    board.measure(
        "idle",
        ("mémoire au repos, le plus gros nœud", "idle RSS, largest node"),
        _largest(begun),
        "MB",
        120,
    )
    return Scene(
        folders, source, voice, board, SystemClock(), platform, lab, authority, table=table
    )


def sources(folders: Folders, given: Inputs) -> tuple[Source, Table]:
    """What the two publishers have: the files given, or made ones."""
    traces = given.traces or folders.expected / "traces.jsonl.gz"
    if given.traces is None:
        generate.write(traces)
    source = Source(traces)
    source.talkative()
    if given.table is not None and given.table_about is not None:
        return source, Table(given.table, given.table_about)
    path, declared = folders.expected / "results.csv", folders.expected / "results.toml"
    pupils.write(path)
    declared.write_text(about.results(until(SystemClock()), with_nir=True), "utf-8")
    return source, Table(path, declared)


def _acts(scene: Scene) -> None:
    act_catalog.play(scene)
    act_audit.remember_checkpoint(scene)
    act_consent.play(scene)
    act_request.refuse(scene)
    act_request.agree(scene)
    act_transfer.fetch(scene)
    act_transfer.search(scene)
    act_transfer.files(scene)
    act_results.play(scene)
    act_second.play(scene)
    act_request.time_negotiations(scene)
    scene.board.measure(
        "rss",
        (
            "mémoire après les transferts, le plus gros nœud",
            "RSS after the transfers, largest node",
        ),
        _largest(scene.nodes),
        "MB",
        250,
    )
    act_audit.take(scene)
    act_sweep.play(scene)
    act_audit.play(scene)


def _part_rows(rows: int) -> int:
    """Small enough for several parts, whatever the file: a withdrawal needs a middle."""
    return min(_LARGEST_PART, max(_SMALLEST_PART, rows // _PARTS))


def _largest(of: Iterable[Node]) -> float | None:
    """Resident memory of the largest, in MB; None where the system does not say."""
    return max((size for node in of if (size := node.resident_mb()) is not None), default=None)


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
            "processeur jusqu'à « prêt » (repère : imports seuls)",
            "CPU to ready (baseline: imports alone)",
        ),
        scene.lab.ready_cpu,
        "s",
        None if baseline is None else 2 * baseline,
        baseline,
    )
