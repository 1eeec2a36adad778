"""One request against an offer: covered or not, which clause fails on which value, what to ask for.

The verdict is the evaluator's. What could be asked instead is searched among the ways in which
the offer can be met (its alternatives one by one), and believed only when the evaluator permits
the changed request. `asked` says the same request as a policy, for `differences`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, product
from typing import Any, Final

from policies import operands, phrases, values
from policies.compare.changed import ChangedOffer
from policies.compare.nearest import Nearest, by_operand, nearest
from policies.decision import Decision
from policies.evaluate import Fact, Request, decide
from policies.model import (
    DATETIME,
    AnyConstraint,
    Constraint,
    LogicalConstraint,
    Policy,
    Rule,
    Value,
)
from policies.naming import node, value_node
from policies.operands import Operand, Phase
from policies.operands.base import EQ
from policies.problem import Language
from policies.trace import ConstraintTrace
from policies.vocabulary import ODRL, action_covers
from policies.world import NOTHING, World

_AND: Final = ODRL + "and"
_WAYS: Final = 64


@dataclass(frozen=True, slots=True)
class Failing:
    """A clause that a request does not meet: the clause, and the value it was judged on."""

    clause: Constraint
    seen: tuple[Value, ...] | None

    def sentence(self, lang: Language) -> str:
        """The clause and the value in words."""
        said = phrases.constraint(self.clause, lang)
        if not self.seen:
            unknown = phrases.pick(("aucune valeur", "no value"), lang)
            return f"{said} ({unknown})."
        found = phrases.listing(phrases.value(each, lang) for each in self.seen)
        here = phrases.pick(("valeur vue :", "value seen:"), lang)
        return f"{said} ({here} {found})."

    def document(self) -> dict[str, Any]:
        """The clause for machines."""
        seen = None if self.seen is None else [value_node(each) for each in self.seen]
        return {
            "operand": self.clause.left,
            "clause": node(self.clause),
            "seen": seen,
            "fr": self.sentence("fr"),
            "en": self.sentence("en"),
        }


@dataclass(frozen=True, slots=True)
class Answered:
    """A request compared with an offer.

    `failing` holds the clauses not met, `proposals` the nearest acceptable values that make the
    offer cover the request (empty when it does, or when none do), `changed` the same as a changed
    offer as far as that format can say it.
    """

    decision: Decision
    failing: tuple[Failing, ...]
    proposals: tuple[Nearest, ...]
    changed: ChangedOffer | None

    @property
    def covered(self) -> bool:
        """Whether the offer covers the request as it stands."""
        return self.decision.permitted


def answer(
    offer: Policy,
    request: Request,
    facts: Mapping[str, Fact],
    now: datetime,
    phase: Phase = "negotiation",
    world: World = NOTHING,
) -> Answered:
    """Whether an offer covers a request, and the nearest request that it would cover."""
    decision = decide(offer, request, facts, now, phase, world=world)
    if decision.permitted:
        return Answered(decision, (), (), None)
    failing = tuple(_failing(decision))
    best: tuple[Nearest, ...] = ()
    for way in _ways(offer, request.action):
        proposals = _proposals(way, request, facts, failing)
        tried = replace(request, claims={**request.claims, **_claims(proposals)})
        known = {**facts, **{k: f for k, f in _claims(proposals).items() if k in facts}}
        fewer = bool(proposals) and (not best or len(proposals) < len(best))
        if fewer and decide(offer, tried, known, now, phase, world=world).permitted:
            best = proposals
    changed = ChangedOffer.of(c for each in best for c in each.constraints)
    return Answered(decision, failing, best, changed)


def asked(offer: Policy, request: Request, facts: Mapping[str, Fact], now: datetime) -> Policy:
    """A request as the policy that it asks for: each known value as a clause of its own.

    It accepts the promises of the offer, and those of its clauses that are decided later.
    """
    pins = [
        Constraint(left, EQ, (value,))
        for left, fact in (*facts.items(), *request.claims.items())
        for value in fact.values
    ]
    pins.append(Constraint(ODRL + "dateTime", EQ, (values.literal(values.show(now), DATETIME),)))
    fitting = [r for r in offer.permissions if action_covers(r.action, request.action)]
    later = [c for r in fitting for c in _atoms_later(r.constraints)]
    duties = fitting[0].duties if fitting else ()
    rule = Rule("Permission", request.action, (*pins, *later), duties)
    return replace(
        offer,
        target=request.target,
        assignee=request.assignee,
        permissions=(replace(rule, target=None),),
    )


def _failing(decision: Decision) -> Iterator[Failing]:
    """The clauses not met of the permission that came closest."""
    rules = [t for t in decision.trace if t.kind == "Permission" and t.applies]
    found = [list(_leaves(rule.constraints)) for rule in rules]
    yield from min(found, key=len, default=[])


def _leaves(traces: tuple[ConstraintTrace, ...]) -> Iterator[Failing]:
    for trace in traces:
        if trace.outcome not in {"unsatisfied", "undetermined"}:
            continue
        if trace.children:
            yield from _leaves(trace.children)
        elif isinstance(trace.part, Constraint):
            yield Failing(trace.part, trace.seen)


def _ways(offer: Policy, action: str) -> Iterator[tuple[Constraint, ...]]:
    """The conjunctions that each make a permission hold, as far as `and` and `or` go."""
    rules = [r for r in offer.permissions if action_covers(r.action, action)]
    yield from islice((way for rule in rules for way in _either(rule.constraints)), _WAYS)


def _either(constraints: tuple[AnyConstraint, ...]) -> Iterator[tuple[Constraint, ...]]:
    branches = [list(islice(_branches(each), _WAYS)) for each in constraints]
    for chosen in product(*branches):
        yield tuple(atom for part in chosen for atom in part)


def _branches(each: AnyConstraint) -> Iterator[tuple[Constraint, ...]]:
    if isinstance(each, Constraint):
        yield (each,)
    elif each.operator == _AND:
        yield from _either(each.operands)
    else:
        for child in each.operands:
            yield from _branches(child)


def _proposals(
    way: tuple[Constraint, ...],
    request: Request,
    facts: Mapping[str, Fact],
    failing: tuple[Failing, ...],
) -> tuple[Nearest, ...]:
    """What to put instead on each operand of this way that fails; () when one has no nearest."""
    bad = {each.clause.left for each in failing}
    found: list[Nearest] = []
    for left, clauses in by_operand(way).items():
        if left not in bad:
            continue
        fact = facts.get(left) or request.claims.get(left)
        said = fact.values if fact is not None else ()
        near = nearest(left, clauses, [Constraint(left, EQ, (value,)) for value in said])
        if near is None:
            return ()
        found.append(near)
    return tuple(found)


def _claims(proposals: tuple[Nearest, ...]) -> dict[str, Fact]:
    return {
        each.operand: Fact(each.constraints[0].right, "counter-offer", "declared")
        for each in proposals
    }


def _atoms_later(constraints: tuple[AnyConstraint, ...]) -> Iterator[AnyConstraint]:
    """The clauses, in whatever branch, that no negotiation decides."""
    for each in constraints:
        if isinstance(each, LogicalConstraint):
            yield from _atoms_later(each.operands)
        elif (operand := operands.find(each.left)) and _later(operand, each):
            yield each


def _later(operand: Operand, each: Constraint) -> bool:
    return "negotiation" not in operand.phases_of(each)
