"""Policies, plans and decisions as sentences in both languages, for the views."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from catalog.model import Dataset
from policies import explain
from policies.model import Policy
from policies.plan import Plan

Words = dict[str, list[str]]


def policies(found: Iterable[Policy]) -> Words:
    """Several policies, one after the other."""
    every = list(found)
    return {
        "fr": [line for one in every for line in explain.policy(one, "fr")],
        "en": [line for one in every for line in explain.policy(one, "en")],
    }


def plan(found: Plan | None) -> Words:
    """What will be released, removed, promised."""
    if found is None:
        return {"fr": [], "en": []}
    return {"fr": list(found.explain("fr")), "en": list(found.explain("en"))}


def reasons(shared: dict[str, Any]) -> Words:
    """The reasons kept with a decision."""
    found = shared.get("reasons") or {}
    return {"fr": list(found.get("fr", [])), "en": list(found.get("en", []))}


_STAYING: Final = {
    "direct": ("identifie directement une personne", "identifies a person directly"),
    "special": (
        "donnée sensible sans condition déclarée (article 9)",
        "special category without a declared condition (Article 9)",
    ),
}


def staying(found: Mapping[str, Sequence[str]]) -> Words:
    """Fields that were asked for and never leave, by reason (`planning.staying`)."""
    words: Words = {"fr": [], "en": []}
    for reason, names in found.items():
        fr, en = _STAYING[reason]
        listed = ", ".join(names)
        words["fr"].append(f"Demandés, mais jamais communiqués ({fr}) : {listed}.")
        words["en"].append(f"Asked for, but these never leave ({en}): {listed}.")
    return words


_TIMES: Final = {
    "minute": ("à la minute", "to the minute"),
    "hour": ("à l'heure", "to the hour"),
    "day": ("au jour", "to the day"),
    "none": ("sans date ni heure", "without time"),
}
_DETAILS: Final = {
    ("xapi", False): ("résultats et extensions retirés", "results and extensions cut"),
    ("xapi", True): ("résultats et extensions compris", "results and extensions kept"),
    ("csv", False): ("pseudonymes et identifiants seuls", "pseudonyms and ids only"),
    ("csv", True): ("toutes les colonnes communicables", "every column that can leave"),
}


def linkage(dataset: Dataset) -> Words:
    """What two recipients who collude could link, as the signed document announces it (X5)."""
    found = dataset.linkage
    if found is None:
        return {
            "fr": ["Rapprochement possible entre destinataires : non mesuré."],
            "en": ["Linkage between recipients: not measured."],
        }
    share = found.consents
    fr = [
        (
            "Rapprochement par deux destinataires de connivence, chacun avec le consentement de"
            f" {share} % des personnes (pseudonyme par personne ; d'autres moyens peuvent en"
            " trouver plus) :"
        )
    ]
    en = [
        (
            "Linkable by two colluding recipients, each with the consent of"
            f" {share} % of the persons (one pseudonym a person; other means may find more):"
        )
    ]
    order = list(_TIMES)
    for one in sorted(found.figures, key=lambda one: (order.index(one.time), one.extensions)):
        time, detail = _TIMES[one.time], _DETAILS[dataset.kind, one.extensions]
        fr.append(f"- {time[0]}, {detail[0]} : {one.linked}")
        en.append(f"- {time[1]}, {detail[1]}: {one.linked}")
    return {"fr": fr, "en": en}
