"""What the policy wishes of groups and budgets: the lane (X4), k, dominance, a budget of records.

The first lane that holds every wish is taken, from the most telling one on: rows make no claim
about groups, so a least group size needs rows in groups at least, and a largest share of one
person needs figures.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

from policies import operands, values
from policies.model import DECIMAL, AnyConstraint, Constraint, iri
from policies.operands.base import EQ, GT, GTEQ, LT, LTEQ
from policies.plan.treatments import (
    DEFAULT_DOMINANCE,
    DEFAULT_K,
    LANES,
    LEAST_K,
    LEVELS,
    Aggregates,
    Lane,
)
from policies.problem import Problem
from policies.vocabulary import PREAU, compact

LEVEL: Final = PREAU + "aggregationLevel"
SIZE: Final = PREAU + "minGroupSize"
SHARE: Final = PREAU + "dominanceShare"
RECORDS: Final = PREAU + "recordBudget"
T = TypeVar("T", int, datetime, Decimal)
_TICK: Final = Decimal("0.0001")
_ALL: Final = frozenset(LANES)
_GROUPED: Final = frozenset({"k-microdata", "aggregates"})
_FIGURES: Final = frozenset({"aggregates"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What one constraint, or several together, ask of groups and budgets.

    `lanes` hold it; groups have at least `least` persons and at most `most` (of a policy that
    names one size exactly); one person makes at most `dominance` of a figure; at most `records`
    leave in all.
    """

    lanes: frozenset[str] = _ALL
    least: int | None = None
    most: int | None = None
    dominance: Decimal | None = None
    records: int | None = None


def wish(constraint: Constraint) -> Wish | None:
    """What a constraint asks of groups or budgets; None where it is about something else, or has
    a form that no plan holds.
    """
    if constraint.left == LEVEL:
        return _level(constraint)
    number = values.parse(constraint.right[0]) if len(constraint.right) == 1 else None
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        return None
    if constraint.left == SIZE:
        return _size(constraint.operator, number) if isinstance(number, int) else None
    if constraint.left == SHARE:
        return _dominance(constraint.operator, Decimal(number))
    if constraint.left == RECORDS and isinstance(number, int):
        return _records(constraint.operator, number)
    return None


def wishes(conjuncts: Iterable[AnyConstraint]) -> Wish:
    """What all conjuncts of a permission ask together."""
    total = Wish()
    for each in conjuncts:
        found = wish(each) if isinstance(each, Constraint) else None
        if found is not None:
            total = _together(total, found)
    return total


def lane(wished: Wish) -> tuple[Lane, Aggregates | None]:
    """The most telling lane that holds every wish, with what its groups must be like.

    Raises:
        Problem: `policy-plan-contradiction`, naming the operand that leaves nothing.
    """
    chosen = next((each for each in LANES if each in wished.lanes), None)
    if chosen is None:
        raise _contradiction(LEVEL)
    if chosen == "rows":
        return chosen, None
    k = max(wished.least or 0, LEAST_K) if wished.least is not None else DEFAULT_K
    if wished.most is not None and k > wished.most:
        raise _contradiction(SIZE)
    if chosen == "k-microdata":
        return chosen, Aggregates(k)
    share = DEFAULT_DOMINANCE if wished.dominance is None else format(wished.dominance, "f")
    if wished.dominance is not None and not 0 < wished.dominance <= 1:
        raise _contradiction(SHARE)
    return chosen, Aggregates(k, values.canonical(share, DECIMAL))


def _level(constraint: Constraint) -> Wish | None:
    """The lanes whose level satisfies the constraint, as its own operand compares them."""
    operand = operands.find(LEVEL)
    if operand is None:
        return None
    return Wish(
        frozenset(
            each
            for each, level in LEVELS.items()
            if operand.compare(constraint.operator, (iri(level),), constraint.right) is True
        )
    )


def _size(operator: str, number: int) -> Wish | None:
    if operator == EQ:
        return Wish(_GROUPED, number, number)
    if operator in {GT, GTEQ}:
        return Wish(_GROUPED, number + 1 if operator == GT else number)
    return None


def _dominance(operator: str, number: Decimal) -> Wish | None:
    if operator == LTEQ:
        return Wish(_FIGURES, dominance=number)
    return Wish(_FIGURES, dominance=number - _TICK) if operator == LT else None


def _records(operator: str, number: int) -> Wish | None:
    if operator == LTEQ:
        return Wish(records=max(number, 0))
    return Wish(records=max(number - 1, 0)) if operator == LT else None


def _together(one: Wish, other: Wish) -> Wish:
    return Wish(
        lanes=one.lanes & other.lanes,
        least=max(given(one.least, other.least), default=None),
        most=min(given(one.most, other.most), default=None),
        dominance=min(given(one.dominance, other.dominance), default=None),
        records=min(given(one.records, other.records), default=None),
    )


def given(one: T | None, other: T | None) -> list[T]:
    """Those of both that are there."""
    return [each for each in (one, other) if each is not None]


def _contradiction(operand: str) -> Problem:
    return Problem("policy-plan-contradiction", operand=compact(operand))
