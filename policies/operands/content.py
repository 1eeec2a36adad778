"""What the data holds: preau:fields, preau:recordTime, preau:dataCategory.

Fields are names of the dataset's codebook; only agreed ones leave. Record time is the time of
each row, in half-open intervals. The data category is what the publisher declared.
"""

from datetime import datetime, timedelta
from typing import Final

from policies.model import DATETIME, STRING, Constraint
from policies.operands.base import (
    EQ,
    GT,
    GTEQ,
    IS_A,
    IS_ANY_OF,
    IS_NONE_OF,
    IS_PART_OF,
    LT,
    LTEQ,
    Operand,
    Share,
    Terms,
    names,
    names_imply,
    ordered,
    ordered_implies,
    single,
)
from policies.values import parse
from policies.vocabulary import CATEGORIES, PREAU

_CATEGORIES: Final = Terms(CATEGORIES)
_TICK: Final = timedelta(microseconds=1)


def _fields(constraint: Constraint) -> Share | None:
    found = frozenset(value.text for value in constraint.right if not value.is_iri)
    if len(found) != len(set(constraint.right)):
        return None
    if constraint.operator in {IS_PART_OF, IS_ANY_OF}:
        return Share(fields=found)
    return Share(without=found) if constraint.operator == IS_NONE_OF else None


def _period(constraint: Constraint) -> Share | None:
    """Rows are compared at the microsecond, so `<= t` is `< t + 1 microsecond`."""
    value = single(constraint)
    moment = parse(value) if value is not None else None
    if not isinstance(moment, datetime):
        return None
    match constraint.operator:
        case operator if operator == GTEQ:
            return Share(start=moment)
        case operator if operator == GT:
            return Share(start=moment + _TICK)
        case operator if operator == LT:
            return Share(end=moment)
        case operator if operator == LTEQ:
            return Share(end=moment + _TICK)
    return None


OPERANDS: Final = (
    Operand(
        iri=PREAU + "fields",
        datatype=STRING,
        operators=frozenset({IS_PART_OF, IS_ANY_OF, IS_NONE_OF}),
        phases=frozenset({"transfer", "batch"}),
        source="plan",
        assurance="enforced",
        fr="l'ensemble des champs communiqués",
        en="the set of fields that leave",
        compare=names,
        implies=names_imply,
        share=_fields,
    ),
    Operand(
        iri=PREAU + "recordTime",
        datatype=DATETIME,
        operators=frozenset({LT, LTEQ, GT, GTEQ}),
        phases=frozenset({"record"}),
        source="row",
        assurance="enforced",
        fr="la date des enregistrements",
        en="the time of the records",
        compare=ordered,
        implies=ordered_implies,
        share=_period,
    ),
    Operand(
        iri=PREAU + "dataCategory",
        datatype=None,
        operators=frozenset({EQ, IS_A, IS_ANY_OF, IS_NONE_OF}),
        phases=frozenset({"catalog", "negotiation", "transfer", "batch"}),
        source="dataset",
        assurance="declared",
        fr="la catégorie de données",
        en="the category of data",
        compare=_CATEGORIES.compare,
        implies=_CATEGORIES.implies,
    ),
)
