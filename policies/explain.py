"""Policies, decisions and plans in plain words: the one door for those who speak to people.

Every sentence is made from the model; what this node does not know is named as unknown. Each
explanation is a list of lines, of which those that begin with a dash belong to the line before;
`html` makes a fragment of any of them.
"""

from collections.abc import Iterable
from html import escape

from policies import phrases, telling, values
from policies.compare import Counter, differences
from policies.decision import Decision
from policies.model import Policy
from policies.naming import same
from policies.plan import Plan
from policies.problem import Language
from policies.vocabulary import compact

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
    lines += _beside(found, lang)
    lines += _strategy(found, lang)
    for rule in (*found.permissions, *found.prohibitions):
        lines += phrases.rule(rule, lang)
    must = phrases.pick(("Le destinataire doit :", "The recipient must:"), lang)
    lines += [f"{must} {phrases.duty(duty, lang)}." for duty in found.obligations]
    return [phrases.plain(line) for line in lines]


def _strategy(found: Policy, lang: Language) -> list[str]:
    """What the policy says about conflicts and inheritance; nothing in the ordinary case."""
    words: dict[str, phrases.Phrase] = {
        "prohibit": (
            "En cas de conflit, l'interdiction l'emporte.",
            "In a conflict, prohibition wins.",
        ),
        "perm": ("En cas de conflit, la permission l'emporte.", "In a conflict, permission wins."),
        "invalid": (
            "En cas de conflit, toute la politique est sans effet.",
            "In a conflict, the whole policy is void.",
        ),
    }
    lines = [phrases.pick(words[found.conflict], lang)] if found.conflict in words else []
    inherits = phrases.pick(("Reprend les règles de :", "Takes over the rules of:"), lang)
    return lines + [f"{inherits} {each}." for each in found.inherits]


def _beside(found: Policy, lang: Language) -> list[str]:
    """What a policy says that changes nothing about what may be done: date, profiles, titles."""
    at = values.began(found)
    colon = " : " if lang == "fr" else ": "
    lines = []
    if found.timestamp is not None:
        # To the second: people read when; the exact instant stands in what is signed.
        said = found.timestamp if at is None else phrases.moment(at.replace(microsecond=0), lang)
        lines.append(phrases.pick(("Conclu le :", "Agreed on:"), lang) + f" {said}.")
    lines += [phrases.pick(("Profil :", "Profile:"), lang) + f" {each}." for each in found.profile]
    return lines + [f"{compact(member)}{colon}{text}." for member, text in found.metadata]


def decision(made: Decision, lang: Language) -> list[str]:
    """The answer and its reasons, as the other party may read them (shared rendering)."""
    return made.reasons(lang)


def trace(made: Decision, lang: Language) -> list[str]:
    """The whole trace, for this institution and its auditor (internal rendering, P7)."""
    return telling.trace(made, lang)


def difference(one: Policy, other: Policy, lang: Language) -> list[str]:
    """What a second policy allows beyond a first one, and what it no longer does."""
    if same(one, other):
        return [phrases.pick(("Les deux disent la même chose.", "Both say the same."), lang)]
    lines = []
    for outer, inner, words in (
        (one, other, ("Le second va plus loin que le premier :", "The second goes further:")),
        (other, one, ("Le premier va plus loin que le second :", "The first goes further:")),
    ):
        found = differences(outer, inner)
        if found:
            lines.append(phrases.pick(words, lang))
            lines += [f"- {each.fr if lang == 'fr' else each.en}" for each in found]
    equal = ("Les deux permettent la même chose.", "Both permit the same.")
    return lines or [phrases.pick(equal, lang)]


def counter(proposed: Counter, lang: Language) -> list[str]:
    """A counter-offer: what it puts instead of what was asked."""
    head = phrases.pick(("Contre-offre :", "Counter-offer:"), lang)
    return [head, *(f"- {each}" for each in proposed.sentences(lang))]


def html(lines: Iterable[str], lang: Language, *, about: str) -> str:
    """An explanation as an HTML fragment: a section, its head, paragraphs and lists; no style.

    Lines that begin with a dash are items of the line before. Every text is escaped. `about` names
    what is explained ("offer", "decision", "plan"…) and becomes the section's class.
    """
    parts: list[str] = []
    items: list[str] = []

    def flush() -> None:
        if items:
            parts.append("<ul>" + "".join(f"<li>{escape(each)}</li>" for each in items) + "</ul>")
            items.clear()

    for line in lines:
        if line.startswith("- "):
            items.append(line.removeprefix("- "))
            continue
        flush()
        tag = "p" if parts else "h3"
        parts.append(f"<{tag}>{escape(line)}</{tag}>")
    flush()
    return f'<section class="{escape(about)}" lang="{lang}">{"".join(parts)}</section>'


def plan(compiled: Plan, lang: Language) -> list[str]:
    """What leaves, what is removed and why, what was promised."""
    return compiled.explain(lang)
