"""What a holder of the class list still learns from who is *not* in a file (decision T4). Pure.

Room: dataplane. Consent and objections take rows away, and whoever knows who could be there sees
that somebody is not. No treatment hides it; it can only be said, with counts that tell no more
than the manifest and the catalog already do: rounded down to ten, below that "<10".
"""

from typing import Any, Final

from connector.dataplane.parts import persons_text
from policies.consent import Mode

FEW: Final = "<10"
_WHY: Final[dict[Mode, tuple[str, str]]] = {
    "consent": (
        "n'ont pas répondu, ont refusé, ont retiré leur consentement ou se sont opposées",
        "did not answer, refused, withdrew their consent or objected",
    ),
    "objection": ("se sont opposées", "objected"),
}


def learned(listed: int | str, arrived: int | str, mode: Mode) -> dict[str, Any]:
    """What may be concluded by somebody with the list of everybody in the source.

    Args:
        listed: how many persons the source has (an exact number is rounded before it is used).
        arrived: how many persons' rows were handed over, as the manifest says (`persons`).
        mode: what keeps rows back, from the plan: missing consent, or an objection.

    Returns:
        {"listed", "arrived", "absent"}: rounded counts as texts; "fr", "en": sentences.
    """
    names, present = _rounded(listed), _rounded(arrived)
    missing = _least(names) - _least(present)
    absent = persons_text(max(0, missing))
    return {
        "listed": names,
        "arrived": present,
        "absent": absent,
        "fr": _french(names, present, absent, _WHY[mode][0]),
        "en": _english(names, present, absent, _WHY[mode][1]),
    }


def _french(listed: str, arrived: str, absent: str, why: str) -> list[str]:
    return [
        (
            f"Personnes dans la source : {_about(listed, 'environ')} ; dont des lignes ont été"
            f" transmises : {_about(arrived, 'environ')} ; absentes : {_about(absent, 'environ')}."
        ),
        (
            "Qui détient la liste de la classe et reconnaît des traces apprend qui est absent : ces"
            f" personnes {why}, ou n'ont aucune ligne dans la période. Le fichier ne dit pas lequel"
            " de ces cas s'applique."
        ),
        (
            "Si presque personne, ou presque tout le monde, est absent, il l'apprend de chacun sans"
            " reconnaître aucune trace."
        ),
    ]


def _english(listed: str, arrived: str, absent: str, why: str) -> list[str]:
    return [
        (
            f"Persons in the source: {_about(listed, 'about')}; with rows handed over:"
            f" {_about(arrived, 'about')}; absent: {_about(absent, 'about')}."
        ),
        (
            "Whoever holds the class list and recognises traces learns who is absent: these persons"
            f" {why}, or have no row in the period. The file does not say which."
        ),
        (
            "When hardly anybody, or nearly everybody, is absent, they learn it of each person"
            " without recognising a single trace."
        ),
    ]


def _about(count: str, word: str) -> str:
    return count if count == FEW else f"{word} {count}"


def _rounded(count: int | str) -> str:
    return count if isinstance(count, str) else persons_text(count)


def _least(count: str) -> int:
    return 0 if count == FEW else int(count)
