"""How identifiers and times are treated: these operands configure the plan (P10, X5).

They are satisfied iff the plan satisfies them, so they are deferred until a plan exists. A
stricter treatment satisfies a milder requirement: a pseudonym per agreement where one per
recipient and purpose is asked, the day where the hour is.
"""

from typing import Final

from policies.model import BOOLEAN, Constraint, iri
from policies.operands.base import (
    EQ,
    IS_A,
    IS_ANY_OF,
    IS_NONE_OF,
    IS_PART_OF,
    Operand,
    Phase,
    Share,
    Terms,
    exact,
    exactly_implies,
    single,
)
from policies.values import parse
from policies.vocabulary import PREAU, PRECISIONS, TREATMENTS

_IDENTIFIERS: Final = Terms(TREATMENTS, by_cover=True)
_TIMES: Final = Terms(PRECISIONS, by_cover=True)
_PLANNED: Final[frozenset[Phase]] = frozenset({"transfer", "batch"})
_OPERATORS: Final = frozenset({EQ, IS_A, IS_ANY_OF, IS_PART_OF, IS_NONE_OF})


def _fitting(terms: Terms, constraint: Constraint) -> frozenset[str]:
    return frozenset(
        term
        for term in terms.tree
        if terms.compare(constraint.operator, (iri(term),), constraint.right) is True
    )


def _identifiers(constraint: Constraint) -> Share | None:
    return Share(identifiers=_fitting(_IDENTIFIERS, constraint))


def _times(constraint: Constraint) -> Share | None:
    return Share(times=_fitting(_TIMES, constraint))


def _longitudinal(constraint: Constraint) -> Share | None:
    value = single(constraint)
    wanted = parse(value) if value is not None else None
    if constraint.operator != EQ or not isinstance(wanted, bool):
        return None
    return Share(longitudinal=wanted)


OPERANDS: Final = (
    Operand(
        iri=PREAU + "identifierTreatment",
        datatype=None,
        operators=_OPERATORS,
        phases=_PLANNED,
        source="plan",
        assurance="enforced",
        fr="le traitement des identifiants",
        en="the treatment of identifiers",
        compare=_IDENTIFIERS.compare,
        implies=_IDENTIFIERS.implies,
        share=_identifiers,
    ),
    Operand(
        iri=PREAU + "timePrecision",
        datatype=None,
        operators=_OPERATORS,
        phases=_PLANNED,
        source="plan",
        assurance="enforced",
        fr="la précision des dates et heures",
        en="the precision of dates and times",
        compare=_TIMES.compare,
        implies=_TIMES.implies,
        share=_times,
    ),
    Operand(
        iri=PREAU + "longitudinal",
        datatype=BOOLEAN,
        operators=frozenset({EQ}),
        phases=_PLANNED,
        source="plan",
        assurance="enforced",
        fr="le suivi des mêmes pseudonymes d'un accord à l'autre",
        en="the same pseudonyms from one agreement to the next",
        compare=exact,
        implies=exactly_implies,
        share=_longitudinal,
    ),
)
