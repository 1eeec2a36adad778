"""One question to many policies answers as one question at a time."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import many, odrl
from policies.evaluate import Fact, Record, Request, World, decide
from policies.model import Policy, iri
from policies.vocabulary import ODRL, PREAU

NOW = datetime(2026, 12, 1, tzinfo=UTC)
CLAIMS = {ODRL + "purpose": Fact((iri(PREAU + "EducationResearch"),))}
PURPOSE = {"leftOperand": "odrl:purpose", "operator": "eq"}


def policy(purpose: str, target: str, own: str | None, kind: str) -> Policy:
    rule = {"action": "use", "constraint": [{**PURPOSE, "rightOperand": {"@id": purpose}}]}
    spelled = {"@id": f"{target}/offer", "@type": kind, "target": target}
    return odrl.read({**spelled, "permission": [{**rule, **({"target": own} if own else {})}]})


policies = st.builds(
    policy,
    st.sampled_from(["preau:EducationResearch", "dpv:Marketing", "urn:p"]),
    st.sampled_from(["urn:a", "urn:b", "urn:c"]),
    st.sampled_from([None, None, "urn:a"]),
    st.sampled_from(["Offer", "Agreement"]),
)


@given(st.lists(policies, max_size=8), st.sampled_from([None, (), (Record("urn:x", NOW),)]))
def test_many_answer_as_one_by_one(found: list[Policy], records: tuple[Record, ...] | None):
    world = World(records)
    question = many.Question(
        ODRL + "use", "did:web:lab", CLAIMS, {}, NOW, "negotiation", world=world
    )
    for each, answer in zip(found, question.decide_all(found), strict=True):
        request = Request(ODRL + "use", each.target, "did:web:lab", CLAIMS)
        alone = decide(each, request, {}, NOW, "negotiation", world=world)
        assert answer.target in {None, each.target}
        assert replace(answer, target=alone.target).internal() == alone.internal()


def test_the_same_rules_are_decided_once(monkeypatch: pytest.MonkeyPatch):
    asked: list[Policy] = []

    def counted(policy: Policy, *args: object, **more: object) -> object:
        asked.append(policy)
        return decide(policy, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(many, "decide", counted)
    read = [policy("dpv:Marketing", f"urn:{n}", None, "Offer") for n in range(50)]
    # Equal rules that are other objects are found by what they say.
    read += [replace(each, permissions=(*each.permissions,)) for each in read]
    answers = many.Question(ODRL + "use", None, CLAIMS, {}, NOW, "catalog").decide_all(read)
    assert len(asked) == 1
    assert {answer.outcome for answer in answers} == {answers[0].outcome}


def test_an_offer_and_an_agreement_of_the_same_rules_are_two_policies():
    rule = {"leftOperand": "odrl:elapsedTime", "operator": "lteq", "rightOperand": "P30D"}
    spelled = {"permission": [{"action": "use", "constraint": [rule]}]}
    agreed = {"@id": "urn:a", "timestamp": "2026-11-20T00:00:00Z", **spelled}
    read = [odrl.read({"@type": kind, **agreed}) for kind in ("Agreement", "Offer")]
    assert read[0].permissions is read[1].permissions
    copied = [replace(each, permissions=(*each.permissions,)) for each in read]
    question = many.Question(ODRL + "use", None, {}, {}, NOW, "transfer")
    answers = question.decide_all([*read, *copied])
    assert [each.outcome for each in answers] == ["permit", "undetermined"] * 2
