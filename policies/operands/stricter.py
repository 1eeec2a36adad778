"""Treatments of which a stricter one satisfies what is asked of a milder one."""

from collections.abc import Callable, Mapping

from policies.model import Constraint, iri
from policies.operands.base import (
    EQ,
    IS_A,
    IS_ANY_OF,
    IS_NONE_OF,
    IS_PART_OF,
    Operand,
    Share,
    Terms,
    Vector,
)
from policies.vocabulary import Term


def stricter(
    left: str,
    tree: Mapping[str, Term],
    share: Callable[[frozenset[str]], Share],
    *,
    fr: str,
    en: str,
    vectors: tuple[Vector, ...],
) -> Operand:
    """An operand that configures the plan, which takes part as `share` of the terms that satisfy.

    Args:
        left: the operand's IRI.
        tree: its terms, the stricter ones below the milder ones.
        share: what a plan is asked for, given all terms that satisfy a constraint.
        fr: what people call it in French.
        en: and in English.
        vectors: comparisons that the tests run.
    """
    terms = Terms(tree, by_cover=True)

    def satisfying(constraint: Constraint) -> Share:
        def fits(term: str) -> bool:
            return terms.compare(constraint.operator, (iri(term),), constraint.right) is True

        return share(frozenset(filter(fits, tree)))

    return Operand(
        iri=left,
        datatype=None,
        operators=frozenset({EQ, IS_A, IS_ANY_OF, IS_PART_OF, IS_NONE_OF}),
        phases=frozenset({"transfer", "batch"}),
        source="plan",
        assurance="enforced",
        fr=fr,
        en=en,
        compare=terms.compare,
        implies=terms.implies,
        share=satisfying,
        vectors=vectors,
    )
