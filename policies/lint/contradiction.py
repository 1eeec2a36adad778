"""Clauses that cannot hold together: empty intervals, disjoint purposes, a forbidden permission.

What an operand can be is tried out, with the comparison that the evaluator uses: the values named,
their neighbours just below and above, and every term of the vocabularies. Of ordered values these
are enough, since whatever satisfies comparisons reaches up to one of their bounds. Clauses are
found contradictory only if every value named definitely fails one of them, and no other candidate
satisfies all.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Final

from policies import operands, values, vocabulary
from policies.lint.finding import POSITIVE, Finding, conjuncts, finding
from policies.model import (
    DATETIME,
    DECIMAL,
    DURATION,
    INTEGER,
    STRING,
    AnyConstraint,
    Constraint,
    LogicalConstraint,
    Policy,
    Rule,
    Value,
    iri,
)
from policies.operands import Operand
from policies.values import Duration
from policies.vocabulary import action_covers, compact

_OTHER: Final = iri("urn:preau:any-other")
_TICK: Final = timedelta(microseconds=1)
_STEP: Final = Decimal("0.000001")


def contradiction(policy: Policy) -> Iterator[Finding]:
    """Findings about rules that can never hold, or that another rule takes back."""
    for index, rule in enumerate(policy.permissions):
        path = f"permission[{index}]"
        yield from _impossible(rule, path)
        yield from _forbidden(rule, path, policy.prohibitions)
    for index, rule in enumerate(policy.prohibitions):
        for _ in _impossible(rule, f"prohibition[{index}]"):
            yield finding("policy-lint-void-prohibition", f"prohibition[{index}]")
            break
    for index, duty in enumerate(policy.obligations):
        if _never_allowed(duty.action, policy.prohibitions):
            path, action = f"obligation[{index}]", compact(duty.action)
            yield finding("policy-lint-forbidden-duty", path, action=action)


def possible(constraints: Iterable[Constraint]) -> bool:
    """Whether some value can satisfy these comparisons on one operand together."""
    given = list(constraints)
    operand = operands.find(given[0].left) if given else None
    if operand is None or any(each.operator not in operand.operators for each in given):
        return True  # said already, more precisely
    named = tuple(dict.fromkeys(chain.from_iterable(each.right for each in given)))

    def outcomes(*candidate: Value) -> set[bool | None]:
        return {operand.compare(each.operator, candidate, each.right) for each in given}

    if any(False not in outcomes(value) for value in named if not _below(value, operand.least)):
        return True
    return any(outcomes(*values) == {True} for values in _candidates(operand, named, given))


def _impossible(rule: Rule, path: str) -> Iterator[Finding]:
    parts = list(conjuncts(rule.constraints))
    atoms = [each for each in parts if isinstance(each, Constraint)]
    for left in dict.fromkeys(atom.left for atom in atoms):
        if not possible(atom for atom in atoms if atom.left == left):
            yield finding("policy-lint-contradiction", path, operand=compact(left))
    for part in parts:
        if not isinstance(part, LogicalConstraint):
            continue
        dead = [branch for branch in part.operands if not _together(branch, atoms)]
        if part.operands and len(dead) == len(part.operands):
            lefts = ", ".join(sorted({compact(left) for b in dead for left in _lefts(b)}))
            yield finding("policy-lint-contradiction", path, operand=lefts)
        elif dead:
            lefts = ", ".join(sorted({compact(left) for b in dead for left in _lefts(b)}))
            yield finding("policy-lint-dead-branch", path, operand=lefts)


def _together(branch: AnyConstraint, outer: list[Constraint]) -> bool:
    inner = [each for each in conjuncts((branch,)) if isinstance(each, Constraint)]
    return all(
        possible([each for each in (*outer, *inner) if each.left == left])
        for left in dict.fromkeys(each.left for each in inner)
    )


def _lefts(part: AnyConstraint) -> Iterator[str]:
    if isinstance(part, Constraint):
        yield part.left
    else:
        yield from chain.from_iterable(map(_lefts, part.operands))


def _forbidden(rule: Rule, path: str, prohibitions: tuple[Rule, ...]) -> Iterator[Finding]:
    """A permission that a prohibition takes back whenever it would permit."""
    held = [each for each in conjuncts(rule.constraints) if isinstance(each, Constraint)]
    for each in prohibitions:
        asks = list(conjuncts(each.constraints))
        if (
            action_covers(each.action, rule.action)
            and each.target in {None, rule.target}
            and each.assignee in {None, rule.assignee}
            and all(_implied(one, held) for one in asks)
        ):
            yield finding("policy-lint-forbidden", path, action=compact(rule.action))
    for index, duty in enumerate(rule.duties):
        if _never_allowed(duty.action, prohibitions):
            action = compact(duty.action)
            yield finding("policy-lint-forbidden-duty", f"{path}.duty[{index}]", action=action)


def _implied(outer: AnyConstraint, held: list[Constraint]) -> bool:
    if not isinstance(outer, Constraint):
        return False
    operand = operands.find(outer.left)
    return outer in held or (
        operand is not None
        and any(operand.implies(each, outer) for each in held if each.left == outer.left)
    )


def _never_allowed(action: str, prohibitions: tuple[Rule, ...]) -> bool:
    return any(
        action_covers(each.action, action)
        and not each.constraints
        and each.target is None
        and each.assignee is None
        for each in prohibitions
    )


# --- candidates ----------------------------------------------------------------------------


def _candidates(
    operand: Operand, named: tuple[Value, ...], given: list[Constraint]
) -> Iterator[tuple[Value, ...]]:
    """Values that nobody named, and all those admitted at once (a party is in many groups)."""
    if operand.datatype is None:
        yield from ((each,) for each in (*_terms(), _OTHER))
        yield tuple(v for each in given if each.operator in POSITIVE for v in each.right)
    elif operand.datatype == STRING:
        yield (Value(_OTHER.text, STRING),)
    for each in named:
        for near in _neighbours(each):
            if not _below(near, operand.least):
                yield (near,)


@cache
def _terms() -> tuple[Value, ...]:
    tables = (
        vocabulary.PURPOSES,
        vocabulary.CATEGORIES,
        vocabulary.TREATMENTS,
        vocabulary.PRECISIONS,
        vocabulary.STATUSES,
        vocabulary.ROLES,
        vocabulary.HOSTING,
        vocabulary.LEVELS,
    )
    return tuple(iri(term) for table in tables for term in table)


def _neighbours(value: Value) -> Iterator[Value]:
    """The values just below and just above, as far as there are any."""
    parsed = values.parse(value)
    if isinstance(parsed, bool) or parsed is None:
        return
    if isinstance(parsed, datetime):
        for moment in (parsed - _TICK, parsed + _TICK):
            yield values.literal(values.show(moment), DATETIME)
    elif isinstance(parsed, Duration):
        for seconds in (parsed.seconds - 1, parsed.seconds + 1):
            if seconds >= 0:
                yield values.literal(Duration(parsed.months, seconds).text(), DURATION)
    elif isinstance(parsed, int):
        yield from (values.literal(str(parsed + step), INTEGER) for step in (-1, 1))
    elif isinstance(parsed, Decimal):
        yield from (values.literal(str(parsed + step), DECIMAL) for step in (-_STEP, _STEP))


def _below(value: Value, least: int | None) -> bool:
    sign = None if least is None else values.order(value, values.literal(str(least), INTEGER))
    return sign is not None and sign < 0
