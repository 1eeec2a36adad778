"""What the other party is told of a decision: whole sentences, in both languages."""

from dataclasses import replace
from typing import Any

import pytest

from policies import naming, odrl
from policies.decision import Decision
from policies.model import Policy
from policies.vocabulary import ODRL, PREAU
from tests.policies.test_evaluate import LATER, NO, UNKNOWN, YES, ask, atom, policy

LABS = atom("preau:membership", "isPartOf", {"@id": "group:labs"})
BEFORE = {
    "action": "odrl:delete",
    "constraint": [atom("preau:duePhase", "eq", {"@id": PREAU + "BeforeUse"})],
}
UNEVALUATED = (
    "Refusé : une condition ne peut pas être évaluée.",
    "Refused: a condition cannot be evaluated.",
)
NOT_MET = (
    "Condition non remplie : la finalité est : marketing (votre demande n'y répond pas).",
    "Condition not met: the purpose is: marketing (your request does not meet it).",
)
NOT_SHOWN = (
    (
        "Condition non remplie : <https://example.org/x> (élément inconnu de ce nœud) est : 1 "
        "(il n'est pas établi que votre demande y réponde)."
    ),
    (
        "Condition not met: <https://example.org/x> (unknown to this node) is: 1 "
        "(your request is not shown to meet it)."
    ),
)
DUTY = (
    (
        "Obligation « effacer (le moment de l'obligation est : avant l'utilisation) » : "
        "il n'est pas établi que votre demande y réponde."
    ),
    "Duty “delete (the moment of the duty is: before use)”: your request is not shown to meet it.",
)


def use(*constraints: object, **members: object) -> dict[str, object]:
    return {"action": "use", "constraint": list(constraints), **members}


def offer(**members: object) -> Policy:
    return odrl.read({"@id": "urn:p", "@type": "Offer", **members})


def unread(fr: str, en: str) -> tuple[tuple[str, str], ...]:
    return (
        UNEVALUATED,
        (
            f"L'interdiction « {fr} » ne peut pas être évaluée.",
            f"The prohibition “{en}” cannot be evaluated.",
        ),
    )


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (policy(), (("Accordé.", "Granted."),)),
        (policy(NO), (("Refusé.", "Refused."), NOT_MET)),
        (policy(YES, NO), (("Refusé.", "Refused."), NOT_MET)),
        (policy(UNKNOWN), (UNEVALUATED, NOT_SHOWN)),
        (offer(permission=[use(NO), use(YES, UNKNOWN)]), (UNEVALUATED, NOT_MET, NOT_SHOWN)),
        (
            policy(LABS),
            (
                UNEVALUATED,
                (
                    "Il n'est pas établi que vous êtes membre du groupe demandé (« labs »).",
                    "You are not shown to be a member of the required group (“labs”).",
                ),
            ),
        ),
        (
            offer(permission=[{"action": "odrl:sell"}]),
            (
                (
                    "Refusé : aucune permission ne couvre cette demande.",
                    "Refused: no permission covers this request.",
                ),
            ),
        ),
        (
            Policy("Set", "urn:p"),
            (("Refusé : cette politique est vide.", "Refused: this policy is empty."),),
        ),
        (
            policy(inheritFrom="urn:q"),
            (
                (
                    "Refusé : cette politique reprend les règles d'une autre, qui manque ici.",
                    (
                        "Refused: this policy takes over the rules of another one, "
                        "which is missing here."
                    ),
                ),
            ),
        ),
        (
            policy(conflict="invalid", prohibition={"action": "use"}),
            (
                (
                    "Refusé : cette politique permet et interdit la même action, ce qui l'annule.",
                    "Refused: this policy permits and forbids the same action, which voids it.",
                ),
            ),
        ),
        (
            policy(prohibition={"action": "use"}),
            (("Refusé.", "Refused."), ("Il est interdit d'utiliser.", "It is forbidden to use.")),
        ),
        (policy(prohibition=use(UNKNOWN)), unread("utiliser", "use")),
        (policy(prohibition=use(LATER)), unread("utiliser", "use")),
        (
            policy(prohibition={"action": "sell", "constraint": [UNKNOWN]}),
            unread("vendre", "sell"),
        ),
        (policy(NO, prohibition=use(NO)), (("Refusé.", "Refused."), NOT_MET)),
        (policy(NO, prohibition={"action": "sell"}), (("Refusé.", "Refused."), NOT_MET)),
        (offer(permission=[use(duty=[BEFORE])]), (UNEVALUATED, DUTY)),
        (offer(permission=[use()], obligation=[BEFORE]), (UNEVALUATED, DUTY)),
        (
            offer(permission=[{"action": "https://e.example/do"}]),
            (
                UNEVALUATED,
                (
                    (
                        "La règle « <https://e.example/do> (action inconnue de ce nœud) » "
                        "ne peut pas être évaluée."
                    ),
                    (
                        "The rule “<https://e.example/do> (action unknown to this node)” cannot be "
                        "evaluated."
                    ),
                ),
            ),
        ),
    ],
)
def test_every_answer_says_why(found: Policy, told: tuple[tuple[str, str], ...]):
    made = ask(found)
    assert (made.reasons("fr"), made.reasons("en")) == (
        [fr for fr, _ in told],
        [en for _, en in told],
    )


def test_what_follows_from_a_decision_is_worked_out_when_it_is_read():
    promised = {"action": "odrl:delete"}
    found = offer(
        permission=[use(LATER, YES, duty=[promised])],
        prohibition=[{"action": "sell"}],
        obligation=[{"action": "odrl:inform"}],
    )
    made = ask(found)
    permission = found.permissions[0]
    said: Any = made.internal()
    assert made.policy == said["policy"] == naming.rules_digest(found)
    assert made.permission == said["permission"] == naming.name(permission)
    assert said["deferred"] == [naming.name(each) for each in made.deferred]
    assert made.deferred == (permission.constraints[0],)
    assert {(each["kind"], each["action"]) for each in said["duties"]} == {
        ("duty", ODRL + "delete"),
        ("prohibition", ODRL + "sell"),
        ("obligation", ODRL + "inform"),
    }
    names = [each["id"] for each in said["duties"]]
    assert names == sorted(
        naming.name(each)
        for each in (permission.duties[0], found.prohibitions[0], found.obligations[0])
    )


def test_a_refusal_promises_nothing():
    made = ask(policy(NO, prohibition={"action": "sell"}))
    assert (made.permission, made.duties, made.deferred) == (None, (), ())
    assert isinstance(made, Decision)
    assert replace(made, outcome="permit").duties == ()
