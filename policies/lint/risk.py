"""What the law and the learners ask beyond a clean policy (DECISIONS S5): risk, AI, roster, price.

Two of the criteria by which data protection authorities recognise a high risk (vulnerable persons,
special categories, large scale, evaluation of persons, matching over time) make an impact
assessment necessary; one makes it advisable. Nothing here reads a row: a finding never says how
many persons there are.
"""

from collections.abc import Iterator
from typing import Final

from policies.consent import GROUP
from policies.lint.finding import Declaration, Finding, admitted, asked, by_row, finding
from policies.model import Constraint, Duty, Policy, Rule, atoms
from policies.operands.base import EQ, IS_ANY_OF, IS_NONE_OF, IS_PART_OF, NEQ
from policies.vocabulary import DPV, EDU, ODRL, PREAU, PURPOSES, compact, covers
from policies.vocabulary import purpose as own_name

LARGE: Final = 10_000
"""From this many persons on, processing counts as large scale here."""

_PURPOSE: Final = ODRL + "purpose"
_AI: Final = PREAU + "ArtificialIntelligence"
_EMOTION: Final = PREAU + "EmotionInference"
_EVALUATING: Final = tuple(
    EDU + word
    for word in (
        "StudentAdmissionScreening",
        "StudentEligibilityAssessment",
        "StudentPerformanceAssessment",
        "StudentPerformanceMonitoring",
        "StudentAllocation",
        "StudentCourseRecommendation",
        "StudentProgramRecommendation",
        "StudentInstituteRecommendation",
        "StudentCheatingAssessment",
    )
)
_SERVICES: Final = (DPV + "ServiceProvision",)
_DECIDING: Final = (PREAU + "decideAutomatically", PREAU + "profile")
_AFTER_NO: Final = frozenset(
    {PREAU + "stopAndErase", ODRL + "delete", ODRL + "anonymize", ODRL + "inform"}
    | {PREAU + "attestDeletion"}
)
_ANSWERS: Final = frozenset(
    PREAU + word for word in ("consentStatus", "objectionStatus", "guardianConsentStatus")
)
_SAID_NO: Final = frozenset(
    {DPV + word for word in ("ConsentWithdrawn", "ConsentRefused", "ConsentExpired")}
    | {PREAU + "ObjectionLodged"}
)


