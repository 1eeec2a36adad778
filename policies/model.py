"""The typed policy: what every other module of this room speaks about.

Inside there are only full IRIs and typed values; how ODRL is spelled is known to `odrl` alone.
Everything is frozen. Members marked "as received" do not take part in equality: they let us
send back a peer's policy in the peer's own order and spelling (an EDC compares literally).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from policies.vocabulary import XSD

PolicyKind = Literal["Offer", "Agreement", "Set"]
RuleKind = Literal["Permission", "Prohibition", "Duty"]

DATETIME: Final = XSD + "dateTime"
DURATION: Final = XSD + "duration"
INTEGER: Final = XSD + "integer"
DECIMAL: Final = XSD + "decimal"
BOOLEAN: Final = XSD + "boolean"
STRING: Final = XSD + "string"


@dataclass(frozen=True, slots=True)
class Value:
    """An IRI (`datatype` is None) or a literal with its datatype IRI and canonical lexical form.

    `spelled` is, as received, the plain JSON string that stood for this value.
    """

    text: str
    datatype: str | None = None
    spelled: str | None = field(default=None, compare=False)

    @property
    def is_iri(self) -> bool:
        """Whether this value names something instead of being a literal."""
        return self.datatype is None


@dataclass(frozen=True, slots=True)
class Constraint:
    """One comparison: left operand IRI, operator IRI, and one or more required values.

    `listed` says, as received, that the right operand was written as an array.
    """

    left: str
    operator: str
    right: tuple[Value, ...]
    id: str | None = field(default=None, compare=False)
    listed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class LogicalConstraint:
    """Constraints under `and`, `or`, `xone` or `andSequence` (a full IRI)."""

    operator: str
    operands: "tuple[AnyConstraint, ...]"
    id: str | None = field(default=None, compare=False)


AnyConstraint = Constraint | LogicalConstraint


@dataclass(frozen=True, slots=True)
class Duty:
    """An action that someone must do: a duty of a permission or an obligation of the policy."""

    action: str
    constraints: tuple[AnyConstraint, ...] = ()
    target: str | None = None
    assigner: str | None = None
    assignee: str | None = None
    id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """A permission or a prohibition. `duties` belong to permissions only."""

    kind: RuleKind
    action: str
    constraints: tuple[AnyConstraint, ...] = ()
    duties: tuple[Duty, ...] = ()
    target: str | None = None
    assigner: str | None = None
    assignee: str | None = None
    id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """An offer, an agreement or a set of rules, in the order received.

    `timestamp` is the instant of an agreement (RFC 3339), when the policy names it.
    """

    kind: PolicyKind
    id: str
    target: str | None = None
    assigner: str | None = None
    assignee: str | None = None
    permissions: tuple[Rule, ...] = ()
    prohibitions: tuple[Rule, ...] = ()
    obligations: tuple[Duty, ...] = ()
    timestamp: str | None = None
    profile: tuple[str, ...] = field(default=(), compare=False)


def iri(text: str) -> Value:
    """The value that is this IRI."""
    return Value(text)


def atoms(constraints: tuple[AnyConstraint, ...]) -> Iterator[Constraint]:
    """Every atomic constraint below these, logical ones included, in order."""
    for constraint in constraints:
        if isinstance(constraint, Constraint):
            yield constraint
        else:
            yield from atoms(constraint.operands)
