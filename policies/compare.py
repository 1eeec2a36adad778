"""Does one policy cover another, what differs, and how a policy is made narrower.

`differences` is sound, not complete: no difference means that whatever the inner policy permits,
the outer one permits too, with the same promises. Purposes are compared through their hierarchy,
dates, counts, durations and record times as intervals, fields as sets, everything else exactly.
An operand nobody knows is covered only by the very same constraint.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from policies import application as applications
from policies import operands, phrases, values
from policies.application import Application
from policies.model import (
    DATETIME,
    DURATION,
    INTEGER,
    STRING,
    AnyConstraint,
    Constraint,
    Duty,
    LogicalConstraint,
    Policy,
    Rule,
    Value,
    atoms,
    iri,
)
from policies.naming import name
from policies.operands.base import EQ, GTEQ, IS_A, IS_PART_OF, LT, LTEQ
from policies.problem import Language, Problem
from policies.strict import Members
from policies.vocabulary import ODRL, PREAU, action_covers

__all__ = [
    "ChangedOffer",
    "Difference",
    "application_covers",
    "change",
    "differences",
    "narrow",
    "resubmit",
]

_AND: Final = ODRL + "and"
_OR: Final = ODRL + "or"
_CODE: Final = "policy-changed-offer"
_PURPOSE: Final = ODRL + "purpose"
_FIELDS: Final = PREAU + "fields"
_RECORDS: Final = PREAU + "recordTime"
_DELETE: Final = ODRL + "delete"
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
    found = list(_members(outer, inner))
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


def narrow(offer: Policy, application: Application) -> Policy:
    """The published offer with the application's constraints added to each permission (P4)."""
    added = applications.constraints(application)
    return replace(
        _each_permission(offer, lambda rule: _union(rule.constraints, added)),
        target=offer.target or application.dataset,
    )


def resubmit(policy: Policy, application: Application) -> Policy:
    """The policy on the table narrowed by a new application: never wider than the table."""
    added = applications.constraints(application)
    return _each_permission(policy, lambda rule: _tighten(rule.constraints, added))


@dataclass(frozen=True, slots=True)
class ChangedOffer:
    """What a decision maker changes in the offer under negotiation (FORMATS "Changed offer").

    `start` and `end` are the half-open period, RFC 3339; `until` the last instant of use;
    `retention` an xsd:duration; `count` a number of releases.
    """

    fields: tuple[str, ...] | None = None
    purpose: str | None = None
    start: str | None = None
    end: str | None = None
    until: str | None = None
    retention: str | None = None
    count: int | None = None
    identifiers: str | None = None
    precision: str | None = None

    @classmethod
    def read(cls, data: object) -> "ChangedOffer":
        """The changed offer that a JSON document is.

        Raises:
            Problem: `policy-changed-offer` with the path and what was expected there.
        """
        optional = frozenset({"fields", "purpose", "period", "until", "params"})
        members = Members(data, _CODE, "", frozenset({"v"}), optional)
        members.constant("v", 1)
        if not any(member in members for member in optional):
            raise members.problem(
                "", "at least one change: {known}", known=", ".join(sorted(optional))
            )
        changed = cls(
            fields=members.texts("fields") if "fields" in members else None,
            purpose=members.iri("purpose") if "purpose" in members else None,
            until=members.time_or_date("until", end=True) if "until" in members else None,
        )
        return _with_params(_with_period(changed, members), members)


def change(offer: Policy, changed: ChangedOffer) -> Policy:
    """The offer under negotiation with the changes applied: on no point wider than before.

    A purpose replaces the one that was asked; everything else is added, and what it makes
    redundant is dropped. Whether the application still covers it is `application_covers`'s to say.

    Raises:
        Problem: `policy-changed-wider`, when a retention would be longer than the offer's, or
            a purpose lies outside the published ones.
    """
    added = _changes(changed)
    if changed.purpose is not None:
        _check_purpose(offer, changed.purpose)
    policy = _each_permission(offer, lambda rule: _tighten(rule.constraints, added))
    if changed.retention is None:
        return policy
    limit = values.literal(changed.retention, DURATION)
    return replace(
        policy,
        permissions=tuple(
            replace(rule, duties=tuple(_shorten(duty, limit) for duty in rule.duties))
            for rule in policy.permissions
        ),
        obligations=tuple(_shorten(duty, limit) for duty in policy.obligations),
    )


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


def _permission(outer: tuple[Rule, ...], inner: Rule) -> list[Difference]:
    """The smallest set of differences to any outer permission on the action."""
    fitting = [rule for rule in outer if action_covers(rule.action, inner.action)]
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
    return [_not_implied(each, inner) for each in outer if not _implied(each, inner)]


def _implied(outer: AnyConstraint, inner: tuple[AnyConstraint, ...]) -> bool:
    """Whether constraints that hold together make the outer one hold."""
    flat = tuple(_flatten(inner))
    if any(name(each) == name(outer) for each in flat):
        return True
    if isinstance(outer, LogicalConstraint):
        if outer.operator == _AND:
            return all(_implied(child, inner) for child in outer.operands)
        return outer.operator == _OR and any(_implied(child, inner) for child in outer.operands)
    operand = operands.find(outer.left)
    if operand is None:
        return False
    return any(
        operand.implies(each, outer)
        for each in flat
        if isinstance(each, Constraint) and each.left == outer.left
    )


