"""compile: agreement + application + dataset -> plan. Pure and deterministic.

The rules, each of which the tests hold:

1. Only a permit compiles, and only the one made on these very rules.
2. Every constraint of the permission that permits is held: by its share of the plan, or by being
   evaluated again at transfer and at every part. One that is held by neither refuses the plan
   (P10). Alternatives (`or`, `xone`) are held only when every branch can be evaluated again.
3. Shares are intersected; an empty intersection (no field, no instant, no treatment) refuses.
4. Personal data always carry a consent scope, or an objection scope on another declared basis,
   whatever the policy says; the stricter of both if the policy asks for consent (constitution 2).
   No basis, no plan. The scope's purpose is the application's, or the one purpose of the policy.
5. Fields: those of the application, within those of the policy; without an application those of
   the policy; without either, all of the codebook that do not identify directly. An unknown name
   is a problem. Direct identifiers leave only treated (agents become pseudonyms) or not at all;
   free text only if named; special categories only with a declared condition (S5, X5). A plan
   that names a social security number is refused (X10). Rows without a record time know no period.
6. The linkage announced is the one that the signed dataset document gives for the plan's time
   precision and detail of fields; "not measured" where it gives none (X5).
7. Pseudonyms are per agreement, or per recipient and purpose under `preau:longitudinal`; ids are
   re-keyed; times are cut to the hour unless the policy names a precision.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as member
from datetime import datetime, timedelta
from typing import Final

from policies import operands, values
from policies.application import Application
from policies.consent import Mode, Scope
from policies.evaluate import Fact
from policies.model import (
    DATETIME,
    DURATION,
    AnyConstraint,
    Constraint,
    LogicalConstraint,
    Policy,
    Rule,
    Value,
    atoms,
)
from policies.naming import name, rules_digest
from policies.operands import Share
from policies.operands.base import EQ, GT, GTEQ, IS_A, IS_ANY_OF, IS_PART_OF, LT, LTEQ
from policies.planned import (
    ACTORS,
    NOT_MEASURED,
    PRECISIONS,
    Codebook,
    ConsentScope,
    Field,
    FieldTreatment,
    Plan,
    PlanDuty,
    PlanField,
    Precision,
    Removal,
    RemovalReason,
    Rows,
    Treatments,
    Trigger,
    tells_more,
)
from policies.problem import Problem
from policies.trace import Decision, Promise
from policies.vocabulary import ODRL, PREAU, compact

__all__ = [
    "BASES",
    "Codebook",
    "ConsentScope",
    "DatasetFacts",
    "Field",
    "Plan",
    "PlanDuty",
    "PlanField",
    "Removal",
    "Rows",
    "Treatments",
    "Trigger",
    "compile",
    "facts",
]

BASES: Final = (
    "consent",
    "public-task",
    "legal-obligation",
    "contract",
    "legitimate-interest",
    "vital-interest",
)
_AND: Final = ODRL + "and"
_TIMES: Final = frozenset({"date", "dateTime"})
_NIR: Final = "nir"
_DATE: Final = ODRL + "dateTime"
_DECLARED: Final = frozenset({PREAU + "attestDeletion", PREAU + "reportPublication"})


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What the plan must know about a dataset.

    Attributes:
        id: the dataset's IRI, target of the agreement.
        codebook: its fields.
        personal: whether its rows are about persons.
        basis: the declared legal basis, one of `BASES`; None when none is declared.
        category: the category of data, as consent events name it.
        special: names of special-category fields that have a declared Article 9 condition.
        linkage: the measured shares as the signed document announces them, by time precision and
            whether results and extension values leave (`planned.tells_more`); empty before.
        dated: whether its rows have a record time; a period means nothing for other rows.
    """

    id: str
    codebook: Codebook
    personal: bool
    basis: str | None
    category: str
    special: frozenset[str] = frozenset()
    linkage: Mapping[tuple[str, bool], str] = member(default_factory=dict)
    dated: bool = True


