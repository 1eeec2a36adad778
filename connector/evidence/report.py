"""What a verification found: one line a check, in French and English, and a verdict.

Pure. A check is passed, failed, or not made: what a bundle cannot show is said, never passed over.
"""

from dataclasses import dataclass
from typing import Final, Literal

from policies.problem import Language, Problem

Grade = Literal["unwitnessed"]
"""How far the log's checkpoint can be trusted (decision T3). Witnesses come later."""

UNWITNESSED: Final[Grade] = "unwitnessed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `ok` is None when it could not be, or there was nothing.

    `where` names the file, line (`leaves.jsonl:12`), leaf (`leaf 40`) or part that failed.
    """

    name: str
    ok: bool | None
    where: str
    fr: str
    en: str

    def document(self) -> dict[str, object]:
        """The check for machines."""
        return {
            "name": self.name,
            "ok": self.ok,
            "where": self.where,
            "fr": self.fr,
            "en": self.en,
        }


@dataclass(frozen=True, slots=True)
class Key:
    """A key the verdict rests on; compare it with what its owner tells you by another channel."""

    did: str
    use: str
    key: str


@dataclass(frozen=True, slots=True)
class Report:
    """All checks in the order made, and the keys that everything rests on."""

    checks: tuple[Check, ...]
    keys: tuple[Key, ...] = ()
    grade: Grade = UNWITNESSED

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return all(check.ok is not False for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.ok is False)

    def verdict(self, lang: Language) -> str:
        """The verdict in one sentence, with its grade."""
        failed = len(self.failures)
        if lang == "fr":
            grade = "sans témoin : le journal n'a été contresigné par personne"
            if failed:
                return f"NON VALIDE : {failed} contrôle(s) en échec ({grade})."
            return f"VALIDE ({grade}). Comparez les clés avec leurs propriétaires."
        grade = "unwitnessed: nobody has cosigned the log"
        if failed:
            return f"NOT VALID: {failed} check(s) failed ({grade})."
        return f"VALID ({grade}). Compare the keys with their owners."

    def document(self) -> dict[str, object]:
        """The report for machines."""
        return {
            "v": 1,
            "ok": self.ok,
            "grade": self.grade,
            "verdict": {"fr": self.verdict("fr"), "en": self.verdict("en")},
            "keys": [{"did": key.did, "use": key.use, "key": key.key} for key in self.keys],
            "checks": [check.document() for check in self.checks],
        }


TITLES: Final[dict[str, tuple[str, str]]] = {
    "archive": (
        "Le fichier est un dossier de preuves lisible et bien formé.",
        "The file is a readable, well-formed bundle.",
    ),
    "index": (
        "L'index est signé par le nœud, et chaque fichier est celui qu'il nomme.",
        "The index is signed by the node, and every file is the one it names.",
    ),
    "keys": (
        "Les documents DID sont ceux que le journal a retenus.",
        "The DID documents are those the log recorded.",
    ),
    "checkpoint": (
        "Le point de contrôle du journal est signé par la clé du journal.",
        "The log's checkpoint is signed by the log's key.",
    ),
    "leaves": (
        "Chaque feuille est dans le journal, à sa place, et ses contenus sont les siens.",
        "Every leaf is in the log, at its place, and its bodies are its own.",
    ),
    "numbering": (
        "Les feuilles de l'accord se suivent sans trou, dans l'ordre du temps.",
        "The agreement's leaves follow each other without a gap, in order of time.",
    ),
    "agreement": (
        "L'accord est celui que les parties ont signé et journalisé.",
        "The agreement is the one the parties signed and logged.",
    ),
    "application": (
        "La demande est signée par le demandeur et couvre l'accord.",
        "The application is signed by the requester and covers the agreement.",
    ),
    "dataset": (
        "Le document du jeu de données est signé, et son offre couvre l'accord.",
        "The dataset document is signed, and its offer covers the agreement.",
    ),
    "plan": (
        "Le plan d'exécution est celui de cet accord, et il est journalisé.",
        "The plan is that of this agreement, and it is logged.",
    ),
    "messages": (
        "Les messages sont ceux du journal et suivent le protocole.",
        "The messages are those of the log and follow the protocol.",
    ),
    "decisions": (
        "Les décisions sont celles du journal.",
        "The decisions are those of the log.",
    ),
    "parts": (
        "Chaque partie du manifeste a sa feuille : mêmes lignes, octets et empreinte.",
        "Every part of the manifest has its leaf: same rows, bytes and digest.",
    ),
    "manifest": (
        "Le manifeste est signé par le fournisseur et journalisé.",
        "The manifest is signed by the provider and logged.",
    ),
    "receipt": (
        "Le reçu est signé par le consommateur, sur ce manifeste, et journalisé.",
        "The receipt is signed by the consumer, over this manifest, and logged.",
    ),
    "private": (
        "Les contenus réservés sont ceux que les feuilles engagent.",
        "The private bodies are those the leaves commit to.",
    ),
    "files": (
        "Les fichiers reçus sont ceux du manifeste, partie par partie.",
        "The received files are those of the manifest, part by part.",
    ),
    "log": (
        "Le point de contrôle fourni prolonge celui du dossier.",
        "The checkpoint you gave continues that of the bundle.",
    ),
}

_FILES: Final[dict[str, str]] = {
    "archive": "zip",
    "index": "index.json",
    "keys": "did/",
    "checkpoint": "checkpoint",
    "leaves": "leaves.jsonl",
    "numbering": "leaves.jsonl",
    "agreement": "agreement.json",
    "application": "application.json",
    "dataset": "dataset.json",
    "plan": "plan.json",
    "messages": "messages/",
    "decisions": "decisions/",
    "parts": "manifest.json",
    "manifest": "manifest.json",
    "receipt": "receipt.json",
    "private": "private/",
    "files": "--files",
    "log": "--log",
}
"""Where to look when a problem names no place of its own."""


def passed(name: str) -> Check:
    """The line of a check that found nothing wrong."""
    french, english = TITLES[name]
    return Check(name, ok=True, where="", fr=french, en=english)


def failed(name: str, problem: Problem) -> Check:
    """The line of one thing found wrong."""
    return _said(name, problem, ok=False)


def not_made(name: str, problem: Problem) -> Check:
    """The line of a check that could not be made, or had nothing to look at."""
    return _said(name, problem, ok=None)


def _said(name: str, problem: Problem, *, ok: bool | None) -> Check:
    place = str(problem.params.get("where") or problem.params.get("path") or "")
    if not problem.code.startswith("evidence-"):  # another room's, whose place lies in a file
        place = f"{_FILES.get(name, name)} {place}".strip()
    place = place or _FILES.get(name, name)
    return Check(name, ok=ok, where=place, fr=problem.text("fr"), en=problem.text("en"))


class NotMade(Exception):
    """Raised or yielded by a check: what could not be looked at, and why."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.problem = Problem(code, **params)


Finding = Problem | NotMade
