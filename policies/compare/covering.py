"""Does one policy cover another, and what differs.

`differences` is sound: no difference means that whatever the inner policy permits, the outer one
permits too, with the same promises. Purposes are compared through their hierarchy, dates, counts,
durations and record times as intervals, fields as sets, everything else exactly. An operand nobody
knows is covered only by the very same constraint.

It is complete where every inner constraint pins its operand to one value, as the terms of one
request do (`requests.asked`), and the outer permission has `and` and `or` over operands that
have one value, with any operator. Beyond that it may find a difference where there is none: an
`xone` is covered only by itself, an `or` only by what makes one branch hold, and several
constraints are not added up (`gteq 3` and `lteq 3` do not make `eq 3`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from policies import application as applications
from policies import operands, phrases
from policies.application import Application
from policies.model import (
    AnyConstraint,
    Constraint,
    Duty,
    LogicalConstraint,
    Policy,
    Rule,
    atoms,
    beyond,
    iri,
)
from policies.naming import name
from policies.operands import Operand
from policies.operands.base import EQ, IS_A, LT, LTEQ
from policies.problem import Language
from policies.vocabulary import ODRL, action_covers

_AND: Final = ODRL + "and"
_OR: Final = ODRL + "or"
_PURPOSE: Final = ODRL + "purpose"
_ELAPSED: Final = ODRL + "elapsedTime"


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which the inner policy goes beyond the outer one.

    Attributes:
        operand: IRI of the operand, action or member that differs.
        outer, inner: what each side says, in words (English), empty where it says nothing.
        fr, en: the difference as a sentence.
    """

    operand: str
    outer: str
    inner: str
    fr: str
    en: str

    def document(self) -> dict[str, str]:
        """The difference for machines."""
        return {
            "operand": self.operand,
            "outer": self.outer,
            "inner": self.inner,
            "fr": self.fr,
            "en": self.en,
        }


def differences(outer: Policy, inner: Policy) -> tuple[Difference, ...]:
    """What the inner policy permits beyond the outer one or no longer promises; () = covered."""
    found = [*_members(outer, inner), *_strategies(outer, inner)]
    for permission in inner.permissions:
        found += _permission(outer.permissions, permission)
    for title, theirs, mine in (
        (("interdiction", "prohibition"), outer.prohibitions, inner.prohibitions),
        (("obligation", "obligation"), outer.obligations, inner.obligations),
    ):
        found += _missing(title, theirs, mine)
    return tuple(dict.fromkeys(found))


def application_covers(application: Application, policy: Policy) -> tuple[Difference, ...]:
    """What a policy permits beyond what was asked in an application; empty = covered (P6)."""
    asked = _asked(application)
    found: list[Difference] = []
    for permission in policy.permissions:
        found += _unmet(asked, permission.constraints)
    return tuple(dict.fromkeys(found))


# --- covering ------------------------------------------------------------------------------


def _members(outer: Policy | Rule, inner: Policy | Rule) -> Iterable[Difference]:
    """Target and parties: what the outer side names, the inner side must name too."""
    for member in ("target", "assigner", "assignee"):
        theirs, mine = getattr(outer, member), getattr(inner, member)
        if theirs is not None and mine != theirs:
            yield Difference(
                operand=ODRL + member,
                outer=theirs,
                inner=mine or "",
                fr=_sentence(theirs, mine or "", "fr"),
                en=_sentence(theirs, mine or "", "en"),
            )


def _strategies(outer: Policy, inner: Policy) -> Iterable[Difference]:
    """Conflict strategy and inheritance: both sides say the same."""
    for member, theirs, mine in (
        ("conflict", outer.conflict or "prohibit", inner.conflict or "prohibit"),
        ("inheritFrom", " ".join(sorted(outer.inherits)), " ".join(sorted(inner.inherits))),
    ):
        if theirs != mine:
            yield Difference(
                operand=ODRL + member,
                outer=theirs,
                inner=mine,
                fr=_sentence(theirs, mine, "fr"),
                en=_sentence(theirs, mine, "en"),
            )


def _permission(outer: tuple[Rule, ...], inner: Rule) -> list[Difference]:
    """The smallest set of differences to any outer permission on the action.

    A rule that says more than the protocol's wire can carry is covered only by the very same.
    """
    if name(inner) in {name(rule) for rule in outer}:
        return []
    fitting = [
        rule
        for rule in outer
        if action_covers(rule.action, inner.action) and not beyond(rule) and not beyond(inner)
    ]
    if not fitting:
        return [_difference(ODRL + "action", None, lambda lang: phrases.action(inner.action, lang))]
    tries = [
        [
            *_members(rule, inner),
            *_unmet(rule.constraints, inner.constraints),
            *_missing(("obligation", "duty"), rule.duties, inner.duties),
        ]
        for rule in fitting
    ]
    return min(tries, key=len)


def _missing(
    title: phrases.Phrase, outer: tuple[Rule | Duty, ...], inner: tuple[Rule | Duty, ...]
) -> list[Difference]:
    kept = {name(part) for part in inner}
    return [
        _promise_gone(title, part)
        for part in outer
        if name(part) not in kept and not any(_stricter(mine, part) for mine in inner)
    ]