def risk(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """Findings about risks for the persons in the data."""
    yield from _artificial(policy, declaration)
    yield from _conditions(policy, declaration)
    yield from _exclusive(policy, declaration)
    if declaration.personal:
        yield from _assessment(policy, declaration)
        yield from _roster(policy, declaration)


def _purposes(policy: Policy) -> frozenset[str]:
    found = (admitted(rule, _PURPOSE) for rule in policy.permissions)
    return frozenset(own_name(each) for some in found for each in some)


def _under(purposes: frozenset[str], *roots: str) -> list[str]:
    """Those of these purposes that lie at or below one of the roots."""
    return sorted(p for p in purposes if any(covers(PURPOSES, root, p) for root in roots))


# --- artificial intelligence ---------------------------------------------------------------


def _artificial(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """Emotion inference is refused; AI that decides about learners names its reference."""
    for index, rule in enumerate(policy.permissions):
        path = f"permission[{index}]"
        purposes = frozenset(map(own_name, admitted(rule, _PURPOSE)))
        if found := _under(purposes, _EMOTION):
            yield finding("policy-lint-emotion", path, purpose=_named(found))
        if declaration.ai_reference:
            continue
        if found := _under(purposes, _AI):
            yield finding("policy-lint-ai-reference", path, use=_named(found))
        elif rule.action in _DECIDING:
            yield finding("policy-lint-ai-reference", path, use=compact(rule.action))
        elif found := _under(purposes, *_EVALUATING):
            if declaration.ai:
                yield finding("policy-lint-ai-reference", path, use=_named(found))
            elif declaration.ai is None:
                yield finding("policy-lint-ai-undeclared", path, purpose=_named(found))


def _named(terms: list[str]) -> str:
    return ", ".join(map(compact, terms))


# --- a learner's answer has no price -------------------------------------------------------


def _conditions(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """No service, price or duty depends on what a learner answers (constitution 7)."""
    if declaration.service_condition:
        yield finding("policy-lint-service-condition", "service_condition")
    for path, duty in _duties(policy):
        if _depends(duty):
            action = compact(duty.action)
            yield finding("policy-lint-answer-condition", path, action=action)
    for index, rule in enumerate(policy.permissions):
        consented = declaration.basis == "consent" or any(asked(rule, PREAU + "consentStatus"))
        found = _under(frozenset(map(own_name, admitted(rule, _PURPOSE))), *_SERVICES)
        if declaration.personal and consented and found:
            path = f"permission[{index}]"
            yield finding("policy-lint-service-on-consent", path, purpose=_named(found))


def _duties(policy: Policy) -> Iterator[tuple[str, Duty]]:
    for r, rule in enumerate(policy.permissions):
        for d, duty in enumerate(rule.duties):
            yield f"permission[{r}].duty[{d}]", duty
    for d, duty in enumerate(policy.obligations):
        yield f"obligation[{d}]", duty


def _depends(duty: Duty) -> bool:
    """Whether something else than stopping and erasing follows a learner's answer."""
    if duty.action in _AFTER_NO:
        return False
    return any(
        atom.left in _ANSWERS
        or (atom.left == ODRL + "event" and {value.text for value in atom.right} & _SAID_NO)
        for atom in atoms(duty.constraints)
    )


# --- exclusivity ---------------------------------------------------------------------------


def _exclusive(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """A public body does not promise its data to one party alone."""
    if not (declaration.public_body or declaration.basis == "public-task"):
        return
    if declaration.exclusive:
        yield finding("policy-lint-exclusive", "exclusive")
    for path, duty in _duties(policy):
        if duty.action == ODRL + "ensureExclusivity":
            yield finding("policy-lint-exclusive", path)
    for index, rule in enumerate(policy.permissions):
        named = {
            value.text
            for each in asked(rule, PREAU + "assignee")
            if each.operator in {EQ, IS_ANY_OF, IS_PART_OF}
            for value in each.right
        } | ({rule.assignee} if rule.assignee else set())
        if len(named) == 1 and not declaration.exclusive:
            path = f"permission[{index}]"
            yield finding("policy-lint-single-recipient", path, recipient=named.pop())


# --- impact assessment ---------------------------------------------------------------------


def _assessment(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    if declaration.dpia:
        return
    found = [code for met, code in _criteria(policy, declaration) if met]
    if len(found) > 1:
        yield finding("policy-lint-dpia", "dpia")
    for code in found:
        yield finding(code, "dpia")


def _criteria(policy: Policy, declaration: Declaration) -> Iterator[tuple[bool, str]]:
    special = any(column.conditioned for column in declaration.columns)
    purposes = _purposes(policy)
    evaluated = bool(_under(purposes, _AI, *_EVALUATING)) or any(
        rule.action in _DECIDING for rule in policy.permissions
    )
    matched = any(
        value.text == "true"
        for rule in policy.permissions
        for each in asked(rule, PREAU + "longitudinal")
        for value in each.right
    )
    yield declaration.minors, "policy-lint-risk-minors"
    yield special, "policy-lint-risk-special"
    yield (declaration.persons or 0) >= LARGE, "policy-lint-risk-scale"
    yield evaluated, "policy-lint-risk-evaluation"
    yield matched, "policy-lint-risk-matching"


# --- the roster ----------------------------------------------------------------------------


def _roster(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """Who holds the list of all persons learns from the absence of a row who refused."""
    for index, rule in enumerate(policy.permissions):
        if not by_row(rule):
            continue
        left = sorted(party for party in declaration.roster if not _excluded(rule, party))
        if left:
            path, party = f"permission[{index}]", ", ".join(left)
            yield finding("policy-lint-roster", path, party=party)


def _excluded(rule: Rule, party: str) -> bool:
    """Whether a permission is certainly not for this party."""
    if party.startswith(GROUP):
        return any(
            each.operator == IS_NONE_OF and _names(each, party)
            for each in asked(rule, PREAU + "membership")
        )
    if rule.assignee is not None:
        return rule.assignee != party
    return any(
        _names(each, party)
        if each.operator in {NEQ, IS_NONE_OF}
        else each.operator in {EQ, IS_ANY_OF, IS_PART_OF} and not _names(each, party)
        for each in asked(rule, PREAU + "assignee")
    )


def _names(constraint: Constraint, party: str) -> bool:
    return any(value.text == party for value in constraint.right)
