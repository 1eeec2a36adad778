"""Making a policy narrower: by an application, by a changed offer; never wider than before."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from policies import application as applications
from policies import phrases, values
from policies.application import Application
from policies.compare import changed as changes
from policies.compare.changed import PURPOSE, ChangedOffer
from policies.compare.covering import flatten, implied
from policies.model import (
    DURATION,
    AnyConstraint,
    Constraint,
    Duty,
    Policy,
    Rule,
    Value,
    atoms,
    iri,
)
from policies.naming import name
from policies.operands.base import EQ, LTEQ
from policies.problem import Problem
from policies.vocabulary import ODRL

_DELETE: Final = ODRL + "delete"
_ELAPSED: Final = ODRL + "elapsedTime"


def narrow(offer: Policy, application: Application) -> Policy:
    """The published offer with the application's constraints added to each permission (P4)."""
    added = applications.constraints(application)
    return replace(
        _each_permission(offer, lambda rule: _union(rule.constraints, added)),
        target=offer.target or application.dataset,
    )


def resubmit(policy: Policy, application: Application) -> Policy:
    """The policy on the table narrowed by a new application: never wider than the table."""
    added = applications.constraints(application)
    return _each_permission(policy, lambda rule: _tighten(rule.constraints, added))


def change(offer: Policy, changed: ChangedOffer) -> Policy:
    """The offer under negotiation with the changes applied: on no point wider than before.

    A purpose replaces the one that was asked; everything else is added, and what it makes
    redundant is dropped. Whether the application still covers it is `application_covers`'s to say.

    Raises:
        Problem: `policy-changed-wider`, when a retention would be longer than the offer's, or
            a purpose lies outside the published ones.
    """
    added = changes.constraints(changed)
    if changed.purpose is not None:
        _check_purpose(offer, changed.purpose)
    policy = _each_permission(offer, lambda rule: _tighten(rule.constraints, added))
    if changed.retention is None:
        return policy
    limit = values.literal(changed.retention, DURATION)
    return replace(
        policy,
        permissions=tuple(
            replace(rule, duties=tuple(_shorten(duty, limit) for duty in rule.duties))
            for rule in policy.permissions
        ),
        obligations=tuple(_shorten(duty, limit) for duty in policy.obligations),
    )


# --- narrowing -----------------------------------------------------------------------------


def _each_permission(
    policy: Policy, narrower: Callable[[Rule], tuple[AnyConstraint, ...]]
) -> Policy:
    return replace(
        policy,
        permissions=tuple(replace(rule, constraints=narrower(rule)) for rule in policy.permissions),
    )


def _union(
    mine: tuple[AnyConstraint, ...], added: Iterable[AnyConstraint]
) -> tuple[AnyConstraint, ...]:
    known = {name(each) for each in mine}
    return (*mine, *(each for each in added if name(each) not in known))


def _tighten(
    mine: tuple[AnyConstraint, ...], added: tuple[Constraint, ...]
) -> tuple[AnyConstraint, ...]:
    """The constraints with others added; what these replace or make redundant is dropped."""
    purposes = any(each.left == PURPOSE for each in added)
    kept = tuple(
        each
        for each in mine
        if not (
            isinstance(each, Constraint)
            and (
                (purposes and each.left == PURPOSE and each.operator == EQ)
                or (each.left in {a.left for a in added} and _made_redundant(each, added))
            )
        )
    )
    return _union(kept, (each for each in added if not implied(each, kept)))


def _made_redundant(each: Constraint, added: tuple[Constraint, ...]) -> bool:
    """A published purpose list stays beside the purpose asked, so that both can be read."""
    return each.left != PURPOSE and implied(each, added)


def _check_purpose(offer: Policy, purpose: str) -> None:
    """A purpose outside the published ones would make an offer that permits nothing."""
    asked = (Constraint(PURPOSE, EQ, (iri(purpose),)),)
    for rule in offer.permissions:
        for each in flatten(rule.constraints):
            if not isinstance(each, Constraint) or (each.left, each.operator) == (PURPOSE, EQ):
                continue
            if each.left == PURPOSE and not implied(each, asked):
                said = phrases.constraint(each, "en")
                raise Problem("policy-changed-wider", path="purpose", expected=said)


def _shorten(duty: Duty, limit: Value) -> Duty:
    if duty.action != _DELETE:
        return duty
    new = Constraint(_ELAPSED, LTEQ, (limit,))
    for atom in atoms(duty.constraints):
        if atom.left == _ELAPSED and not implied(atom, (new,)):
            raise Problem(
                "policy-changed-wider",
                path="params.retention",
                expected=phrases.constraint(atom, "en"),
            )
    return replace(duty, constraints=_tighten(duty.constraints, (new,)))
