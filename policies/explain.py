"""Policies, decisions and plans in plain words: the one door for those who speak to people.

Every sentence is made from the model; what this node does not know is named as unknown.
"""

from policies import phrases
from policies.model import Policy
from policies.plan import Plan
from policies.problem import Language
from policies.trace import Decision

_KINDS: dict[str, phrases.Phrase] = {
    "Offer": ("Offre", "Offer"),
    "Agreement": ("Accord", "Agreement"),
    "Set": ("Ensemble de règles", "Set of rules"),
}


def policy(found: Policy, lang: Language) -> list[str]:
    """Everything a policy says: parties, permissions, prohibitions, obligations."""
    lines = [phrases.pick(_KINDS[found.kind], lang) + (f" {found.id}" if found.id else "") + "."]
    for value, fr, en in (
        (found.target, "Données :", "Data:"),
        (found.assigner, "Fournisseur :", "Provider:"),
        (found.assignee, "Destinataire :", "Recipient:"),
    ):
        if value is not None:
            lines.append(f"{phrases.pick((fr, en), lang)} {value}.")
    lines += _strategy(found, lang)
    for rule in (*found.permissions, *found.prohibitions):
        lines += phrases.rule(rule, lang)
    must = phrases.pick(("Le destinataire doit :", "The recipient must:"), lang)
    lines += [f"{must} {phrases.duty(duty, lang)}." for duty in found.obligations]
    return lines


def _strategy(found: Policy, lang: Language) -> list[str]:
    """What the policy says about conflicts and inheritance; nothing in the ordinary case."""
    words: dict[str, phrases.Phrase] = {
        "perm": ("En cas de conflit, la permission l'emporte.", "In a conflict, permission wins."),
        "invalid": (
            "En cas de conflit, toute la politique est sans effet.",
            "In a conflict, the whole policy is void.",
        ),
    }
    lines = [phrases.pick(words[found.conflict], lang)] if found.conflict in words else []
    inherits = phrases.pick(("Reprend les règles de :", "Takes over the rules of:"), lang)
    return lines + [f"{inherits} {each}." for each in found.inherits]


def decision(made: Decision, lang: Language) -> list[str]:
    """The answer and its reasons, as the other party may read them (shared rendering)."""
    return made.reasons(lang)


def plan(compiled: Plan, lang: Language) -> list[str]:
    """What leaves, what is removed and why, what was promised."""
    return compiled.explain(lang)
