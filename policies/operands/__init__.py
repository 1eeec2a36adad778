"""The registry of left operands: one table entry per operand, one small file per family.

An operand that is not here is unknown: it evaluates to `undetermined`, an offer that uses it
cannot be published, and a policy that carries it is explained with the operand named as unknown.
To add one: write a file that declares an `Operand`, list it below, add its vectors to
`tests/policies/operands`, and its line to `docs/policies.md` (a test compares).
"""

from collections.abc import Mapping
from typing import Final

from policies.operands import (
    content,
    duties,
    learners,
    ledger,
    party,
    purpose,
    time,
    treatment,
)
from policies.operands.base import Assurance, Operand, Phase, Share, Source

__all__ = ["REGISTRY", "Assurance", "Operand", "Phase", "Share", "Source", "find"]

REGISTRY: Final[Mapping[str, Operand]] = {
    operand.iri: operand
    for family in (content, duties, learners, ledger, party, purpose, time, treatment)
    for operand in family.OPERANDS
}


def find(iri: str) -> Operand | None:
    """The operand with this full IRI, None when nobody can evaluate it."""
    return REGISTRY.get(iri)
