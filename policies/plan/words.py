"""A plan in words: what leaves, what is removed and why, how it is treated, what was promised.

Each function says one part of a plan, in French and English; `Plan.explain` puts them together.
Pseudonymised data are personal data and are called so.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from policies import phrases, values
from policies.plan import residue
from policies.plan.duties import PlanDuty, Trigger
from policies.plan.fields import Removal, RemovalReason
from policies.plan.rows import Rows
from policies.plan.treatments import ActorTreatment, Aggregates, Budgets, Precision, Treatments
from policies.problem import Language

_REASONS: Final[Mapping[RemovalReason, phrases.Phrase]] = {
    "not-agreed": ("non demandé ou non accordé", "not asked for or not agreed"),
    "direct-identifier": ("identifie directement une personne", "identifies a person directly"),
    "free-text": ("texte libre, non demandé", "free text, not asked for"),
    "special-category": (
        "donnée sensible sans condition déclarée (article 9)",
        "special category without a declared condition (Article 9)",
    ),
    "no-time": ("dates et heures retirées", "dates and times removed"),
    "excluded": ("exclu par l'accord", "excluded by the agreement"),
}
_PRECISION_WORDS: Final[Mapping[Precision, phrases.Phrase]] = {
    "minute": ("arrondies à la minute", "cut to the minute"),
    "hour": ("arrondies à l'heure", "cut to the hour"),
    "day": ("arrondies au jour", "cut to the day"),
    "none": ("retirées", "removed"),
}
_ACTOR_WORDS: Final[Mapping[ActorTreatment, phrases.Phrase]] = {
    "pseudonym-per-agreement": (
        (
            "Chaque personne est remplacée par un pseudonyme propre à cet accord : données"
            " pseudonymisées (données personnelles)."
        ),
        "Each person is replaced by a pseudonym of this agreement: pseudonymised (personal data).",
    ),
    "pseudonym-per-recipient-and-purpose": (
        (
            "Chaque personne est remplacée par un pseudonyme stable pour ce destinataire et cette"
            " finalité, d'un accord à l'autre : données pseudonymisées (données personnelles)."
        ),
        (
            "Each person is replaced by a pseudonym that stays the same for this recipient and"
            " purpose from one agreement to the next: pseudonymised (personal data)."
        ),
    ),
}

_MOMENTS: Final[Mapping[str, phrases.Phrase]] = {
    "begin": ("Début des communications", "Releases begin"),
    "end": ("Fin des communications", "Releases end"),
    "check": ("Réexaminé", "Looked at again"),
}


def leaving(lane: str, names: Iterable[str], lang: Language) -> str:
    """Which fields leave, and in which lane (X4)."""
    listed = phrases.listing(names)
    said = {
        "rows": (f"Champs communiqués : {listed}.", f"Fields that leave: {listed}."),
        "k-microdata": (
            f"Champs communiqués, lignes regroupées : {listed}.",
            f"Fields that leave, in groups of rows: {listed}.",
        ),
        "aggregates": (
            f"Aucune ligne n'est communiquée ; chiffres sur ces champs : {listed}.",
            f"No row leaves; figures about these fields: {listed}.",
        ),
    }
    return phrases.pick(said[lane], lang)


def removed(found: Iterable[Removal], lang: Language) -> list[str]:
    """Which fields stay behind, by reason."""
    kept = tuple(found)
    lines = []
    for reason, words in _REASONS.items():
        names = phrases.listing(each.name for each in kept if each.reason == reason)
        if names:
            why = phrases.pick(words, lang)
            lines.append(
                phrases.pick((f"Retirés ({why}) : {names}.", f"Removed ({why}): {names}."), lang)
            )
    return lines


def rows(found: Rows, lang: Language) -> list[str]:
    """Which rows leave."""
    lines = []
    if found.undated:
        words = (
            "Lignes non datées : une période n'en retient ni n'en écarte aucune.",
            "Rows without a date: a period neither keeps nor withholds any.",
        )
        lines.append(phrases.pick(words, lang))
    for edge, fr, en in (
        (found.start, "Enregistrements à partir du", "Records from"),
        (found.end, "Enregistrements avant le", "Records before"),
    ):
        if edge is not None:
            lines.append(f"{phrases.pick((fr, en), lang)} {phrases.moment(edge, lang)}.")
    if found.where is not None:
        only = phrases.pick(
            ("Seulement les lignes pour lesquelles :", "Only rows for which:"), lang
        )
        lines.append(f"{only} {residue.sentence(found.where, lang)}.")
    if found.consent is None:
        return lines
    purpose = phrases.name(found.consent.scope.purpose, lang)
    said = {
        "consent": (
            f"Seulement les lignes dont toutes les personnes ont consenti (finalité : {purpose}).",
            f"Only rows in which every person has consented (purpose: {purpose}).",
        ),
        "objection": (
            f"Aucune ligne d'une personne qui s'y est opposée (finalité : {purpose}).",
            f"No row of a person who has objected (purpose: {purpose}).",
        ),
    }
    return [*lines, phrases.pick(said[found.consent.mode], lang)]


def treatments(found: Treatments | None, lang: Language) -> list[str]:
    """How persons, ids and times are treated."""
    if found is None:
        return []
    time = phrases.pick(_PRECISION_WORDS[found.time], lang)
    return [
        phrases.pick(_ACTOR_WORDS[found.actor], lang),
        phrases.pick(
            ("Les identifiants techniques sont rechiffrés.", "Technical identifiers are re-keyed."),
            lang,
        ),
        phrases.pick((f"Dates et heures : {time}.", f"Dates and times: {time}."), lang),
    ]


def aggregates(found: Aggregates | None, lang: Language) -> list[str]:
    """How large a group must be, and how even."""
    if found is None:
        return []
    lines = [
        phrases.pick(
            (
                f"Seuls sortent des groupes d'au moins {found.k} personnes.",
                f"Only groups of at least {found.k} persons leave.",
            ),
            lang,
        )
    ]
    if found.dominance is not None:
        share = phrases.figure(found.dominance, lang)
        said = (
            f"Part maximale d'une personne dans un chiffre : {share}.",
            f"Largest share of one person in a figure: {share}.",
        )
        lines.append(phrases.pick(said, lang))
    return lines


def budgets(found: Budgets, lang: Language) -> list[str]:
    """How much may leave."""
    lines = []
    if found.releases is not None:
        n = found.releases
        said = (f"Nombre de communications : {n} au plus.", f"Releases: at most {n}.")
        lines.append(phrases.pick(said, lang))
    if found.records is not None:
        n = found.records
        said = (
            f"Nombre d'enregistrements, en tout : {n} au plus.",
            f"Records, in all: at most {n}.",
        )
        lines.append(phrases.pick(said, lang))
    return lines


def triggers(found: Iterable[Trigger], lang: Language) -> list[str]:
    """When releases begin and end, and when the agreement is looked at again."""
    kept = tuple(found)
    lines = [_trigger(each, lang) for each in kept if each.do in _MOMENTS and not each.on]
    watched = [phrases.operand(each.on, lang) for each in kept if each.do == "check" and each.on]
    if watched:
        said = (
            f"Vérifié à chaque changement : {phrases.listing(watched)}.",
            f"Checked whenever it changes: {phrases.listing(watched)}.",
        )
        lines.append(phrases.pick(said, lang))
    return lines


def _trigger(trigger: Trigger, lang: Language) -> str:
    verb = phrases.pick(_MOMENTS[trigger.do], lang)
    return f"{verb}{_colon(lang)}{_when(trigger.at, trigger.elapsed, lang)}."


def duty(found: PlanDuty, lang: Language) -> str:
    """What was promised, and by when."""
    head = {
        "duty": ("Obligation", "Duty"),
        "obligation": ("Obligation", "Obligation"),
        "prohibition": ("Interdiction", "Prohibition"),
    }[found.kind]
    parts = [phrases.action(found.action, lang)]
    if found.due or found.elapsed:
        by = phrases.pick(("au plus tard :", "no later than:"), lang)
        parts.append(f"{by} {_when(found.due, found.elapsed, lang)}")
    if found.on:
        event = phrases.name(found.on, lang)
        parts.append(phrases.pick((f"en cas de : {event}", f"in case of: {event}"), lang))
    length = values.duration(found.within or "")
    if length is not None:
        span = phrases.span(length, lang)
        parts.append(phrases.pick((f"dans un délai de {span}", f"within {span}"), lang))
    held = {
        "contractual": ("engagement contractuel", "contractual promise"),
        "declared": ("déclaré par le destinataire", "declared by the recipient"),
    }[found.assurance]
    what = f"{phrases.listing(parts)} ({phrases.pick(held, lang)})."
    return phrases.pick(head, lang) + _colon(lang) + what


def linkage(found: str, unmeasured: str, without_rows: str, lang: Language) -> str:
    """What is announced about linkage (X5); the two words are those that are no figure."""
    if found == without_rows:
        return phrases.pick(
            (
                "Rapprochement entre destinataires : sans objet, aucune ligne n'est communiquée.",
                "Linkage between recipients: none to speak of, as no row leaves.",
            ),
            lang,
        )
    if found == unmeasured:
        return phrases.pick(
            (
                "Rapprochement possible entre destinataires : non mesuré.",
                "Linkage between recipients: not measured.",
            ),
            lang,
        )
    return phrases.pick(
        (
            (
                f"Rapprochement par des destinataires de connivence : {found} (mesuré sur ce jeu"
                " de données ; d'autres moyens peuvent en trouver plus)."
            ),
            (
                f"Linkable by colluding recipients: {found} (measured on this dataset; other"
                " means may find more)."
            ),
        ),
        lang,
    )


def _when(at: str | None, elapsed: str | None, lang: Language) -> str:
    moment = values.instant(at or "")
    if moment is not None:  # to the second; the exact instant stands in the plan
        return phrases.moment(moment.replace(microsecond=0), lang)
    length = values.duration(elapsed or "")
    span = "" if length is None else phrases.span(length, lang)
    return phrases.pick((f"{span} après l'accord", f"{span} after the agreement"), lang)


def _colon(lang: Language) -> str:
    return " : " if lang == "fr" else ": "
