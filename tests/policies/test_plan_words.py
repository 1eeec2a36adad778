"""Every sentence about a plan, in both languages, as people read it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from policies.consent import Scope
from policies.plan import (
    NO_ROWS,
    NOT_MEASURED,
    Aggregates,
    Budgets,
    ConsentScope,
    PlanDuty,
    Removal,
    Rows,
    Treatments,
    Trigger,
    residue,
    words,
)
from policies.vocabulary import DPV, ODRL, PREAU

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
SCOPE = Scope("did:web:lab.example", PREAU + "EducationResearch", "traces")
NEW_YEAR = "2027-01-01T00:00:00Z"


def said(words_of: Callable[..., Any], *given: Any) -> dict[str, list[str]]:
    """What a function of `words` says, one sentence or several, by language."""
    found = {lang: words_of(*given, lang) for lang in ("fr", "en")}
    return {lang: [text] if isinstance(text, str) else text for lang, text in found.items()}


@pytest.mark.parametrize(
    ("lane", "fr", "en"),
    [
        ("rows", "Champs communiqués : a, b.", "Fields that leave: a, b."),
        (
            "k-microdata",
            "Champs communiqués, lignes regroupées : a, b.",
            "Fields that leave, in groups of rows: a, b.",
        ),
        (
            "aggregates",
            "Aucune ligne n'est communiquée ; chiffres sur ces champs : a, b.",
            "No row leaves; figures about these fields: a, b.",
        ),
    ],
)
def test_what_leaves(lane: str, fr: str, en: str):
    assert said(words.leaving, lane, ["a", "b"]) == {"fr": [fr], "en": [en]}


def test_what_is_removed_and_why():
    reasons: list[Any] = [
        *("excluded", "not-agreed", "direct-identifier", "free-text"),
        *("special-category", "no-time", "excluded"),
    ]
    found = [Removal(name, reason) for name, reason in zip("abcdefg", reasons, strict=True)]
    assert said(words.removed, found) == {
        "fr": [
            "Retirés (non demandé ou non accordé) : b.",
            "Retirés (identifie directement une personne) : c.",
            "Retirés (texte libre, non demandé) : d.",
            "Retirés (donnée sensible sans condition déclarée (article 9)) : e.",
            "Retirés (dates et heures retirées) : f.",
            "Retirés (exclu par l'accord) : a, g.",
        ],
        "en": [
            "Removed (not asked for or not agreed): b.",
            "Removed (identifies a person directly): c.",
            "Removed (free text, not asked for): d.",
            "Removed (special category without a declared condition (Article 9)): e.",
            "Removed (dates and times removed): f.",
            "Removed (excluded by the agreement): a, g.",
        ],
    }


@pytest.mark.parametrize(
    ("rows", "fr", "en"),
    [
        (Rows(), [], []),
        (
            Rows(undated=True),
            ["Lignes non datées : une période n'en retient ni n'en écarte aucune."],
            ["Rows without a date: a period neither keeps nor withholds any."],
        ),
        (
            Rows(START, END, ConsentScope(SCOPE, "consent")),
            [
                "Enregistrements à partir du 1er janvier 2026, 00:00 UTC.",
                "Enregistrements avant le 1er janvier 2027, 00:00 UTC.",
                (
                    "Seulement les lignes dont toutes les personnes ont consenti"
                    " (finalité : recherche en éducation)."
                ),
            ],
            [
                "Records from 1 January 2026, 00:00 UTC.",
                "Records before 1 January 2027, 00:00 UTC.",
                "Only rows in which every person has consented (purpose: education research).",
            ],
        ),
        (
            Rows(consent=ConsentScope(SCOPE, "objection"), where=residue.TRUE),
            [
                "Seulement les lignes pour lesquelles : toujours.",
                (
                    "Aucune ligne d'une personne qui s'y est opposée"
                    " (finalité : recherche en éducation)."
                ),
            ],
            [
                "Only rows for which: always.",
                "No row of a person who has objected (purpose: education research).",
            ],
        ),
    ],
)
def test_which_rows(rows: Rows, fr: list[str], en: list[str]):
    assert said(words.rows, rows) == {"fr": fr, "en": en}


@pytest.mark.parametrize(
    ("predicate", "fr", "en"),
    [
        (residue.FALSE, "jamais", "never"),
        (residue.UNKNOWN, "impossible à établir", "cannot be told"),
        (
            residue.Group("all", (residue.TRUE, residue.FALSE)),
            "toutes ces conditions [toujours; jamais]",
            "all of these [always; never]",
        ),
        (
            residue.Group("any", (residue.TRUE,)),
            "au moins une de ces conditions [toujours]",
            "at least one of these [always]",
        ),
        (
            residue.Group("one", (residue.TRUE,)),
            "exactement une de ces conditions [toujours]",
            "exactly one of these [always]",
        ),
    ],
)
def test_conditions_on_a_row(predicate: residue.Predicate, fr: str, en: str):
    assert said(residue.sentence, predicate) == {"fr": [fr], "en": [en]}


PERSON = {
    "fr": "Chaque personne est remplacée par un pseudonyme propre à cet accord : données"
    " pseudonymisées (données personnelles).",
    "en": "Each person is replaced by a pseudonym of this agreement: pseudonymised"
    " (personal data).",
}
IDS = {
    "fr": "Les identifiants techniques sont rechiffrés.",
    "en": "Technical identifiers are re-keyed.",
}


@pytest.mark.parametrize(
    ("precision", "fr", "en"),
    [
        ("minute", "arrondies à la minute", "cut to the minute"),
        ("hour", "arrondies à l'heure", "cut to the hour"),
        ("day", "arrondies au jour", "cut to the day"),
        ("none", "retirées", "removed"),
    ],
)
def test_treatments(precision: Any, fr: str, en: str):
    assert said(words.treatments, Treatments(time=precision)) == {
        "fr": [PERSON["fr"], IDS["fr"], f"Dates et heures : {fr}."],
        "en": [PERSON["en"], IDS["en"], f"Dates and times: {en}."],
    }


def test_pseudonyms_that_stay_are_called_so():
    found = said(words.treatments, Treatments("pseudonym-per-recipient-and-purpose"))
    assert found["fr"][0] == (
        "Chaque personne est remplacée par un pseudonyme stable pour ce destinataire et cette"
        " finalité, d'un accord à l'autre : données pseudonymisées (données personnelles)."
    )
    assert found["en"][0] == (
        "Each person is replaced by a pseudonym that stays the same for this recipient and purpose"
        " from one agreement to the next: pseudonymised (personal data)."
    )
    assert said(words.treatments, None) == {"fr": [], "en": []}


@pytest.mark.parametrize(
    ("groups", "fr", "en"),
    [
        (None, [], []),
        (
            Aggregates(5, "0.8"),
            [
                "Seuls sortent des groupes d'au moins 5 personnes.",
                "Part maximale d'une personne dans un chiffre : 0,8.",
            ],
            [
                "Only groups of at least 5 persons leave.",
                "Largest share of one person in a figure: 0.8.",
            ],
        ),
        (
            Aggregates(10),
            ["Seuls sortent des groupes d'au moins 10 personnes."],
            ["Only groups of at least 10 persons leave."],
        ),
    ],
)
def test_groups(groups: Aggregates | None, fr: list[str], en: list[str]):
    assert said(words.aggregates, groups) == {"fr": fr, "en": en}


RELEASES = {"fr": "Nombre de communications : 3 au plus.", "en": "Releases: at most 3."}
RECORDS = {
    "fr": "Nombre d'enregistrements, en tout : 0 au plus.",
    "en": "Records, in all: at most 0.",
}


@pytest.mark.parametrize(
    ("budgets", "lines"),
    [
        (Budgets(), []),
        (Budgets(3), [RELEASES]),
        (Budgets(None, 0), [RECORDS]),
        (Budgets(3, 0), [RELEASES, RECORDS]),
    ],
)
def test_budgets(budgets: Budgets, lines: list[dict[str, str]]):
    expected = {lang: [line[lang] for line in lines] for lang in ("fr", "en")}
    assert said(words.budgets, budgets) == expected


def test_when_it_is_looked_at_again():
    found = [
        Trigger("begin", at="2026-01-01T00:00:00Z"),
        Trigger("end", elapsed="P10D"),
        Trigger("check", at=NEW_YEAR),
        Trigger("due", at=NEW_YEAR, duty="x"),
        Trigger("due", on=DPV + "ConsentWithdrawn", duty="x"),
        Trigger("check", on=PREAU + "membership"),
        Trigger("check", on=PREAU + "reciprocity"),
    ]
    assert said(words.triggers, found) == {
        "fr": [
            "Début des communications : 1er janvier 2026, 00:00 UTC.",
            "Fin des communications : 10 jours après l'accord.",
            "Réexaminé : 1er janvier 2027, 00:00 UTC.",
            "Vérifié à chaque changement : l'appartenance à un groupe, la réciprocité.",
        ],
        "en": [
            "Releases begin: 1 January 2026, 00:00 UTC.",
            "Releases end: 10 days after the agreement.",
            "Looked at again: 1 January 2027, 00:00 UTC.",
            "Checked whenever it changes: the membership of a group, the reciprocity.",
        ],
    }
    assert said(words.triggers, []) == {"fr": [], "en": []}


@pytest.mark.parametrize(
    ("duty", "fr", "en"),
    [
        (
            PlanDuty("duty", "x", ODRL + "delete", "declared", due=NEW_YEAR),
            (
                "Obligation : effacer, au plus tard : 1er janvier 2027, 00:00 UTC"
                " (déclaré par le destinataire)."
            ),
            "Duty: delete, no later than: 1 January 2027, 00:00 UTC (declared by the recipient).",
        ),
        (
            PlanDuty("obligation", "x", ODRL + "inform", elapsed="P10D"),
            (
                "Obligation : informer, au plus tard : 10 jours après l'accord"
                " (engagement contractuel)."
            ),
            "Obligation: inform, no later than: 10 days after the agreement (contractual promise).",
        ),
        (
            PlanDuty("prohibition", "x", ODRL + "distribute"),
            "Interdiction : redistribuer (engagement contractuel).",
            "Prohibition: distribute (contractual promise).",
        ),
        (
            PlanDuty(
                "duty", "x", PREAU + "stopAndErase", within="P7D", on=DPV + "ConsentWithdrawn"
            ),
            (
                "Obligation : cesser l'utilisation et effacer, en cas de : consentement retiré,"
                " dans un délai de 7 jours (engagement contractuel)."
            ),
            (
                "Duty: stop use and erase, in case of: consent withdrawn, within 7 days"
                " (contractual promise)."
            ),
        ),
    ],
)
def test_promises(duty: PlanDuty, fr: str, en: str):
    assert said(words.duty, duty) == {"fr": [fr], "en": [en]}


@pytest.mark.parametrize(
    ("figure", "fr", "en"),
    [
        (
            "98 %",
            (
                "Rapprochement par des destinataires de connivence : 98 % (mesuré sur ce jeu de"
                " données ; d'autres moyens peuvent en trouver plus)."
            ),
            (
                "Linkable by colluding recipients: 98 % (measured on this dataset; other means may"
                " find more)."
            ),
        ),
        (
            "not measured",
            "Rapprochement possible entre destinataires : non mesuré.",
            "Linkage between recipients: not measured.",
        ),
        (
            "no rows leave",
            "Rapprochement entre destinataires : sans objet, aucune ligne n'est communiquée.",
            "Linkage between recipients: none to speak of, as no row leaves.",
        ),
    ],
)
def test_linkage(figure: str, fr: str, en: str):
    assert said(words.linkage, figure, NOT_MEASURED, NO_ROWS) == {"fr": [fr], "en": [en]}
