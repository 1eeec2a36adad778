"""Which rows may leave: a period, the persons' consent, and what is left of the policy for a row.

The period and the scope are two shapes of row predicate that an index answers at once; whatever
else the policy says about a row stands in `where` (see `residue`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from policies import values
from policies.consent import Mode, Scope
from policies.model import iri
from policies.plan import residue
from policies.plan.fields import present
from policies.plan.residue import Predicate, Row, Truth
from policies.strict import Members
from policies.vocabulary import DPV, PREAU

RECORD_TIME: Final = PREAU + "recordTime"
_CODE: Final = "policy-plan-document"
_ALLOWED: Final = {
    "consent": (PREAU + "consentStatus", {DPV + "ConsentGiven", DPV + "RenewedConsentGiven"}),
    "objection": (PREAU + "objectionStatus", {PREAU + "NoOpenObjection"}),
}


@dataclass(frozen=True, slots=True)
class ConsentScope:
    """Whose rows may leave: those of persons whose consent state for `scope` allows the mode."""

    scope: Scope
    mode: Mode

    def document(self) -> dict[str, str]:
        """The member `consent` of the plan's `rows`."""
        return {
            "recipient": self.scope.recipient,
            "purpose": self.scope.purpose,
            "category": self.scope.category,
            "mode": self.mode,
        }


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows may leave: record time in `[start, end)`, the consent scope, and `where`.

    `undated` rows (of a table without a record time) are neither kept nor withheld by a period.
    """

    start: datetime | None = None
    end: datetime | None = None
    consent: ConsentScope | None = None
    undated: bool = False
    where: Predicate | None = None

    def document(self) -> dict[str, object]:
        """The plan's `rows`."""
        return present(
            {
                "from": None if self.start is None else values.show(self.start),
                "to": None if self.end is None else values.show(self.end),
                "consent": None if self.consent is None else self.consent.document(),
                "undated": True if self.undated else None,
                "where": None if self.where is None else residue.document(self.where),
            }
        )

    def admits(self, row: Row) -> Truth:
        """What the plan says of one row, given the values of its columns.

        The meaning of a plan, in pure Python: engines answer the same faster. Tests on what is no
        column of a row must have been bound before; they cannot be told.
        """
        answers = [self._in_period(row), self._allowed(row)]
        answers.append(True if self.where is None else residue.holds(self.where, row))
        if False in answers:
            return False
        return None if None in answers else True

    def _in_period(self, row: Row) -> Truth:
        if self.start is None and self.end is None:
            return True
        seen = row.get(RECORD_TIME, ())
        moment = values.parse(seen[0]) if len(seen) == 1 else None
        if not isinstance(moment, datetime):
            return None
        early = self.start is not None and moment < self.start
        late = self.end is not None and moment >= self.end
        return not (early or late)

    def _allowed(self, row: Row) -> Truth:
        if self.consent is None:
            return True
        column, allowed = _ALLOWED[self.consent.mode]
        seen = row.get(column)
        return None if not seen else all(value in map(iri, allowed) for value in seen)

    @classmethod
    def read(cls, data: object) -> "Rows":
        """The rows that the plan's member is.

        Raises:
            Problem: `policy-plan-document` with the path and what was expected there.
        """
        optional = frozenset({"from", "to", "consent", "undated", "where"})
        rows = Members(data, _CODE, "rows", frozenset(), optional)
        start = values.instant(rows.time("from")) if "from" in rows else None
        end = values.instant(rows.time("to")) if "to" in rows else None
        dated = start is not None or end is not None
        if "undated" in rows and (rows.value("undated") is not True or dated):
            raise rows.problem("undated", "true, with neither from nor to")
        return cls(
            start=start,
            end=end,
            consent=_read_consent(rows.value("consent")) if "consent" in rows else None,
            undated="undated" in rows,
            where=residue.read(rows.value("where"), "rows.where") if "where" in rows else None,
        )


def _read_consent(data: object) -> ConsentScope:
    names = frozenset({"recipient", "purpose", "category", "mode"})
    scope = Members(data, _CODE, "rows.consent", names, frozenset())
    mode: Mode = (
        "consent" if scope.one_of("mode", ("consent", "objection")) == "consent" else "objection"
    )
    found = Scope(scope.text("recipient"), scope.iri("purpose"), scope.text("category"))
    return ConsentScope(found, mode)
