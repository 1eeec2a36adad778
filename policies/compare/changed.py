"""What a decision maker, or a counter-offer, changes in an offer (FORMATS "Changed offer")."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from policies import values
from policies.model import DATETIME, INTEGER, STRING, Constraint, Value, iri
from policies.operands.base import EQ, GT, GTEQ, IS_PART_OF, LT, LTEQ
from policies.strict import Members
from policies.vocabulary import ODRL, PREAU

PURPOSE: Final = ODRL + "purpose"
FIELDS: Final = PREAU + "fields"
RECORDS: Final = PREAU + "recordTime"
DATE: Final = ODRL + "dateTime"
COUNT: Final = ODRL + "count"
_CODE: Final = "policy-changed-offer"
_PARAMS: Final = ("retention", "count", "identifiers", "precision")
_TREATED: Final = {
    PREAU + "identifierTreatment": "identifiers",
    PREAU + "timePrecision": "precision",
}
_TICK: Final = timedelta(microseconds=1)


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

    @classmethod
    def of(cls, found: Iterable[Constraint], retention: str | None = None) -> "ChangedOffer | None":
        """The changes that these constraints are, as far as the format can say them; None if it
        can say none of them.
        """
        said: dict[str, Any] = {} if retention is None else {"retention": retention}
        for each in found:
            said |= _said(each)
        return cls(**said) if said else None

    def document(self) -> dict[str, object]:
        """The JSON document of FORMATS; `read` reads it back."""
        period = _present({"from": self.start, "to": self.end})
        params = {name: getattr(self, name) for name in _PARAMS}
        fields = None if self.fields is None else list(self.fields)
        head = {"fields": fields, "purpose": self.purpose, "period": period or None}
        rest = {"until": self.until, "params": _present(params) or None}
        return {"v": 1} | _present(head) | _present(rest)


def constraints(changed: ChangedOffer) -> tuple[Constraint, ...]:
    """The constraints that the changes add; a retention changes duties instead."""
    found: list[Constraint] = []
    if changed.purpose is not None:
        found.append(Constraint(PURPOSE, EQ, (iri(changed.purpose),)))
    if changed.fields is not None:
        names = tuple(Value(each, STRING) for each in sorted(changed.fields))
        found.append(Constraint(FIELDS, IS_PART_OF, names, listed=True))
    for left, operator, text, datatype in (
        (RECORDS, GTEQ, changed.start, DATETIME),
        (RECORDS, LT, changed.end, DATETIME),
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


def _said(one: Constraint) -> dict[str, Any]:
    """The member of a changed offer that says this constraint, if one does."""
    if one.left == FIELDS and one.operator == IS_PART_OF:
        return {"fields": tuple(value.text for value in one.right)}
    if len(one.right) != 1:
        return {}
    text = one.right[0].text
    if one.left == PURPOSE and one.operator == EQ:
        return {"purpose": text}
    if one.left in _TREATED and one.operator == EQ:
        return {_TREATED[one.left]: text}
    if one.left == COUNT and one.operator in {LT, LTEQ, EQ}:
        return {"count": int(text) - (one.operator == LT)}
    moment = values.instant(text)
    return {} if moment is None else _edge(one, moment)


def _edge(one: Constraint, moment: datetime) -> dict[str, Any]:
    """An edge of the period or the end of use; both are said half open."""
    edges = {
        (RECORDS, LT): "end",
        (RECORDS, LTEQ): "end",
        (DATE, LT): "until",
        (DATE, LTEQ): "until",
    }
    edges |= {(RECORDS, GTEQ): "start", (RECORDS, GT): "start"}
    member = edges.get((one.left, one.operator))
    later = one.operator in {LTEQ, GT}
    return {} if member is None else {member: values.show(moment + _TICK if later else moment)}


def _present(members: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value is not None}