def _stricter(inner: Rule | Duty, outer: Rule | Duty) -> bool:
    """Whether an inner promise keeps the outer one: same action and parties, and due no later.

    A prohibition is kept by one with fewer conditions: what is forbidden more often.
    """
    if (inner.target, inner.assigner, inner.assignee) != (
        outer.target,
        outer.assigner,
        outer.assignee,
    ):
        return False
    if beyond(inner) or beyond(outer):
        return False
    if isinstance(inner, Rule):
        return action_covers(inner.action, outer.action) and not _unmet(
            inner.constraints, outer.constraints
        )
    if inner.action != outer.action:
        return False
    mine, my_limits = _dues(inner.constraints)
    theirs, limits = _dues(outer.constraints)
    return mine == theirs and not _unmet(limits, my_limits)


def _dues(
    constraints: tuple[AnyConstraint, ...],
) -> tuple[set[str], tuple[AnyConstraint, ...]]:
    """The conditions of a duty by name, and apart from them its time limits."""
    limits = tuple(
        each
        for each in constraints
        if isinstance(each, Constraint)
        and each.left in {_ELAPSED, ODRL + "delayPeriod"}
        and each.operator in {LT, LTEQ}
    )
    return {name(each) for each in constraints if each not in limits}, limits


def _unmet(outer: Iterable[AnyConstraint], inner: tuple[AnyConstraint, ...]) -> list[Difference]:
    held = _held(inner)
    return [_gap(each, inner) for each in outer if not _implied(each, held)]


def implied(outer: AnyConstraint, inner: tuple[AnyConstraint, ...]) -> bool:
    """Whether constraints that hold together make the outer one hold."""
    return _implied(outer, _held(inner))


def _held(inner: tuple[AnyConstraint, ...]) -> dict[str, AnyConstraint]:
    """What must hold together, by name."""
    return {name(each): each for each in flatten(inner)}


def _implied(outer: AnyConstraint, held: dict[str, AnyConstraint]) -> bool:
    if name(outer) in held:
        return True
    if isinstance(outer, LogicalConstraint):
        if outer.operator == _AND:
            return all(_implied(child, held) for child in outer.operands)
        return outer.operator == _OR and any(_implied(child, held) for child in outer.operands)
    operand = operands.find(outer.left)
    if operand is None or beyond(outer):
        return False
    return any(
        operand.implies(each, outer) or _pinned(operand, each, outer)
        for each in held.values()
        if isinstance(each, Constraint) and each.left == outer.left and not beyond(each)
    )


def _pinned(operand: Operand, inner: Constraint, outer: Constraint) -> bool:
    """Whether the inner constraint leaves one value only, and the outer one holds for it.

    Not where a value is one among several (memberships), and not where the plan decides the value:
    there `eq` admits stricter ones.
    """
    if inner.operator != EQ or len(inner.right) != 1 or operand.source == "plan":
        return False
    if EQ not in operand.operators or outer.operator not in operand.operators:
        return False
    value = inner.right[0]
    beside = iri("urn:x") if value.is_iri else value
    alone = operand.compare(EQ, (value, beside), (value,)) is not True
    return alone and operand.compare(outer.operator, (value,), outer.right) is True


def flatten(constraints: tuple[AnyConstraint, ...]) -> Iterable[AnyConstraint]:
    """The constraints that must all hold, those under `and` one by one."""
    for each in constraints:
        if isinstance(each, LogicalConstraint) and each.operator == _AND:
            yield from flatten(each.operands)
        else:
            yield each


def _asked(application: Application) -> tuple[Constraint, ...]:
    """The application's constraints, its purpose read as "this or narrower"."""
    return tuple(
        replace(each, operator=IS_A) if each.left == _PURPOSE else each
        for each in applications.constraints(application)
    )


# --- sentences -----------------------------------------------------------------------------


Said = Callable[[Language], str] | None


def _difference(operand: str, outer: Said, inner: Said) -> Difference:
    def side(said: Said, lang: Language) -> str:
        return said(lang) if said is not None else ""

    return Difference(
        operand=operand,
        outer=side(outer, "en"),
        inner=side(inner, "en"),
        fr=_sentence(side(outer, "fr"), side(inner, "fr"), "fr"),
        en=_sentence(side(outer, "en"), side(inner, "en"), "en"),
    )


def _sentence(outer: str, inner: str, lang: Language) -> str:
    if lang == "fr":
        allowed, asked = outer or "rien à ce sujet", inner or "rien à ce sujet"
        return f"Admis : {allowed}. Proposé : {asked}."
    allowed, asked = outer or "nothing about this", inner or "nothing about this"
    return f"Allowed: {allowed}. Proposed: {asked}."


def _gap(outer: AnyConstraint, inner: tuple[AnyConstraint, ...]) -> Difference:
    lefts = {atom.left for atom in atoms((outer,))}
    near = [each for each in inner if {atom.left for atom in atoms((each,))} & lefts]

    def said(lang: Language) -> str:
        return phrases.conditions(tuple(near), lang)

    operand = outer.left if isinstance(outer, Constraint) else outer.operator
    return _difference(operand, lambda lang: phrases.constraint(outer, lang), said)


def _promise_gone(title: phrases.Phrase, part: Rule | Duty) -> Difference:
    def said(lang: Language) -> str:
        plain = Duty(part.action, part.constraints)
        return f"{phrases.pick(title, lang)} « {phrases.duty(plain, lang)} »"

    return _difference(part.action, said, None)
