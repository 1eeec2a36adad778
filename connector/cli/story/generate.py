"""Traces for the demo: xAPI statements of learners watching the videos of two courses.

Made from a seed, shaped like what MOOC players send (the video profile of xAPI): sessions, several
verbs, extensions in context and result, account actors. Nobody in it exists, and no text in it
was taken from real data. A learner's account name looks like a login, because that is what must
never arrive at the lab.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connector.cli.story.stream import Stream

SEED: Final = "preau-demo-1"
LEARNERS: Final = 120
HOME: Final = "https://campus.example"
ACCOUNTS: Final = "https://login.campus.example"
"""Where the learners' accounts live; no activity's address starts like it, so it can be found."""
START: Final = datetime(2025, 3, 10, 6, 0, tzinfo=UTC)
DAYS: Final = 21

_VIDEO: Final = "https://w3id.org/xapi/video"
_EXTENSION: Final = _VIDEO + "/extensions/"
_VERBS: Final = {
    "initialized": "http://adlnet.gov/expapi/verbs/initialized",
    "played": _VIDEO + "/verbs/played",
    "paused": _VIDEO + "/verbs/paused",
    "seeked": _VIDEO + "/verbs/seeked",
    "interacted": "http://adlnet.gov/expapi/verbs/interacted",
    "completed": "http://adlnet.gov/expapi/verbs/completed",
    "terminated": "http://adlnet.gov/expapi/verbs/terminated",
}
# What a learner does next, each as often as it stands here.
_NEXT: Final = ("paused", "played", "paused", "played", "seeked", "interacted")
_COURSES: Final = ("statistiques-pas-a-pas", "lire-la-recherche")
_VIDEOS: Final = (
    ("Moyenne, médiane et autres milieux", 412),
    ("Ce que cache un graphique", 305),
    ("Échantillons : qui parle pour qui ?", 538),
    ("Corrélation n'est pas raison", 476),
    ("Lire un article en dix minutes", 611),
    ("Trouver la question d'une étude", 287),
    ("Groupe témoin, groupe test", 354),
    ("Quand un résultat ne se répète pas", 449),
)
_GIVEN: Final = ("ada", "bilal", "chloe", "diego", "elin", "farah", "gael", "hana", "ines", "jules")
_FAMILY: Final = ("arnal", "besson", "cazals", "diop", "estrade", "ferrand", "garance", "hellec")


@dataclass(slots=True)
class _Viewing:
    """One session: who watches what, where the player stands, and when."""

    learner: str
    session: str
    video: int
    at: datetime
    position: float = 0.0
    threshold: float = 0.9

    @property
    def length(self) -> int:
        return _VIDEOS[self.video][1]


def write(path: Path, *, seed: str = SEED, learners: int = LEARNERS) -> int:
    """Write the statements to a `.jsonl.gz` file, the same bytes for the same seed; their number.

    The order is that of a busy tracker: sessions of different learners lie mixed.
    """
    rows = sorted(statements(seed, learners), key=lambda row: (row["timestamp"], row["id"]))
    with (
        path.open("wb") as out,
        gzip.GzipFile(fileobj=out, filename="", mode="wb", compresslevel=6, mtime=0) as packed,
    ):
        for row in rows:
            packed.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return len(rows)


def statements(seed: str = SEED, learners: int = LEARNERS) -> Iterator[dict[str, Any]]:
    """The statements, learner by learner."""
    draw = Stream(seed)
    for number in range(learners):
        name = f"{draw.pick(_GIVEN)}.{draw.pick(_FAMILY)}{number:03d}{draw.below(1000):03d}"
        for _ in range(_sessions(draw)):
            yield from _session(draw, name)


def _sessions(draw: Stream) -> int:
    """Most learners come once or twice, some come back all the time."""
    return draw.between(4, 9) if draw.chance(15) else draw.between(1, 3)


def _session(draw: Stream, learner: str) -> Iterator[dict[str, Any]]:
    at = START + timedelta(
        days=draw.below(DAYS), seconds=draw.below(16 * 3600), microseconds=draw.below(10**6)
    )
    viewing = _Viewing(
        learner, draw.uuid(), draw.below(len(_VIDEOS)), at, threshold=draw.between(800, 950) / 1000
    )
    yield _statement(draw, viewing, "initialized")
    yield _statement(draw, viewing, "played")
    for _ in range(draw.between(2, 18)):
        verb = draw.pick(_NEXT)
        _advance(draw, viewing, verb)
        yield _statement(draw, viewing, verb)
        if viewing.position >= viewing.length:
            break
    if viewing.position >= viewing.threshold * viewing.length:
        yield _statement(draw, viewing, "completed")
    if draw.chance(40):
        yield _statement(draw, viewing, "terminated")


def _advance(draw: Stream, viewing: _Viewing, verb: str) -> None:
    """Let time pass; a seek moves the player as well."""
    watched = draw.between(1_000, 90_000) / 1000
    viewing.at += timedelta(seconds=watched, microseconds=draw.below(10**6))
    if verb == "seeked":
        viewing.position = draw.below(viewing.length * 1000) / 1000
    else:
        viewing.position = min(float(viewing.length), round(viewing.position + watched, 3))


def _statement(draw: Stream, viewing: _Viewing, verb: str) -> dict[str, Any]:
    viewing.at += timedelta(milliseconds=draw.between(150, 900))
    course = _COURSES[viewing.video * len(_COURSES) // len(_VIDEOS)]
    made = {
        "id": draw.uuid(),
        "actor": {
            "objectType": "Agent",
            "account": {"homePage": ACCOUNTS, "name": viewing.learner},
        },
        "verb": {"id": _VERBS[verb], "display": {"en-US": verb}},
        "object": {
            "objectType": "Activity",
            "id": f"{HOME}/videos/{viewing.video + 1}",
            "definition": {
                "type": _VIDEO + "/activity-type/video",
                "name": {"fr": _VIDEOS[viewing.video][0]},
            },
        },
        "context": {
            "contextActivities": {
                "category": [{"id": _VIDEO}],
                "parent": [{"id": f"{HOME}/courses/{course}", "objectType": "Activity"}],
            },
            "extensions": _context(draw, viewing, verb),
        },
        "timestamp": viewing.at.isoformat().replace("+00:00", "Z"),
    }
    result = _result(draw, viewing, verb)
    return {**made, "result": {"extensions": result}} if result else made


def _context(draw: Stream, viewing: _Viewing, verb: str) -> dict[str, object]:
    found: dict[str, object] = {_EXTENSION + "session-id": viewing.session}
    if verb in ("initialized", "completed", "terminated"):
        found[_EXTENSION + "length"] = viewing.length
        found[_EXTENSION + "completion-threshold"] = viewing.threshold
    if verb in ("initialized", "interacted"):
        found[_EXTENSION + "full-screen"] = draw.chance(30)
        found[_EXTENSION + "speed"] = draw.pick(("1x", "1x", "1x", "1.25x", "1.5x", "2x"))
        found[_EXTENSION + "volume"] = draw.pick((1, 1, 0.5, 0.75, 0))
    return found


def _result(draw: Stream, viewing: _Viewing, verb: str) -> dict[str, object]:
    if verb == "initialized":
        return {}
    place = viewing.position
    if verb == "seeked":
        return {
            _EXTENSION + "time-from": draw.below(viewing.length * 1000) / 1000,
            _EXTENSION + "time-to": place,
        }
    found: dict[str, object] = {_EXTENSION + "time": place}
    if verb in ("paused", "completed", "terminated"):
        found[_EXTENSION + "progress"] = round(min(1.0, place / viewing.length), 3)
        found[_EXTENSION + "played-segments"] = f"0[.]{place}"
    return found
