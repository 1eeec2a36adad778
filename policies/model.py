"""The typed policy: what every other module of this room speaks about.

Inside there are only full IRIs and typed values; how ODRL is spelled is known to `odrl` alone.
Everything is frozen. Members marked "as received" do not take part in equality: they let us
send back a peer's policy in the peer's own order and spelling (an EDC compares literally).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from policies.remember import by_identity
from policies.vocabulary import XSD

PolicyKind = Literal["Offer", "Agreement", "Set"]
RuleKind = Literal["Permission", "Prohibition", "Duty"]
Role = Literal["action", "target", "assigner", "assignee"]
Conflict = Literal["perm", "prohibit", "invalid"]

ROLES: Final[tuple[Role, ...]] = ("action", "target", "assigner", "assignee")

DATE: Final = XSD + "date"
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

    Rarer parts (ODRL 2.2 section 2.5.1): the `unit` IRI of the value, the `references` from which
    the required value is to be had (then `right` may be empty), and the `status`, a value that the
    policy itself gives the left operand.
    `listed` says, as received, that the right operand was written as an array.
    """

    left: str
    operator: str
    right: tuple[Value, ...]
    unit: str | None = None
    references: tuple[str, ...] = ()
    status: Value | None = None
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
class Refinements:
    """What narrows the action, target and parties of one rule; empty in the ordinary case.

    Attributes:
        action, target, assigner, assignee: conditions on what is asked itself, while the
            constraints of a rule are conditions on the state of the world.
        collections: roles whose IRI names a collection (AssetCollection, PartyCollection): the
            rule is about its members.
        sources: role and IRI of what a collection is made of, where the policy names both.
        part_of: role and collection IRI, where the policy says that an asset or party is a member.
    """

    action: tuple[AnyConstraint, ...] = ()
    target: tuple[AnyConstraint, ...] = ()
    assigner: tuple[AnyConstraint, ...] = ()
    assignee: tuple[AnyConstraint, ...] = ()
    collections: tuple[Role, ...] = ()
    sources: tuple[tuple[Role, str], ...] = ()
    part_of: tuple[tuple[Role, str], ...] = ()

    def of(self, role: Role) -> tuple[AnyConstraint, ...]:
        """The conditions on one role."""
        found: tuple[AnyConstraint, ...] = getattr(self, role)
        return found

    def __bool__(self) -> bool:
        return self is not PLAIN and self != PLAIN


PLAIN: Final = Refinements()


@dataclass(frozen=True, slots=True)
class Duty:
    """An action that someone must do: a duty of a permission or an obligation of the policy.

    `consequences` are due when it was not fulfilled. `functions` are further party functions and
    relations (full property IRI, IRI), such as who is paid.
    """

    action: str
    constraints: tuple[AnyConstraint, ...] = ()
    target: str | None = None
    assigner: str | None = None
    assignee: str | None = None
    refined: Refinements = PLAIN
    consequences: "tuple[Duty, ...]" = ()
    functions: tuple[tuple[str, str], ...] = ()
    id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """A permission or a prohibition.

    `duties` belong to permissions only, `remedies` (due when it was infringed) to prohibitions.
    """

    kind: RuleKind
    action: str
    constraints: tuple[AnyConstraint, ...] = ()
    duties: tuple[Duty, ...] = ()
    target: str | None = None
    assigner: str | None = None
    assignee: str | None = None
    refined: Refinements = PLAIN
    remedies: tuple[Duty, ...] = ()
    functions: tuple[tuple[str, str], ...] = ()
    id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """An offer, an agreement or a set of rules, in the order received; its rules are atomic.

    `timestamp` is the instant of an agreement (RFC 3339), when the policy names it. `conflict` is
    None when the policy does not say: then prohibitions win, as with "prohibit" (ADR 0016).
    `inherits` names the policies whose rules belong to this one; until `inheritance.resolve` has
    added them the policy is incomplete, and an incomplete policy permits nothing. `metadata`
    (property IRI, text) says nothing about what may be done.
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
    conflict: Conflict | None = None
    inherits: tuple[str, ...] = ()
    profile: tuple[str, ...] = field(default=(), compare=False)
    metadata: tuple[tuple[str, str], ...] = field(default=(), compare=False)


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


def beyond(part: Policy | Rule | Duty | AnyConstraint) -> tuple[str, ...]:
    """ODRL members in use that the Dataspace Protocol's wire cannot carry, without repetition.

    For whoever handles ordinary policies only and must refuse, never ignore, the others.
    """
    found = _beyond(part) if isinstance(part, Policy) else _beyond_known(part)
    return tuple(dict.fromkeys(found))


@by_identity
def _beyond_known(part: Rule | Duty | AnyConstraint) -> tuple[str, ...]:
    return tuple(_beyond(part))


def _beyond(part: Policy | Rule | Duty | AnyConstraint) -> Iterator[str]:
    if isinstance(part, Policy):
        if part.conflict not in {None, "prohibit"}:
            yield "conflict"
        if part.inherits:
            yield "inheritFrom"
        rules: tuple[Rule | Duty, ...] = (*part.permissions, *part.prohibitions, *part.obligations)
        for each in rules:
            yield from _beyond_known(each)
    elif isinstance(part, LogicalConstraint):
        for child in part.operands:
            yield from _beyond(child)
    elif isinstance(part, Constraint):
        found = {"unit": part.unit, "rightOperandReference": part.references, "status": part.status}
        yield from (member for member, value in found.items() if value)
    else:
        yield from _beyond_rule(part)


def _beyond_rule(part: Rule | Duty) -> Iterator[str]:
    if any(part.refined.of(role) for role in ROLES):
        yield "refinement"
    for role in part.refined.collections:
        yield "AssetCollection" if role == "target" else "PartyCollection"
    if part.refined.sources:
        yield "source"
    if part.refined.part_of:
        yield "partOf"
    yield from (iri.rpartition("/")[2] for iri, _ in part.functions)
    later = part.remedies if isinstance(part, Rule) else part.consequences
    if later:
        yield "remedy" if isinstance(part, Rule) else "consequence"
    duties = part.duties if isinstance(part, Rule) else ()
    below: tuple[AnyConstraint | Duty, ...] = (*part.constraints, *duties, *later)
    for each in below:
        yield from _beyond_known(each)
