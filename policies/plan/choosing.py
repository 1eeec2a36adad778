"""Which fields leave, and how persons and times are treated (rule 5 and 7 of `compiling`)."""

from collections.abc import Mapping
from typing import Final

from policies.application import Application
from policies.operands import Share
from policies.plan.dataset import DatasetFacts
from policies.plan.document import NOT_MEASURED
from policies.plan.fields import (
    Field,
    FieldTreatment,
    PlanField,
    Removal,
    RemovalReason,
    tells_more,
)
from policies.plan.shares import contradiction, meet
from policies.plan.treatments import ACTORS, PRECISIONS, Precision, Treatments
from policies.problem import Problem
from policies.remember import by_identity
from policies.vocabulary import PREAU

_TIMES: Final = frozenset({"date", "dateTime"})
_NIR: Final = "nir"


def treatments(share: Share, dataset: DatasetFacts) -> Treatments | None:
    """How persons, ids and times are treated; None for data about nobody that nothing asks for.

    Raises:
        Problem: `policy-plan-contradiction`: no treatment satisfies every clause.
    """
    asked = (share.identifiers, share.times, share.longitudinal)
    if not dataset.personal and all(each is None for each in asked):
        return None
    wanted = PREAU + ("KeyedPerRecipientAndPurpose" if share.longitudinal else "KeyedPerAgreement")
    if share.identifiers is not None and wanted not in share.identifiers:
        raise contradiction(PREAU + "identifierTreatment")
    return Treatments(actor=ACTORS[wanted], time=_precision(share.times))


def _precision(allowed: frozenset[str] | None) -> Precision:
    """The finest precision that the policy names; the hour when it names none."""
    if allowed is None:
        return "hour"
    for term, precision in PRECISIONS.items():
        if term in allowed:
            return precision
    raise contradiction(PREAU + "timePrecision")


def fields(
    share: Share,
    application: Application | None,
    dataset: DatasetFacts,
    treatments: Treatments | None,
) -> tuple[tuple[PlanField, ...], tuple[Removal, ...]]:
    """The fields that leave, by name, and those that stay behind, each with its reason.

    Raises:
        Problem: `policy-plan-unknown-field`, `policy-plan-nir`, `policy-plan-no-fields`.
    """
    known = _by_name(dataset)
    asked = frozenset(application.fields) if application is not None else None
    for names, path in (
        (asked, "application.fields"),
        (share.fields, "fields"),
        (share.without, "fields"),
    ):
        unknown = sorted((names or frozenset()) - set(known))
        if unknown:
            raise Problem("policy-plan-unknown-field", path=path, field=", ".join(unknown[:10]))
    wanted = meet(asked, share.fields)
    named = (asked or frozenset()) | (share.fields or frozenset())
    refused = sorted(each for each in named if known[each].type == _NIR)
    if refused:
        raise Problem("policy-plan-nir", field=", ".join(refused[:10]))
    kept: list[PlanField] = []
    removed: list[Removal] = []
    for field in known.values():
        reason = _reason(field, wanted, share.without, dataset, treatments)
        if reason is None:
            kept.append(_plan_field(field, treatments))
        else:
            removed.append(Removal(field.name, reason))
    if not kept:
        raise Problem("policy-plan-no-fields")
    return tuple(kept), tuple(removed)


@by_identity
def _by_name(dataset: DatasetFacts) -> Mapping[str, Field]:
    """The codebook in the order of its names."""
    return {each.name: each for each in sorted(dataset.codebook, key=lambda each: each.name)}


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


def linkage(
    fields: tuple[PlanField, ...], treatments: Treatments | None, dataset: DatasetFacts
) -> str:
    """The figure announced for these treatments; re-keyed ids mark nothing by their value."""
    if treatments is None:
        return NOT_MEASURED
    masked = ("pseudonym", "rekey")
    more = any(tells_more(each.pointer) for each in fields if each.treatment not in masked)
    return dataset.linkage.get((treatments.time, more), NOT_MEASURED)
