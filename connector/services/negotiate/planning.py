"""From a dataset document and an agreed policy to the plan both parties compile (P10).

The plan is a function of what both parties hold: the agreement, the application, the signed dataset
document. So the consumer compiles the same plan and knows its digest before any data moves.
"""

from collections.abc import Iterable
from datetime import datetime
from types import MappingProxyType
from typing import Final

from catalog.model import Dataset
from connector.dataplane.tables import NIR
from connector.protocol.negotiation import Negotiation
from policies import application as applications
from policies import phrases
from policies.application import Application
from policies.evaluate import Fact, Request, category, claims, decide
from policies.model import Policy, atoms
from policies.plan import DatasetFacts, Field, Plan
from policies.plan import compile as compile_policy
from policies.problem import Problem
from policies.remember import by_identity
from policies.values import instant
from policies.vocabulary import ODRL, PREAU

_SHOWN: Final = 100
_EXCLUDING: Final = frozenset({ODRL + "isNoneOf", ODRL + "neq"})


def compile_plan(n: Negotiation, policy: Policy, dataset: Dataset, at: datetime) -> Plan:
    """The plan of an agreement.

    Memberships were judged when the request was: here they stand as agreed, so that the consumer,
    who does not know the provider's peer list, compiles the same.

    Raises:
        Problem: `policy-plan-…`: a clause that nothing would enforce, or that contradicts itself.
    """
    application = applications.read(n.application) if n.application else None
    recipient = str(policy.assignee)
    request = Request(ODRL + "use", policy.target, recipient, claims_in(application, policy))
    known = {**_memberships(policy), PREAU + "dataCategory": category(personal=dataset.personal)}
    decided = decide(policy, request, known, at, "negotiation")
    return compile_policy(policy, application, facts_of(dataset), policy.id, recipient, decided)


def claims_in(application: Application | None, policy: Policy) -> dict[str, Fact]:
    """What a requester declares: its application, or, for a peer that cannot send one, the one
    purpose of the offer it chose (P6: choosing the offer is the declaration).
    """
    if application is not None:
        return claims(application)
    purposes = {
        value
        for rule in policy.permissions
        for atom in atoms(rule.constraints)
        if atom.left == ODRL + "purpose"
        for value in atom.right
    }
    if len(purposes) != 1:
        return {}
    return {ODRL + "purpose": Fact(tuple(purposes), "choice of the offer", "declared")}


@by_identity
def facts_of(dataset: Dataset) -> DatasetFacts:
    """What a dataset document tells the compiler."""
    ground = dataset.basis.ground
    return DatasetFacts(
        id=dataset.iri,
        codebook=tuple(_field(dataset, index) for index in range(len(dataset.fields))),
        personal=dataset.personal,
        basis=None if ground == "none" else ground,
        category=dataset.category,
        linkage=MappingProxyType(announced(dataset)),
        special=frozenset(field.name for field in dataset.fields if field.condition is not None),
        dated=dataset.dated,
    )


def check_fields(names: Iterable[str], dataset: Dataset) -> None:
    """Refuse a request that names what no field is called, before anybody has to read it.

    Raises:
        Problem: `negotiation-field-unknown`, with the names there are.
    """
    known = {field.name for field in dataset.fields}
    unknown = sorted(set(names) - known)
    if unknown:
        raise Problem(
            "negotiation-field-unknown",
            field=", ".join(phrases.plain(name[:80]) for name in unknown[:10]),
            known=", ".join(sorted(known)[:_SHOWN]),
        )


def staying(names: Iterable[str], dataset: Dataset) -> dict[str, list[str]]:
    """Which of these fields never leave, whatever is agreed (`policies.plan`, rule 5).

    By reason: "direct" (identifies a person and is no agent that a pseudonym can replace),
    "special" (a special category without a declared condition).
    """
    found: dict[str, list[str]] = {"direct": [], "special": []}
    wanted = set(names)
    for field in dataset.fields:
        if field.name not in wanted:
            continue
        if field.type == NIR or (field.personal == "direct" and field.type != "agent"):
            found["direct"].append(field.name)
        elif field.personal == "special" and field.condition is None:
            found["special"].append(field.name)
    return {reason: named for reason, named in found.items() if named}


def announced(dataset: Dataset) -> dict[tuple[str, bool], str]:
    """The measured linkage of a dataset document, as the compiler asks for it."""
    figures = dataset.linkage.figures if dataset.linkage else ()
    return {(one.time, one.extensions): one.linked for one in figures}


def expiry(policy: Policy) -> datetime | None:
    """The first instant at which an agreement's dates end it, None when none does."""
    ends = [
        moment
        for rule in policy.permissions
        for atom in atoms(rule.constraints)
        if atom.left == ODRL + "dateTime" and atom.operator in {ODRL + "lt", ODRL + "lteq"}
        for value in atom.right
        if (moment := instant(value.text)) is not None
    ]
    return min(ends, default=None)


def _field(dataset: Dataset, index: int) -> Field:
    field = dataset.fields[index]
    pointer, column = (field.path, None) if dataset.kind == "xapi" else (None, field.path)
    return Field(field.name, pointer, field.type, field.personal, column)


def _memberships(policy: Policy) -> dict[str, Fact]:
    held = {
        value
        for rule in policy.permissions
        for atom in atoms(rule.constraints)
        if atom.left == PREAU + "membership" and atom.operator not in _EXCLUDING
        for value in atom.right
    }
    return {PREAU + "membership": Fact(tuple(held), "agreement", "declared")}
