"""A table for the demo: pupils' results in common tests, as a school authority keeps them.

Made from a seed. Nobody in it exists; national numbers and social security numbers are well-formed
(the NIR with its key), because their form is what must be noticed. Written as such files are:
windows-1252, semicolons, remarks that a spreadsheet would take for formulas.
"""

import csv
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connector.cli.story.stream import Stream

SEED: Final = "preau-pupils-1"
PUPILS: Final = 180
COLUMNS: Final = (
    "ine",
    "nir",
    "nom_prenom",
    "courriel",
    "uai",
    "classe",
    "date_epreuve",
    "epreuve",
    "note",
    "handicap",
    "amenagement",
    "appreciation",
)
NIR: Final = "nir"
SENT: Final = ("uai", "classe", "date_epreuve", "epreuve", "note", "amenagement", "appreciation")
"""What may leave beside the pseudonym: neither identifiers nor special data without a condition."""

_LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"
_TESTS: Final = (
    ("français", "14/03/2025"),
    ("mathématiques", "17/03/2025"),
    ("sciences", "21/03/2025"),
)
_SCHOOLS: Final = (750655, 310042, 690117, 440231)
_CLASSES: Final = ("3A", "3B")
_GIVEN: Final = ("Zoé", "Adèle", "Basile", "Camélia", "Djibril", "Églantine", "Fénelon", "Inès")
_FIRST: Final = ("Val", "Mont", "Roche", "Font", "Bel", "Haute", "Clair", "Grand")
_MIDDLE: Final = ("bri", "sau", "ver", "mar", "cour", "lan", "tré", "gué")
_LAST: Final = ("val", "mont", "dieu", "court", "bois", "champ", "ville", "rive")
_REMARKS: Final = ("= bien", "+ de soin attendu", "très bien", "à l'écoute ; progresse", "", "bien")


def write(path: Path, *, seed: str = SEED, pupils: int = PUPILS) -> int:
    """Write the table, the same bytes for the same seed; how many rows."""
    made = list(rows(seed, pupils))
    with path.open("w", encoding="windows-1252", newline="") as out:
        table = csv.writer(out, delimiter=";")
        table.writerow(COLUMNS)
        table.writerows(made)
    return len(made)


def rows(seed: str = SEED, pupils: int = PUPILS) -> Iterator[tuple[str, ...]]:
    """The rows, pupil by pupil: one a test."""
    draw = Stream(seed)
    for number in range(pupils):
        who = _pupil(draw, number)
        handicap = "oui" if draw.chance(8) else "non"
        arranged = "tiers temps" if handicap == "oui" and draw.chance(70) else "aucun"
        level = draw.between(4, 15)
        for test, day in _TESTS:
            mark = str(max(0, min(20, level + draw.between(-3, 4))))
            yield (*who, day, test, mark, handicap, arranged, draw.pick(_REMARKS))


def _pupil(draw: Stream, number: int) -> tuple[str, ...]:
    """Who: national number, social security number, name, e-mail, school, class."""
    family = draw.pick(_FIRST) + draw.pick(_MIDDLE) + draw.pick(_LAST)
    given = draw.pick(_GIVEN)
    plain = unicodedata.normalize("NFD", f"{given}.{family}").encode("ascii", "ignore").decode()
    school = _SCHOOLS[number % len(_SCHOOLS)]
    return (
        f"{draw.below(10**6):06d}{number:03d}{draw.pick(_LETTERS)}{draw.pick(_LETTERS)}",
        _nir(draw, number),
        f"{family.upper()} {given} {_roman(number)}",
        f"{plain.lower()}{number}@eleves.academie.example",
        f"{school:07d}{_LETTERS[school % 23]}",
        draw.pick(_CLASSES),
    )


def _nir(draw: Stream, number: int) -> str:
    """Sex, year, month, place, order, and the key that makes it one."""
    head = f"{draw.between(1, 2)}{draw.between(9, 11):02d}{draw.between(1, 12):02d}"
    whole = f"{head}{draw.between(1, 95):02d}{draw.between(1, 400):03d}{number + 1:03d}"
    return f"{whole}{97 - int(whole) % 97:02d}"


def _roman(number: int) -> str:
    """Two letters that make a name one pupil's only."""
    return f"{_LETTERS[number // 23 % 23]}{_LETTERS[number % 23]}."
