"""The registry: every operand complete, its vectors true, its page up to date."""

from datetime import UTC, datetime, timedelta

import pytest

from policies import odrl, operands, values
from policies.evaluate import Fact, Request, decide
from policies.model import Policy, Value
from policies.naming import name
from policies.operands import MODULES, REGISTRY, Operand, Vector
from policies.operands.base import PHASES
from policies.operands.documentation import page
from policies.vocabulary import ODRL, compact
from tests.support.source import ROOT

VECTORS = [(one, vector) for one in REGISTRY.values() for vector in one.vectors]
NAMES = [
    f"{number} {compact(each.iri)} {vector.operator}"
    for number, (each, vector) in enumerate(VECTORS)
]
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def many(spelled: str | tuple[str, ...]) -> tuple[str, ...]:
    return (spelled,) if isinstance(spelled, str) else spelled


def value_of(operand: Operand, text: str) -> Value:
    if operand.datatype is None:
        return Value(odrl.iri(text))
    return values.literal(text, operand.datatype)


def read(operand: Operand, vector: Vector, *, full: bool) -> Policy:
    """An offer with the vector's constraint, in full or in prefixed spelling."""
    base = ODRL if full else ""
    right: list[object] = [
        {"@id": odrl.iri(text) if full else text}
        if operand.datatype is None
        else {"@value": text, "@type": operand.datatype if full else compact(operand.datatype)}
        for text in many(vector.required)
    ]
    constraint = {
        "leftOperand": operand.iri if full else compact(operand.iri),
        "operator": base + vector.operator,
        "rightOperand": right,
    }
    rule = {"action": base + "use", "constraint": [constraint]}
    return odrl.read({"@type": "Offer", "permission": [rule]})


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
def test_an_operand_is_complete(module):
    operand = module.OPERAND
    assert isinstance(operand, Operand)
    assert operand.fr != operand.en
    assert operand.phases
    assert operand.phases <= set(PHASES)
    assert operand.operators
    first = (module.__doc__ or "").splitlines()[0]
    assert first.startswith(f"{compact(operand.iri)}: ")
    assert first.endswith((".", "?"))
    assert {vector.answer for vector in operand.vectors} == {True, False, None}


def test_every_operand_has_its_own_file():
    assert len(REGISTRY) == len(MODULES)
    for module in MODULES:
        word = compact(module.OPERAND.iri).partition(":")[2]
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in word)
        assert module.__name__.split(".")[-1] == snake


@pytest.mark.parametrize(("operand", "vector"), VECTORS, ids=NAMES)
def test_vector(operand: Operand, vector: Vector):
    seen = tuple(value_of(operand, text) for text in many(vector.seen))
    required = tuple(value_of(operand, text) for text in many(vector.required))
    assert operand.compare(ODRL + vector.operator, seen, required) is vector.answer


@pytest.mark.parametrize(("operand", "vector"), VECTORS, ids=NAMES)
def test_prefixed_and_full_spelling_evaluate_alike(operand: Operand, vector: Vector):
    prefixed, full = read(operand, vector, full=False), read(operand, vector, full=True)
    assert name(prefixed.permissions[0]) == name(full.permissions[0])
    assert prefixed == full


def test_the_words_of_odrl_evaluate_alike_without_a_prefix():
    short = {"leftOperand": "purpose", "operator": "isA", "rightOperand": "preau:Statistics"}
    long = {
        "leftOperand": ODRL + "purpose",
        "operator": ODRL + "isA",
        "rightOperand": {"@id": "https://w3id.org/preau/ns#Statistics"},
    }
    one, other = (
        odrl.read({"@type": "Offer", "permission": [{"action": "use", "constraint": [each]}]})
        for each in (short, long)
    )
    assert one == other


@pytest.mark.parametrize(
    "operand", [o for o in REGISTRY.values() if not o.sourced], ids=lambda o: compact(o.iri)
)
def test_without_a_source_an_operand_is_undetermined(operand: Operand):
    """Whatever the requester claims: its value comes from its source or not at all."""
    vector = next(v for v in operand.vectors if v.answer)
    seen = tuple(value_of(operand, text) for text in many(vector.seen))
    claimed = {operand.iri: Fact(seen)}
    request = Request(ODRL + "use", None, "did:web:lab.example", claimed)
    policy = read(operand, vector, full=True)
    phases = [phase for phase in PHASES if phase in operand.phases]
    for phase in phases:
        assert decide(policy, request, {}, NOW, phase).outcome == "undetermined"
        known = {operand.iri: Fact(seen, operand.source, operand.assurance)}
        made = decide(policy, request, known, NOW + timedelta(days=1), phase)
        assert made.outcome == "permit"


def test_the_page_is_drawn_from_the_registry():
    assert (ROOT / "docs" / "operands.md").read_text(encoding="utf-8") == page(), (
        "draw docs/operands.md again: see policies/operands/documentation.py"
    )


def test_an_unknown_operand_is_not_found():
    assert operands.find("https://example.org/x") is None
