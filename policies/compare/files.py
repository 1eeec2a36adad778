"""Comparison files: what `preau policy compare` reads and writes (docs/policy-files.md).

The second file is a policy (what is asked, as terms) or a question (what is asked, and all that is
known of it): a question has the member `v`, a policy never does.
"""

from collections.abc import Mapping
from typing import Any

from policies import odrl, questions
from policies.compare.changed import ChangedOffer
from policies.compare.countering import counter
from policies.compare.covering import differences
from policies.compare.nearest import Nearest
from policies.compare.requests import answer
from policies.inheritance import resolve
from policies.model import Policy
from policies.naming import same, value_node

Json = dict[str, Any]


def compared(offer: Policy, data: object) -> Json:
    """The comparison of an offer with what a JSON document asks.

    Raises:
        Problem: `policy-…`, `policy-question`: what is wrong with the document, located.
    """
    if isinstance(data, Mapping) and "v" in data:
        return _with_request(offer, questions.read(data))
    return _with_policy(offer, odrl.read(data))


def _with_policy(offer: Policy, asked: Policy) -> Json:
    found = differences(offer, asked)
    made = counter(offer, asked) if found else None
    return {
        "v": 1,
        "covered": not found,
        "same": same(offer, asked),
        "differences": [each.document() for each in found],
        "counter": None if made is None else made.document(),
    }


def _with_request(offer: Policy, question: questions.Question) -> Json:
    whole = resolve(offer, question.policies.get)
    found = answer(
        whole, question.request, question.facts, question.now, question.phase, question.world
    )
    return {
        "v": 1,
        "covered": found.covered,
        "outcome": found.decision.outcome,
        "differences": [each.document() for each in found.failing],
        "counter": _counter(found.proposals, found.changed),
    }


def _counter(proposals: tuple[Nearest, ...], changed: ChangedOffer | None) -> Json | None:
    if not proposals:
        return None
    claims = {
        each.operand: [value_node(value) for value in each.constraints[0].right]
        for each in proposals
    }
    return {
        "claims": claims,
        "changed": None if changed is None else changed.document(),
        "nearest": [each.document() for each in proposals],
    }
