"""What is wrong with publishing an offer on a dataset, each finding with what to change.

An offer with a finding that refuses is not published; one that warns is shown and logged. The lint
knows the policy and what the steward declared; it never sees a row. By module (DECISIONS S5):

- `form`: every clause can be evaluated, has a source in this version, and is held;
- `contradiction`: clauses can hold together, and no rule takes another one back;
- `declared`: an end, a legal basis, a notice, a retention with its reason, persons;
- `risk`: impact assessment, artificial intelligence, price of an answer, exclusivity, roster;
- `together`: columns that reveal together what neither says alone;
- `promises`: clauses that look stronger than they are.
"""

from collections.abc import Iterable

from policies.lint.contradiction import contradiction
from policies.lint.declared import declared
from policies.lint.finding import AUDIENCES, Column, Declaration, Finding, Severity
from policies.lint.form import form
from policies.lint.promises import promises
from policies.lint.risk import risk
from policies.lint.texts import TEXTS
from policies.lint.together import together
from policies.model import Policy
from policies.problem import register

__all__ = [
    "AUDIENCES",
    "Column",
    "Declaration",
    "Finding",
    "Severity",
    "lint",
    "refusing",
    "warning",
]

register(TEXTS)


def lint(policy: Policy, declaration: Declaration) -> tuple[Finding, ...]:
    """Everything that is wrong with publishing this offer on this dataset; refusing ones first."""
    found = dict.fromkeys(
        [
            *form(policy, declaration),
            *contradiction(policy),
            *declared(policy, declaration),
            *risk(policy, declaration),
            *together(policy, declaration),
            *promises(policy, declaration),
        ]
    )
    return (*refusing(found), *warning(found))


def refusing(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that forbid publishing."""
    return tuple(each for each in findings if each.severity == "refuses")


def warning(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings to show and log."""
    return tuple(each for each in findings if each.severity == "warns")
