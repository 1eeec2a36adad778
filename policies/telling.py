"""The internal rendering of a trace (P7): each rule and condition, the value seen, its source.

For this institution and its auditor. The shared rendering, which tells the other party only what
concerns its own request, is `Decision.reasons`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from policies import phrases
from policies.decision import Decision
from policies.model import Duty
from policies.problem import Language
from policies.trace import ConstraintTrace, Outcome, Premise, Reason, RuleTrace

_OUTCOMES: Final[Mapping[Outcome, phrases.Phrase]] = {
    "satisfied": ("remplie", "met"),
    "unsatisfied": ("non remplie", "not met"),
    "undetermined": ("indéterminée", "undetermined"),
    "deferred": ("décidée plus tard", "decided later"),
}
REASONS: Final[Mapping[Reason, phrases.Phrase]] = {
    "unknown-operand": ("élément inconnu de ce nœud", "operand unknown to this node"),
    "unknown-operator": ("opérateur que cet élément n'a pas", "operator this operand has not"),
    "unknown-action": ("action inconnue de ce nœud", "action unknown to this node"),
    "value-type": ("valeur d'un autre type", "value of another type"),
    "missing-value": ("aucune valeur connue", "no value known"),
    "incomparable": ("valeurs incomparables", "values cannot be compared"),
    "later-phase": ("connue seulement plus tard", "known only later"),
    "duty-only": ("n'a de sens que pour une obligation", "has a meaning on duties only"),
    "sequence": ("ordre des événements inconnu", "order of events unknown"),
    "no-phase": ("ni avant ni après l'utilisation", "neither before nor after use"),
    "promise": ("engagement", "promise"),
    "other-recipient": ("autre destinataire", "another recipient"),
    "other-action": ("autre action", "another action"),
    "other-target": ("autres données", "other data"),
    "other-variant": ("autre variante de l'action", "another variant of the action"),
    "unknown-member": ("appartenance inconnue", "membership unknown"),
    "unknown-part": ("partie inconnue de la règle", "unknown part of the rule"),
    "unit": ("unité différente ou inconnue", "another unit, or none known"),
    "status": ("état donné par la politique", "status given by the policy"),
    "inactive": ("condition non active", "not active"),
    "performed": ("accomplie", "performed"),
    "not-performed": ("non accomplie", "not performed"),
    "violated": ("violée", "violated"),
    "remedied": ("réparée", "remedied"),
}
_KINDS: Final[Mapping[str, phrases.Phrase]] = {
    "Permission": ("Permission", "Permission"),
    "Prohibition": ("Interdiction", "Prohibition"),
    "Duty": ("Obligation", "Obligation"),
}
_ASSURANCES: Final[Mapping[str, phrases.Phrase]] = {
    "enforced": ("appliqué", "enforced"),
    "attested": ("attesté", "attested"),
    "declared": ("déclaré", "declared"),
    "contractual": ("contractuel", "contractual"),
}


def trace(made: Decision, lang: Language) -> list[str]:
    """The answer, then each rule with its premises, conditions and duties."""
    lines = [made.reasons(lang)[0]] if made.phase != "record" else []
    head = ("Instant :", "At:"), ("phase", "phase")
    at = phrases.moment(made.at, lang)
    lines.append(
        f"{phrases.pick(head[0], lang)} {at} ({phrases.pick(head[1], lang)} {made.phase})."
    )
    for rule in made.trace:
        lines += _rule(rule, lang)
    return lines


def _rule(rule: RuleTrace, lang: Language) -> Iterator[str]:
    kind = phrases.pick(_KINDS[rule.kind], lang)
    colon = " : " if lang == "fr" else ": "
    said = phrases.action(rule.rule.action, lang)
    yield f"{kind} « {said} » ({rule.path}){colon}{_state(rule.outcome, rule.reason, lang)}."
    for premise in rule.premises:
        yield from _premise(premise, lang)
    for each in (*rule.constraints, *rule.duties):
        yield from _condition(each, lang)


def _premise(premise: Premise, lang: Language) -> Iterator[str]:
    if premise.outcome == "satisfied" and not premise.refinements:
        return
    seen = premise.seen or phrases.pick(("rien", "nothing"), lang)
    state = _state(premise.outcome, premise.reason, lang)
    yield f"- {premise.role}: {premise.required} ← {seen} ({state})."
    for each in premise.refinements:
        yield from _condition(each, lang)


def _condition(traced: ConstraintTrace, lang: Language) -> Iterator[str]:
    part = traced.part
    said = phrases.duty(part, lang) if isinstance(part, Duty) else phrases.constraint(part, lang)
    yield f"- {said}{' : ' if lang == 'fr' else ': '}{_judged(traced, lang)}."
    for child in traced.children:
        yield from _condition(child, lang)


def _judged(traced: ConstraintTrace, lang: Language) -> str:
    """Outcome, value seen, its source and assurance."""
    said = _state(traced.outcome, traced.reason, lang)
    if traced.seen is not None:
        none = phrases.pick(("aucune", "none"), lang)
        seen = phrases.listing(phrases.value(each, lang) for each in traced.seen) or none
        said += phrases.pick((f", valeur vue : {seen}", f", value seen: {seen}"), lang)
    if traced.source:
        held = phrases.pick(_ASSURANCES[traced.assurance], lang)
        said += f" [{traced.source}, {held}]"
    return said


def _state(outcome: Outcome, reason: Reason, lang: Language) -> str:
    said = phrases.pick(_OUTCOMES[outcome], lang)
    return f"{said} ({phrases.pick(REASONS[reason], lang)})" if reason in REASONS else said
