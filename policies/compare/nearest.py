"""The nearest acceptable value of one operand: what could be asked instead.

Intervals are clamped, sets of names are cut to what is common, and in a hierarchy the admitted
term with the fewest steps to the one asked for is taken. What the asker cannot choose (who it is,
which groups it is in, what a credential says of it) has no nearest value.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from policies import operands, phrases, values
from policies.model import INTEGER, STRING, Constraint, Value, iri
from policies.naming import node
from policies.operands import Operand
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
    Terms,
    names,
)
from policies.problem import Language
from policies.vocabulary import Term

_GIVEN: Final = frozenset({"authentication", "peer-list", "credential", "peer-catalog", "dataset"})
_LOWER: Final = frozenset({GT, GTEQ})
_UPPER: Final = frozenset({LT, LTEQ})
_BOUNDS: Final = _LOWER | _UPPER | {EQ}
_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Nearest:
    """What an asker could put instead of its own clauses on one operand."""

    operand: str
    constraints: tuple[Constraint, ...]

    def sentence(self, lang: Language) -> str:
        """The proposal in words."""
        said = phrases.conditions(self.constraints, lang)
        return phrases.pick((f"Au plus proche : {said}.", f"Nearest acceptable: {said}."), lang)

    def document(self) -> dict[str, object]:
        """The proposal for machines."""
        return {
            "operand": self.operand,
            "constraints": [node(each) for each in self.constraints],
            "fr": self.sentence("fr"),
            "en": self.sentence("en"),
        }


def nearest(
    operand: str, outer: Sequence[Constraint], inner: Sequence[Constraint]
) -> Nearest | None:
    """The nearest clauses to the inner ones that meet all the outer ones, on one operand.

    None when the asker cannot choose this value, or when nothing meets the outer clauses.
    """
    known = operands.find(operand)
    if known is None or not choosable(operand) or not outer:
        return None
    if known.compare is names:
        found = _names(outer, inner)
    elif terms := _terms(known):
        found = _term(known, terms, outer, inner)
    else:
        found = _interval(known, outer, inner)
    if found is None or not all(_covered(known, each, found) for each in outer):
        return None
    return Nearest(operand, found)


def choosable(operand: str) -> bool:
    """Whether an asker can ask for another value of this operand."""
    known = operands.find(operand)
    return known is not None and known.source not in _GIVEN


def _covered(known: Operand, outer: Constraint, inner: tuple[Constraint, ...]) -> bool:
    return any(
        known.implies(each, outer)
        or (each.operator == EQ and known.compare(outer.operator, each.right, outer.right) is True)
        for each in inner
    )


# --- sets of names -------------------------------------------------------------------------


def _names(
    outer: Sequence[Constraint], inner: Sequence[Constraint]
) -> tuple[Constraint, ...] | None:
    admitted = _common(outer)
    without = {v.text for c in outer if c.operator == IS_NONE_OF for v in c.right}
    asked = _common(inner)
    wanted = asked if admitted is None else admitted if asked is None else admitted & asked
    if wanted is None:
        return tuple(c for c in outer if c.operator == IS_NONE_OF)
    kept = sorted(wanted - without) or sorted((admitted or set()) - without)
    if not kept:
        return None
    return (
        Constraint(
            outer[0].left, IS_PART_OF, tuple(Value(each, STRING) for each in kept), listed=True
        ),
    )


def _common(constraints: Sequence[Constraint]) -> set[str] | None:
    """What all `isPartOf` admit; None where none says anything."""
    sets = [{v.text for v in c.right} for c in constraints if c.operator in {IS_PART_OF, IS_ANY_OF}]
    return set.intersection(*sets) if sets else None


# --- intervals -----------------------------------------------------------------------------


def _interval(
    known: Operand, outer: Sequence[Constraint], inner: Sequence[Constraint]
) -> tuple[Constraint, ...] | None:
    """The outer bounds, and the inner ones that are stricter and leave something."""
    if not all(c.operator in _BOUNDS and len(c.right) == 1 for c in (*outer, *inner)):
        return tuple(outer) if all(len(c.right) == 1 for c in outer) else None
    bounds = _tightest(known, outer)
    kept = list(bounds)
    for each in inner:
        if each.operator == EQ:
            return _point(known, each, bounds)
        if any(known.implies(bound, each) for bound in bounds):
            continue
        if all(_together(each, bound) for bound in bounds):
            kept = [bound for bound in kept if not known.implies(each, bound)] + [each]
    return tuple(dict.fromkeys(kept))


def _tightest(known: Operand, bounds: Sequence[Constraint]) -> tuple[Constraint, ...]:
    return tuple(
        dict.fromkeys(
            one
            for one in bounds
            if not any(
                known.implies(other, one) and not known.implies(one, other) for other in bounds
            )
        )
    )


def _together(one: Constraint, other: Constraint) -> bool:
    """Whether two bounds leave something between them."""
    if one.operator == other.operator == EQ:
        return one.right == other.right
    low, high = (one, other) if one.operator in _LOWER else (other, one)
    if low.operator not in _LOWER or high.operator not in _UPPER:
        return True
    order = values.order(low.right[0], high.right[0])
    return order == -1 or (order == 0 and (low.operator, high.operator) == (GTEQ, LTEQ))


def _point(
    known: Operand, asked: Constraint, bounds: tuple[Constraint, ...]
) -> tuple[Constraint, ...]:
    """The admitted value nearest to the one asked for; the bounds themselves where none is."""
    for bound in bounds:
        if known.compare(bound.operator, asked.right, bound.right) is True:
            continue
        value = _edge(bound)
        if value is None or any(
            known.compare(each.operator, (value,), each.right) is not True for each in bounds
        ):
            return bounds
        return (Constraint(asked.left, EQ, (value,)),)
    return (asked,)


def _edge(bound: Constraint) -> Value | None:
    """The outermost value that a bound admits, where there is one."""
    if bound.operator in {LTEQ, GTEQ, EQ}:
        return bound.right[0]
    if bound.right[0].datatype != INTEGER:
        return None
    step = -1 if bound.operator == LT else 1
    return values.literal(str(int(bound.right[0].text) + step), INTEGER)


# --- hierarchies ---------------------------------------------------------------------------


def _terms(known: Operand) -> Terms | None:
    owner = getattr(known.compare, "__self__", None)
    return owner if isinstance(owner, Terms) else None


def _term(
    known: Operand, terms: Terms, outer: Sequence[Constraint], inner: Sequence[Constraint]
) -> tuple[Constraint, ...] | None:
    asked = [terms.same(v.text) for c in inner for v in c.right if c.operator != IS_NONE_OF]
    if not asked:
        return tuple(outer)
    named = {v.text for c in outer for v in c.right if c.operator != IS_NONE_OF}
    admitted = sorted(
        each
        for each in {*terms.tree, *named}
        if all(known.compare(c.operator, (iri(each),), c.right) is True for c in outer)
    )
    steps = _steps(terms.tree, asked[0])
    if not admitted:
        return None
    best = min(admitted, key=lambda each: (steps.get(terms.same(each), _MOST), each))
    return (Constraint(outer[0].left, EQ if EQ in known.operators else IS_A, (iri(best),)),)


def _steps(tree: Mapping[str, Term], start: str) -> dict[str, int]:
    """How many steps up or down each term is from `start`."""
    beside: dict[str, set[str]] = {}
    for term, found in tree.items():
        for parent in found.broader:
            beside.setdefault(term, set()).add(parent)
            beside.setdefault(parent, set()).add(term)
    steps, waiting = {start: 0}, deque([start])
    while waiting:
        term = waiting.popleft()
        for each in beside.get(term, ()):
            if each not in steps:
                steps[each] = steps[term] + 1
                waiting.append(each)
    return steps


def by_operand(constraints: Iterable[Constraint]) -> dict[str, list[Constraint]]:
    """Constraints by their left operand, in order."""
    found: dict[str, list[Constraint]] = {}
    for each in constraints:
        found.setdefault(each.left, []).append(each)
    return found