def compile(  # noqa: A001  (what it does; called as plan.compile)
    agreement: Policy,
    application: Application | None,
    dataset: DatasetFacts,
    agreement_id: str,
    recipient: str,
    decided: Decision,
) -> Plan:
    """The plan of an agreement; see the rules in the module's docstring.

    Args:
        agreement: the policy agreed on (its `timestamp`, if any, dates the duties).
        application: what was asked, None for a peer that cannot say.
        dataset: what it is about.
        agreement_id: the agreement's id.
        recipient: the recipient's DID.
        decided: a permit on this policy (any phase).

    Raises:
        Problem: `policy-plan-…` (kind refused), naming the constraint, field or value.
    """
    permission = _permitted(agreement, decided)
    if agreement.target is not None and agreement.target != dataset.id:
        raise Problem("policy-plan-target", target=agreement.target, dataset=dataset.id)
    share = _shares(permission)
    treatments = _treatments(share, dataset)
    fields, removed = _fields(share, application, dataset, treatments)
    duties = tuple(_duty(each, agreement) for each in decided.duties)
    return Plan(
        agreement=agreement_id,
        policy="ni:///sha-256;" + rules_digest(agreement),
        dataset=dataset.id,
        rows=_rows(share, permission, application, dataset, recipient),
        fields=fields,
        treatments=treatments,
        releases=share.releases,
        duties=duties,
        triggers=_triggers(permission, share, duties, agreement),
        linkage=_linkage(fields, treatments, dataset),
        removed=removed,
    )


def facts(plan: Plan) -> dict[str, Fact]:
    """What a plan makes true, by operand IRI: for `decide` at transfer and at every part."""
    return {key: Fact(held, "plan", "enforced") for key, held in plan.values().items()}


def _permitted(agreement: Policy, decided: Decision) -> Rule:
    if not decided.permitted:
        raise Problem("policy-plan-not-permitted", outcome=decided.outcome)
    found = [rule for rule in agreement.permissions if name(rule) == decided.permission]
    if not found or decided.policy != rules_digest(agreement):
        raise Problem("policy-plan-other-policy")
    return found[0]


# --- shares --------------------------------------------------------------------------------


def _shares(permission: Rule) -> Share:
    total = Share()
    for constraint in _conjuncts(permission.constraints):
        total = _intersect(total, _share(constraint))
    return total


def _conjuncts(constraints: tuple[AnyConstraint, ...]) -> Iterable[AnyConstraint]:
    for each in constraints:
        if isinstance(each, LogicalConstraint) and each.operator == _AND:
            yield from _conjuncts(each.operands)
        else:
            yield each


def _share(constraint: AnyConstraint) -> Share:
    """What holds one constraint; refuses what nothing holds."""
    if isinstance(constraint, LogicalConstraint):
        if all(_again(atom) for atom in atoms((constraint,))):
            return Share()
        raise _unheld(constraint)
    operand = operands.find(constraint.left)
    if operand is None or operand.duty_only:
        raise _unheld(constraint)
    if operand.share is None:
        if not _again(constraint):
            raise _unheld(constraint)
        return Share()
    share = operand.share(constraint)
    if share is None:
        raise _unheld(constraint)
    return share


def _again(constraint: Constraint) -> bool:
    """Whether a constraint is evaluated again before every part."""
    operand = operands.find(constraint.left)
    return operand is not None and "batch" in operand.phases_of(constraint)


def _unheld(constraint: AnyConstraint) -> Problem:
    lefts = sorted({compact(atom.left) for atom in atoms((constraint,))})
    return Problem("policy-plan-no-enforcer", constraint=name(constraint), operand=", ".join(lefts))


def _intersect(one: Share, other: Share) -> Share:
    if (
        None not in (one.longitudinal, other.longitudinal)
        and one.longitudinal != other.longitudinal
    ):
        raise Problem("policy-plan-contradiction", operand=compact(PREAU + "longitudinal"))
    starts = [edge for edge in (one.start, other.start) if edge is not None]
    ends = [edge for edge in (one.end, other.end) if edge is not None]
    counts = [count for count in (one.releases, other.releases) if count is not None]
    return Share(
        fields=_meet(one.fields, other.fields),
        without=one.without | other.without,
        start=max(starts, default=None),
        end=min(ends, default=None),
        releases=min(counts, default=None),
        identifiers=_meet(one.identifiers, other.identifiers),
        times=_meet(one.times, other.times),
        longitudinal=other.longitudinal if one.longitudinal is None else one.longitudinal,
        elapsed=_shorter(one, other),
        scoped="consent" if "consent" in (one.scoped, other.scoped) else one.scoped or other.scoped,
    )


