"""What the compiler must know about a dataset, from its signed document."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from policies.plan.fields import Codebook

BASES: Final = (
    "consent",
    "public-task",
    "legal-obligation",
    "contract",
    "legitimate-interest",
    "vital-interest",
)


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """A dataset as a plan sees it.

    Attributes:
        id: the dataset's IRI, target of the agreement.
        codebook: its fields.
        personal: whether its rows are about persons.
        basis: the declared legal basis, one of `BASES`.
        category: the category of data that consents name.
        special: names of the special fields that may leave, having a declared condition (S5).
        linkage: what was measured, by time precision and whether results and extensions leave.
        dated: whether the rows have a record time.
    """

    id: str
    codebook: Codebook
    personal: bool
    basis: str | None
    category: str
    special: frozenset[str] = frozenset()
    linkage: Mapping[tuple[str, bool], str] = field(default_factory=dict)
    dated: bool = True
