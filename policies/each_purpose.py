"""One policy for each purpose that a policy admits (P6).

A connector that cannot send an application declares its purpose by the offer it chooses; so the
offers must differ in their purpose.
"""

from dataclasses import replace

from policies.model import AnyConstraint, Constraint, Policy, Rule, Value
from policies.vocabulary import ODRL

_PURPOSE = ODRL + "purpose"
_ADMITTING = frozenset({ODRL + word for word in ("eq", "isA", "isAnyOf", "isPartOf")})


def one_each(policy: Policy) -> tuple[Policy, ...]:
    """The policy once for each purpose its permissions name, narrowed to that one, in their
    order; the policy itself where they name none or one, or not as a condition of its own.
    """
    named = dict.fromkeys(value for rule in policy.permissions for value in _purposes(rule))
    if len(named) < 2:
        return (policy,)
    return tuple(_narrowed(policy, purpose) for purpose in named)


def _narrowed(policy: Policy, purpose: Value) -> Policy:
    kept = [
        replace(rule, id=None, constraints=tuple(_only(each, purpose) for each in rule.constraints))
        for rule in policy.permissions
        if purpose in _purposes(rule) or not _purposes(rule)
    ]
    return replace(policy, permissions=tuple(kept))


def _purposes(rule: Rule) -> tuple[Value, ...]:
    return tuple(value for each in rule.constraints for value in _named(each))


def _named(constraint: AnyConstraint) -> tuple[Value, ...]:
    """The purposes that a constraint admits; none for a constraint about something else."""
    if not isinstance(constraint, Constraint) or constraint.left != _PURPOSE:
        return ()
    return constraint.right if constraint.operator in _ADMITTING else ()


def _only(constraint: AnyConstraint, purpose: Value) -> AnyConstraint:
    if isinstance(constraint, Constraint) and purpose in _named(constraint):
        return replace(constraint, id=None, right=(purpose,))
    return constraint
