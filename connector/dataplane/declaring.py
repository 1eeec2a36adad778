"""From an About to what the policy linter must know of it; with or without the data beside it.

Room: dataplane; pure. Before the data were read (`preau policy lint --about`), columns are those
that the steward wrote down, and how many persons there are is not known.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.base.clock import format_time
from connector.dataplane.about import About
from policies.lint import Column, Declaration

_IDENTIFYING: Final = frozenset({"direct", "special"})


@dataclass(frozen=True, slots=True)
class Found:
    """What the walk over the data found.

    Attributes:
        persons: how many persons the rows are about.
        subjects: whether rows say whom they are about.
        dated: whether rows have a record time.
        columns: the codebook, without what never leaves.
    """

    persons: int
    subjects: bool
    dated: bool
    columns: tuple[Column, ...]


def declaration(
    about: About, *, retention_default: str | None, now: datetime, found: Found | None = None
) -> Declaration:
    """The linter's view of a declaration at an instant."""
    columns = _noted(about) if found is None else found.columns
    table = about.kind == "csv"
    return Declaration(
        personal=about.personal or (found is not None and found.persons > 0),
        audience=about.audience,
        basis=about.basis.type if about.basis else None,
        notice=about.notice.iri if about.notice else None,
        retention=about.retention or None,
        retention_default=retention_default,
        retention_reason=about.retention_reason or None,
        until=format_time(about.until) if about.until else None,
        fields=frozenset() if found is None else frozenset(each.name for each in columns),
        subjects=found.subjects if found else not table or bool(about.subjects),
        identifying=frozenset(each.name for each in columns if each.personal in _IDENTIFYING),
        dated=found.dated if found else not table or bool(about.time),
        columns=columns,
        persons=None if found is None else found.persons,
        dpia=about.dpia or None,
        ai=about.ai.use if about.ai else None,
        ai_reference=about.ai.reference or None if about.ai else None,
        service_condition=about.service_condition,
        roster=frozenset(about.roster),
        public_body=about.public_body,
        exclusive=about.exclusive,
        now=now,
    )


def _noted(about: About) -> tuple[Column, ...]:
    """The columns that the steward wrote down, a special one as such."""
    special = {each.column: bool(each.condition) for each in about.special}
    noted = [
        Column(each.name, each.type or "string", each.personal or "no")
        for each in about.columns
        if each.name not in special
    ]
    return (*noted, *(Column(name, "string", "special", special[name]) for name in sorted(special)))
