"""The registry of left operands: one small file each, in `known`.

An operand that is not here is unknown: it evaluates to `undetermined`, an offer that uses it
cannot be published, and a policy that carries it is explained with the operand named as unknown.
To add one: write a file in `known` with an `OPERAND` and its vectors (at least one comparison that
holds, one that fails, one that cannot be told). Nothing lists it; its tests and its entry in
`docs/operands.md` come from the file, and a test fails until that page is drawn again
(`documentation`).
"""

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Final

from policies.operands import known
from policies.operands.base import Assurance, Operand, Phase, Share, Source, Vector

__all__ = [
    "MODULES",
    "REGISTRY",
    "Assurance",
    "Operand",
    "Phase",
    "Share",
    "Source",
    "Vector",
    "find",
]

MODULES: Final[tuple[ModuleType, ...]] = tuple(
    import_module(f"{known.__name__}.{found.name}")
    for found in pkgutil.iter_modules(known.__path__)
)
"""The files of `known`, in order of their names."""

REGISTRY: Final[Mapping[str, Operand]] = {
    operand.iri: operand for operand in (module.OPERAND for module in MODULES)
}


def find(iri: str) -> Operand | None:
    """The operand with this full IRI, None when nobody can evaluate it."""
    return REGISTRY.get(iri)
