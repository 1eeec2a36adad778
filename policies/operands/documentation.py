"""The page `docs/operands.md`, drawn from the registry and the reviewed table of purposes.

Draw it: python -c 'from policies.operands.documentation import page; print(page(), end="")'.
"""

import inspect
from types import ModuleType
from typing import Final

from policies.operands import MODULES
from policies.operands.base import PHASES, Operand, Vector
from policies.purposes import REVIEWED
from policies.vocabulary import compact

_PHASES: Final = {
    "catalog": "in the catalog",
    "negotiation": "at negotiation",
    "transfer": "when a transfer starts",
    "batch": "before each part",
    "record": "for each row",
    "monitor": "when facts change",
    "after": "in duties only",
}
_HEAD: Final = """# Operands

Drawn from the files in `policies/operands/known` by `policies/operands/documentation.py`; a test
compares. An operand that is not here is unknown: it denies, and an offer with it is not published.

*Enforced*: by the provider's node, on the data. *Attested*: by authentication or a credential.
*Declared*: signed by the counterparty, or written down by the operator. *Contractual*: law only.
An operand without a source yet is undetermined, never true; the linter refuses offers with it.

| operand | values | value from | assurance | source yet |
|---|---|---|---|---|
"""
_PURPOSES: Final = """## Foreign purposes

What became of purposes that others use, and why. *Same*: folded into the term. *Apart*: not taken
for the term, which is what to use instead where it fits. All others equal themselves only.

| purpose | | term | why |
|---|---|---|---|
"""


def page() -> str:
    """The whole of `docs/operands.md`."""
    modules = sorted(MODULES, key=lambda module: compact(module.OPERAND.iri))
    rows = "".join(map(_row, modules))
    purposes = "".join(
        f"| `{compact(iri)}` | {found.relation} | `{compact(found.term)}` | {found.why} |\n"
        for iri, found in sorted(REVIEWED.items(), key=lambda item: compact(item[0]))
    )
    return _HEAD + rows + "\n" + "\n".join(map(_section, modules)) + "\n" + _PURPOSES + purposes


def _row(module: ModuleType) -> str:
    one: Operand = module.OPERAND
    note = f" ({one.note[1]})" if one.note[1] else ""
    cells = (
        f"[`{compact(one.iri)}`](#{compact(one.iri).replace(':', '').lower()})",
        "IRI" if one.datatype is None else compact(one.datatype),
        one.source,
        one.assurance + note,
        "yes" if one.sourced else "**no**",
    )
    return f"| {' | '.join(cells)} |\n"


def _section(module: ModuleType) -> str:
    one: Operand = module.OPERAND
    said = inspect.cleandoc(module.__doc__ or "")
    first, _, rest = said.partition("\n\n")
    sentence = first.partition(": ")[2]
    body = sentence[:1].upper() + sentence[1:] + (f"\n\n{rest}" if rest else "")
    operators = ", ".join(f"`{compact(each)}`" for each in sorted(one.operators))
    phases = ", ".join(_PHASES[phase] for phase in PHASES if phase in one.phases)
    private = " Private: its value and outcome are never shared." if one.private else ""
    examples = "".join(f"- {_example(vector)}\n" for vector in one.vectors)
    return (
        f"### {compact(one.iri)}\n\n{body.rstrip()}\n\n"
        f"{one.fr[:1].upper()}{one.fr[1:]}. Evaluated {phases}.{private}\n"
        f"Operators: {operators}.\n\n"
        f"{examples}"
    )


def _example(vector: Vector) -> str:
    answers = {True: "holds", False: "fails", None: "cannot be told"}
    seen, required = (
        ", ".join(f"`{each}`" for each in _many(values)) or "nothing"
        for values in (vector.seen, vector.required)
    )
    return f"{seen} *{vector.operator}* {required}: {answers[vector.answer]}"


def _many(values: str | tuple[str, ...]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else values
