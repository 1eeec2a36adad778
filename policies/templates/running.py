"""Vectors: the examples in a template's own file, run against the real evaluator and compiler.

A vector holds parameters, a request, an instant, a phase and the outcome that must come out.
Members of the request: `action`, `purpose`, `countries` (claimed); `groups`, `personal`, `count`
(known); `facts`, any operand with the list of its values. `planned` runs the phase with what the
compiled plan makes true; `plan` is the consent mode of the plan ("none" without persons).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from policies import odrl, operands, plan, templates, values
from policies.evaluate import Decision, Fact, Request, category, decide, groups
from policies.model import INTEGER, Policy, Value, atoms, iri
from policies.operands.places import LOC
from policies.plan import DatasetFacts, Field
from policies.templates import Library
from policies.vocabulary import ODRL, PREAU

_NONE: Final[Library] = {}
_DATASET: Final = "urn:preau:vector"
_RECIPIENT: Final = "did:web:lab.example"
_BOOK: Final = (
    Field("actor", "/actor", "agent", "direct"),
    Field("verb", "/verb/id", "string", "no"),
    Field("score", "/result/score/raw", "number", "no"),
)


class Result(NamedTuple):
    """What came out of one vector, beside what should have."""

    template: str
    name: str
    expected: str
    found: str

    @property
    def good(self) -> bool:
        """Whether both are the same."""
        return self.expected == self.found


def run(name: str, own: Library = _NONE) -> tuple[Result, ...]:
    """Every vector of a template, run.

    Raises:
        Problem: `policy-template-…`, when the template or the parameters of a vector are unknown.
    """
    return tuple(_run(name, vector, own) for vector in templates.vectors(name, own))


def _run(name: str, vector: Mapping[str, Any], own: Library) -> Result:
    offer = templates.build(name, vector["params"], own)
    facts, request = _facts(vector["request"]), _request(vector["request"])
    at = datetime.fromisoformat(vector["at"])
    if vector.get("planned"):
        first = decide(offer, request, facts, at, "negotiation")
        facts |= plan.facts(_compiled(offer, first, personal=True))
    made = decide(offer, request, facts, at, vector["phase"])
    expected, found = vector["outcome"], str(made.outcome)
    if "plan" in vector:
        scope = _compiled(offer, made, personal=vector["plan"] != "none").rows.consent
        expected, found = (
            f"{expected}, {vector['plan']}",
            f"{found}, {scope.mode if scope else 'none'}",
        )
    return Result(name, vector["name"], expected, found)


def _facts(asked: Mapping[str, Any]) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    if "groups" in asked:
        found[PREAU + "membership"] = groups(asked["groups"])
    if "personal" in asked:
        found[PREAU + "dataCategory"] = category(personal=asked["personal"])
    if "count" in asked:
        found[ODRL + "count"] = Fact((Value(str(asked["count"]), INTEGER),))
    for short, spelled in asked.get("facts", {}).items():
        left = odrl.iri(short)
        found[left] = Fact(tuple(_value(left, text) for text in spelled))
    return found


def _value(left: str, text: str) -> Value:
    operand = operands.find(left)
    if operand is None or operand.datatype is None:
        return iri(odrl.iri(text))
    return values.literal(text, operand.datatype)


def _request(asked: Mapping[str, Any]) -> Request:
    claims = {}
    if "purpose" in asked:
        claims[ODRL + "purpose"] = Fact((iri(odrl.iri(asked["purpose"])),))
    if "countries" in asked:
        places = Fact(tuple(iri(LOC + code) for code in asked["countries"]))
        for left in (PREAU + "recipientCountry", PREAU + "processingLocation", ODRL + "spatial"):
            claims[left] = places
    return Request(odrl.iri(asked.get("action", "odrl:use")), _DATASET, _RECIPIENT, claims)


def _compiled(offer: Policy, made: Decision, *, personal: bool) -> plan.Plan:
    asks = {atom.left for rule in offer.permissions for atom in atoms(rule.constraints)}
    basis = "consent" if PREAU + "consentStatus" in asks else "public-task"
    dataset = DatasetFacts(_DATASET, _BOOK, personal, basis if personal else None, "traces")
    return plan.compile(offer, None, dataset, "urn:uuid:a", _RECIPIENT, made)
