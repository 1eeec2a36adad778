"""What a linter's rule reads and says: the declaration, the finding, and how to walk a policy."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from policies.model import AnyConstraint, Constraint, LogicalConstraint, Rule
from policies.operands.base import EQ, IS_A, IS_ANY_OF, IS_PART_OF
from policies.problem import Problem
from policies.vocabulary import ODRL, PREAU

Severity = Literal["refuses", "warns"]

AUDIENCES: Final = ("adults", "minors", "mixed")
POSITIVE: Final = frozenset({EQ, IS_A, IS_ANY_OF, IS_PART_OF})
"""Operators that name what is admitted."""
_AND: Final = ODRL + "and"
_WARNINGS: Final = frozenset(
    {
        "policy-lint-ai-undeclared",
        "policy-lint-any-purpose",
        "policy-lint-dead-branch",
        "policy-lint-no-deletion",
        "policy-lint-only-declared",
        "policy-lint-risk-evaluation",
        "policy-lint-risk-matching",
        "policy-lint-risk-minors",
        "policy-lint-risk-scale",
        "policy-lint-risk-special",
        "policy-lint-single-recipient",
        "policy-lint-unattested-deletion",
        "policy-lint-void-prohibition",
    }
)


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the codebook, as far as it matters here: name, type, what it says of persons.

    `conditioned` fields hold special categories of data and leave under a declared Article 9
    condition; others that hold them never leave.
    """

    name: str
    type: str = "string"
    personal: str = "no"
    conditioned: bool = False


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the steward declared about the dataset, as far as it matters here.

    Attributes:
        personal: whether any row is about a person (the profile's word, not only the steward's).
        audience: adults, minors, mixed; anything else is unknown.
        basis: legal basis, one of `plan.BASES`.
        notice: IRI of the information given to the persons.
        retention, retention_default: xsd:durations; this dataset's, and the institution's own.
        retention_reason: why this one is longer.
        until: RFC 3339 end of the offer, when declared beside the policy.
        fields: names of the codebook; empty when not known yet.
        subjects: whether the rows say whom they are about (a table may not).
        identifying: names of fields that identify persons, or tell of them what is special.
        dated: whether the rows have a record time.
        columns: the codebook; empty when not known yet.
        persons: how many persons the rows are about, None when not known yet.
        dpia: reference of the data protection impact assessment.
        ai: whether the use is one of artificial intelligence; None when nobody said.
        ai_reference: its reference under the AI Act.
        service_condition: whether a service, a price or a duty depends on a learner's answer.
        roster: parties that hold the list of all persons: DIDs and `group:NAME`.
        public_body: whether the publisher is one; a public task says so too.
        exclusive: whether nobody else may get the data on these terms.
        now: the instant of publishing; None leaves open whether the offer has ended.
    """

    personal: bool
    audience: str | None = None
    basis: str | None = None
    notice: str | None = None
    retention: str | None = None
    retention_default: str | None = None
    retention_reason: str | None = None
    until: str | None = None
    fields: frozenset[str] = frozenset()
    subjects: bool = True
    identifying: frozenset[str] = frozenset()
    dated: bool = True
    columns: tuple[Column, ...] = ()
    persons: int | None = None
    dpia: str | None = None
    ai: bool | None = None
    ai_reference: str | None = None
    service_condition: bool = False
    roster: frozenset[str] = frozenset()
    public_body: bool = False
    exclusive: bool = False
    now: datetime | None = None

    @property
    def minors(self) -> bool:
        """Whether minors may be among the persons; not known is yes."""
        return self.personal and self.audience != "adults"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to change: `code` and parameters as in the texts, and where in the policy."""

    code: str
    path: str
    params: tuple[tuple[str, str], ...] = ()

    @property
    def severity(self) -> Severity:
        """Whether it forbids publishing, or is shown and logged."""
        return "warns" if self.code in _WARNINGS else "refuses"

    def problem(self) -> Problem:
        """The finding as the exception that people see."""
        return Problem(self.code, path=self.path, **dict(self.params))

    def document(self) -> dict[str, object]:
        """code, severity, path, fr, en, do (fr, en), params: the finding for machines."""
        return {**self.problem().document(), "severity": self.severity, "path": self.path}


def finding(code: str, path: str, **params: str) -> Finding:
    """A finding with its parameters."""
    return Finding(code, path, tuple(sorted(params.items())))


def conjuncts(constraints: tuple[AnyConstraint, ...]) -> Iterator[AnyConstraint]:
    """Constraints that must all hold, those under `and` one by one."""
    for each in constraints:
        if isinstance(each, LogicalConstraint) and each.operator == _AND:
            yield from conjuncts(each.operands)
        else:
            yield each


def asked(rule: Rule, left: str) -> Iterator[Constraint]:
    """The comparisons on one operand that must all hold."""
    for each in conjuncts(rule.constraints):
        if isinstance(each, Constraint) and each.left == left:
            yield each


def admitted(rule: Rule, left: str) -> frozenset[str]:
    """The IRIs that a permission admits for an operand; empty when it names none."""
    return frozenset(
        value.text
        for each in asked(rule, left)
        if each.operator in POSITIVE
        for value in each.right
    )


def by_row(rule: Rule) -> bool:
    """Whether rows leave under this permission, not only rows or figures about groups."""
    return not any(
        value.text != PREAU + "Row"
        for each in asked(rule, PREAU + "aggregationLevel")
        if each.operator in POSITIVE
        for value in each.right
    )
