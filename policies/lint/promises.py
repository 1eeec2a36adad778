"""Clauses that look stronger than they are: the recipient's word, deletions nobody hears of."""

from collections.abc import Iterator
from typing import Final

from policies.lint.finding import Declaration, Finding, admitted, finding
from policies.model import Duty, Policy, atoms
from policies.vocabulary import ODRL, PREAU, compact

_BY_WORD: Final = (PREAU + "recipientCountry", PREAU + "processingLocation", ODRL + "spatial")
_PURPOSE: Final = ODRL + "purpose"


def promises(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """Warnings about what only looks enforceable."""
    for index, rule in enumerate(policy.permissions):
        path = f"permission[{index}]"
        lefts = {atom.left for atom in atoms(rule.constraints)}
        for left in _BY_WORD:
            if left in lefts:
                yield finding("policy-lint-only-declared", path, operand=compact(left))
        if declaration.personal and not admitted(rule, _PURPOSE):
            yield finding("policy-lint-any-purpose", path)
    yield from _deletion(policy, declaration)


def _deletion(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """Personal data are deleted in the end, and the recipient says when it did."""
    for index, rule in enumerate(policy.permissions):
        duties = (*rule.duties, *policy.obligations)
        if not declaration.personal:
            return
        if not any(_deletes(each) for each in duties):
            yield finding("policy-lint-no-deletion", f"permission[{index}]")
        elif not any(each.action == PREAU + "attestDeletion" for each in duties):
            yield finding("policy-lint-unattested-deletion", f"permission[{index}]")


def _deletes(duty: Duty) -> bool:
    """Whether a duty ends the keeping of data at some time, not only on an event."""
    lefts = {atom.left for atom in atoms(duty.constraints)}
    return duty.action in {ODRL + "delete", ODRL + "anonymize"} and ODRL + "event" not in lefts