def _flatten(constraints: tuple[AnyConstraint, ...]) -> Iterable[AnyConstraint]:
    for each in constraints:
        if isinstance(each, LogicalConstraint) and each.operator == _AND:
            yield from _flatten(each.operands)
        else:
            yield each


def _asked(application: Application) -> tuple[Constraint, ...]:
    """The application's constraints, its purpose read as "this or narrower"."""
    return tuple(
        replace(each, operator=IS_A) if each.left == _PURPOSE else each
        for each in applications.constraints(application)
    )


# --- narrowing -----------------------------------------------------------------------------


def _each_permission(
    policy: Policy, narrower: Callable[[Rule], tuple[AnyConstraint, ...]]
) -> Policy:
    return replace(
        policy,
        permissions=tuple(replace(rule, constraints=narrower(rule)) for rule in policy.permissions),
    )


def _union(
    mine: tuple[AnyConstraint, ...], added: Iterable[AnyConstraint]
) -> tuple[AnyConstraint, ...]:
    known = {name(each) for each in mine}
    return (*mine, *(each for each in added if name(each) not in known))


def _tighten(
    mine: tuple[AnyConstraint, ...], added: tuple[Constraint, ...]
) -> tuple[AnyConstraint, ...]:
    """The constraints with others added; what these replace or make redundant is dropped."""
    purposes = any(each.left == _PURPOSE for each in added)
    kept = tuple(
        each
        for each in mine
        if not (
            isinstance(each, Constraint)
            and (
                (purposes and each.left == _PURPOSE and each.operator == EQ)
                or (each.left in {a.left for a in added} and _made_redundant(each, added))
            )
        )
    )
    return _union(kept, (each for each in added if not _implied(each, kept)))


def _made_redundant(each: Constraint, added: tuple[Constraint, ...]) -> bool:
    """A published purpose list stays beside the purpose asked, so that both can be read."""
    return each.left != _PURPOSE and _implied(each, added)


def _changes(changed: ChangedOffer) -> tuple[Constraint, ...]:
    found: list[Constraint] = []
    if changed.purpose is not None:
        found.append(Constraint(_PURPOSE, EQ, (iri(changed.purpose),)))
    if changed.fields is not None:
        names = tuple(Value(each, STRING) for each in sorted(changed.fields))
        found.append(Constraint(_FIELDS, IS_PART_OF, names, listed=True))
    for left, operator, text, datatype in (
        (_RECORDS, GTEQ, changed.start, DATETIME),
        (_RECORDS, LT, changed.end, DATETIME),
        (ODRL + "dateTime", LT, changed.until, DATETIME),
        (ODRL + "count", LTEQ, None if changed.count is None else str(changed.count), INTEGER),
    ):
        if text is not None:
            found.append(Constraint(left, operator, (values.literal(text, datatype),)))
    for left, term in (
        (PREAU + "identifierTreatment", changed.identifiers),
        (PREAU + "timePrecision", changed.precision),
    ):
        if term is not None:
            found.append(Constraint(left, EQ, (iri(term),)))
    return tuple(found)


def _check_purpose(offer: Policy, purpose: str) -> None:
    """A purpose outside the published ones would make an offer that permits nothing."""
    asked = (Constraint(_PURPOSE, EQ, (iri(purpose),)),)
    for rule in offer.permissions:
        for each in _flatten(rule.constraints):
            if not isinstance(each, Constraint) or (each.left, each.operator) == (_PURPOSE, EQ):
                continue
            if each.left == _PURPOSE and not _implied(each, asked):
                said = phrases.constraint(each, "en")
                raise Problem("policy-changed-wider", path="purpose", expected=said)


def _shorten(duty: Duty, limit: Value) -> Duty:
    if duty.action != _DELETE:
        return duty
    new = Constraint(_ELAPSED, LTEQ, (limit,))
    for atom in atoms(duty.constraints):
        if atom.left == _ELAPSED and not _implied(atom, (new,)):
            raise Problem(
                "policy-changed-wider",
                path="params.retention",
                expected=phrases.constraint(atom, "en"),
            )
    return replace(duty, constraints=_tighten(duty.constraints, (new,)))


def _with_period(changed: ChangedOffer, members: Members) -> ChangedOffer:
    if "period" not in members:
        return changed
    both = frozenset({"from", "to"})
    period = Members(members.value("period"), _CODE, "period", frozenset(), both)
    start = period.time_or_date("from") if "from" in period else None
    end = period.time_or_date("to", end=True) if "to" in period else None
    if start is None and end is None:
        raise period.problem("", "from, to or both")
    if start is not None and end is not None and _not_before(start, end):
        raise period.problem("to", "a time after `from`")
    return replace(changed, start=start, end=end)


def _not_before(start: str, end: str) -> bool:
    first, last = values.instant(start), values.instant(end)
    return first is None or last is None or first >= last


def _with_params(changed: ChangedOffer, members: Members) -> ChangedOffer:
    if "params" not in members:
        return changed
    known = frozenset({"retention", "count", "identifiers", "precision"})
    params = Members(members.value("params"), _CODE, "params", frozenset(), known)
    retention = params.optional_text("retention")
    if retention is not None and values.duration(retention) is None:
        raise params.problem("retention", "a duration such as P180D")
    return replace(
        changed,
        retention=retention,
        count=params.integer("count", 1) if "count" in params else None,
        identifiers=params.iri("identifiers") if "identifiers" in params else None,
        precision=params.iri("precision") if "precision" in params else None,
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


def _not_implied(outer: AnyConstraint, inner: tuple[AnyConstraint, ...]) -> Difference:
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