def _meet(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _shorter(one: Share, other: Share) -> values.Duration | None:
    if one.elapsed is None or other.elapsed is None:
        return other.elapsed if one.elapsed is None else one.elapsed
    texts = (one.elapsed.text(), other.elapsed.text())
    order = values.order(Value(texts[0], DURATION), Value(texts[1], DURATION))
    if order is None:
        raise Problem("policy-plan-contradiction", operand=compact(ODRL + "elapsedTime"))
    return one.elapsed if order <= 0 else other.elapsed


# --- rows ----------------------------------------------------------------------------------


def _rows(
    share: Share,
    permission: Rule,
    application: Application | None,
    dataset: DatasetFacts,
    recipient: str,
) -> Rows:
    start, end = share.start, share.end
    if application is not None:
        first, last = application.period
        start = first if start is None else max(start, first)
        end = last if end is None else min(end, last)
    if start is not None and end is not None and start >= end:
        raise Problem("policy-plan-contradiction", operand=compact(PREAU + "recordTime"))
    if not dataset.dated:
        start = end = None
    undated = not dataset.dated
    mode = _mode(share, dataset)
    if mode is None:
        return Rows(start, end, undated=undated)
    purpose = application.purpose if application is not None else _purpose(permission)
    scope = Scope(recipient, purpose, dataset.category)
    return Rows(start, end, ConsentScope(scope, mode), undated)


def _mode(share: Share, dataset: DatasetFacts) -> Mode | None:
    if not dataset.personal:
        if share.scoped is not None:
            raise Problem("policy-plan-no-persons", dataset=dataset.id)
        return None
    if dataset.basis not in BASES:
        raise Problem("policy-plan-no-basis", dataset=dataset.id, known=", ".join(BASES))
    return "consent" if "consent" in (dataset.basis, share.scoped) else "objection"


def _purpose(permission: Rule) -> str:
    """The one purpose of an offer whose choice declares it (P6: peers that cannot say)."""
    found = {
        value.text
        for atom in _conjuncts(permission.constraints)
        if isinstance(atom, Constraint) and atom.left == ODRL + "purpose"
        if atom.operator in {EQ, IS_A, IS_ANY_OF, IS_PART_OF}
        for value in atom.right
    }
    if len(found) != 1:
        raise Problem("policy-plan-no-purpose", found=len(found))
    return found.pop()


# --- fields and treatments -----------------------------------------------------------------


def _treatments(share: Share, dataset: DatasetFacts) -> Treatments | None:
    asked = (share.identifiers, share.times, share.longitudinal)
    if not dataset.personal and all(each is None for each in asked):
        return None
    wanted = PREAU + ("KeyedPerRecipientAndPurpose" if share.longitudinal else "KeyedPerAgreement")
    if share.identifiers is not None and wanted not in share.identifiers:
        raise Problem("policy-plan-contradiction", operand=compact(PREAU + "identifierTreatment"))
    return Treatments(actor=ACTORS[wanted], time=_precision(share.times))


def _precision(allowed: frozenset[str] | None) -> Precision:
    """The finest precision that the policy names; the hour when it names none."""
    if allowed is None:
        return "hour"
    for term, precision in PRECISIONS.items():
        if term in allowed:
            return precision
    raise Problem("policy-plan-contradiction", operand=compact(PREAU + "timePrecision"))


def _fields(
    share: Share,
    application: Application | None,
    dataset: DatasetFacts,
    treatments: Treatments | None,
) -> tuple[tuple[PlanField, ...], tuple[Removal, ...]]:
    known = {each.name: each for each in dataset.codebook}
    asked = frozenset(application.fields) if application is not None else None
    for names, path in (
        (asked, "application.fields"),
        (share.fields, "fields"),
        (share.without, "fields"),
    ):
        unknown = sorted((names or frozenset()) - set(known))
        if unknown:
            raise Problem("policy-plan-unknown-field", path=path, field=", ".join(unknown[:10]))
    wanted = _meet(asked, share.fields)
    named = (asked or frozenset()) | (share.fields or frozenset())
    refused = sorted(each for each in named if known[each].type == _NIR)
    if refused:
        raise Problem("policy-plan-nir", field=", ".join(refused[:10]))
    kept: list[PlanField] = []
    removed: list[Removal] = []
    for field in sorted(known.values(), key=lambda each: each.name):
        reason = _reason(field, wanted, share.without, dataset, treatments)
        if reason is None:
            kept.append(_plan_field(field, treatments))
        else:
            removed.append(Removal(field.name, reason))
    if not kept:
        raise Problem("policy-plan-no-fields")
    return tuple(kept), tuple(removed)


def _reason(
    field: Field,
    wanted: frozenset[str] | None,
    without: frozenset[str],
    dataset: DatasetFacts,
    treatments: Treatments | None,
) -> RemovalReason | None:
    """Why a field stays behind; None when it leaves."""
    if field.type == _NIR:
        return "direct-identifier"
    if field.name in without:
        return "excluded"
    if wanted is not None and field.name not in wanted:
        return "not-agreed"
    match field.personal:
        case "no" | "indirect":
            pass
        case "free-text":
            if wanted is None:
                return "free-text"
        case "special":
            if field.name not in dataset.special:
                return "special-category"
        case _:
            if treatments is None or field.type != "agent":
                return "direct-identifier"
    if field.type == "agent" and treatments is None:
        return "direct-identifier"
    timeless = treatments is not None and treatments.time == "none"
    return "no-time" if timeless and field.type in _TIMES else None


def _plan_field(field: Field, treatments: Treatments | None) -> PlanField:
    treatment: FieldTreatment | None = None
    if treatments is not None:
        if field.type == "agent":
            treatment = "pseudonym"
        elif field.type == "uuid" or field.pointer == "/id":
            treatment = "rekey"
        elif field.type == "dateTime":
            treatment = "time"
    return PlanField(field.name, field.type, field.pointer, field.column, treatment)


def _linkage(
    fields: tuple[PlanField, ...], treatments: Treatments | None, dataset: DatasetFacts
) -> str:
    """The figure announced for these treatments; re-keyed ids mark nothing by their value."""
    if treatments is None:
        return NOT_MEASURED
    masked = ("pseudonym", "rekey")
    more = any(tells_more(each.pointer) for each in fields if each.treatment not in masked)
    return dataset.linkage.get((treatments.time, more), NOT_MEASURED)


# --- duties and triggers -------------------------------------------------------------------


def _duty(promise: Promise, agreement: Policy) -> PlanDuty:
    limits = {atom.left: atom for atom in atoms(promise.constraints)}
    elapsed = _limit(limits.get(ODRL + "elapsedTime"))
    within = _limit(limits.get(ODRL + "delayPeriod"))
    event = limits.get(ODRL + "event")
    due = _after(agreement, elapsed)
    date = limits.get(_DATE)
    if due is None and date is not None and date.operator in {LT, LTEQ}:
        due = values.instant(date.right[0].text)
    return PlanDuty(
        kind=promise.kind,
        id=promise.name,
        action=promise.action,
        assurance="declared" if promise.action in _DECLARED else "contractual",
        due=None if due is None else values.show(due),
        elapsed=elapsed.text() if elapsed is not None and due is None else None,
        within=None if within is None else within.text(),
        on=event.right[0].text if event is not None else None,
    )


def _limit(atom: Constraint | None) -> values.Duration | None:
    if atom is None or atom.operator not in {LT, LTEQ, EQ}:
        return None
    return values.duration(atom.right[0].text)


def _after(agreement: Policy, elapsed: values.Duration | None) -> datetime | None:
    began = values.instant(agreement.timestamp or "")
    return None if began is None or elapsed is None else elapsed.after(began)


def _triggers(
    permission: Rule, share: Share, duties: tuple[PlanDuty, ...], agreement: Policy
) -> tuple[Trigger, ...]:
    found = set(_dates(permission))
    if share.elapsed is not None:
        end = _after(agreement, share.elapsed)
        found.add(
            Trigger("end", elapsed=share.elapsed.text())
            if end is None
            else Trigger("end", at=values.show(end))
        )
    for duty in duties:
        if duty.due or duty.elapsed or duty.on:
            found.add(Trigger("due", duty.due, duty.elapsed, duty.on, duty.id))
    order = sorted(
        found, key=lambda t: (t.do, t.at or "", t.elapsed or "", t.on or "", t.duty or "")
    )
    return tuple(order)


def _dates(permission: Rule) -> Iterable[Trigger]:
    """The instants at which a date constraint of the permission begins or ceases to hold."""
    for atom in atoms(permission.constraints):
        moment = values.parse(atom.right[0]) if atom.left == _DATE else None
        if not isinstance(moment, datetime) or atom.right[0].datatype != DATETIME:
            continue
        if atom.operator in {LT, LTEQ}:
            tick = timedelta(microseconds=1 if atom.operator == LTEQ else 0)
            yield Trigger("end", at=values.show(moment + tick))
        elif atom.operator in {GT, GTEQ}:
            yield Trigger("begin", at=values.show(moment))
