"""Policies, plans and decisions as sentences in both languages, for the views."""

from collections.abc import Iterable
from typing import Any, Final

from catalog.model import Linkage
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


_TIMES: Final = {
    "minute": ("à la minute", "to the minute"),
    "hour": ("à l'heure", "to the hour"),
    "day": ("au jour", "to the day"),
    "none": ("sans date ni heure", "without time"),
}
_DETAILS: Final = {
    False: ("résultats et extensions retirés", "results and extensions cut"),
    True: ("résultats et extensions compris", "results and extensions kept"),
}


def linkage(found: Linkage | None) -> Words:
    """What two recipients who collude could link, as the signed document announces it (X5)."""
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
        time, detail = _TIMES[one.time], _DETAILS[one.extensions]
        fr.append(f"- {time[0]}, {detail[0]} : {one.linked}")
        en.append(f"- {time[1]}, {detail[1]}: {one.linked}")
    return {"fr": fr, "en": en}
