"""What an operand declares, and how values are compared; three-valued throughout.

A comparison answers True, False or None. None means "cannot be told" (an operator the operand
does not have, a value of another type, an unknown term) and is `undetermined` in a trace: it
never permits. The functions are total: no input makes them raise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from policies.model import Constraint, Value
from policies.problem import Language
from policies.values import Duration, compare_times, order, parse, span
from policies.vocabulary import ODRL, Term, covers

Phase = Literal["catalog", "negotiation", "transfer", "batch", "record", "monitor", "after"]
Assurance = Literal["enforced", "attested", "declared", "contractual"]
Source = Literal[
    "application",
    "authentication",
    "clock",
    "ledger",
    "peer-list",
    "peer-catalog",
    "credential",
    "dataset",
    "plan",
    "consent-registry",
    "learner-registry",
    "row",
    "promise",
]

PHASES: Final[tuple[Phase, ...]] = (
    "catalog",
    "negotiation",
    "transfer",
    "batch",
    "record",
    "monitor",
    "after",
)

EQ: Final = ODRL + "eq"
NEQ: Final = ODRL + "neq"
LT: Final = ODRL + "lt"
LTEQ: Final = ODRL + "lteq"
GT: Final = ODRL + "gt"
GTEQ: Final = ODRL + "gteq"
IS_A: Final = ODRL + "isA"
IS_ANY_OF: Final = ODRL + "isAnyOf"
IS_ALL_OF: Final = ODRL + "isAllOf"
IS_NONE_OF: Final = ODRL + "isNoneOf"
IS_PART_OF: Final = ODRL + "isPartOf"
HAS_PART: Final = ODRL + "hasPart"

ORDERED: Final = frozenset({EQ, NEQ, LT, LTEQ, GT, GTEQ})

# Which inner operators make an outer one hold, by how the inner value lies to the outer one.
_IMPLYING: Final[Mapping[tuple[str, int], frozenset[str]]] = {
    (LT, -1): frozenset({LT, LTEQ, EQ}),
    (LT, 0): frozenset({LT}),
    (LTEQ, -1): frozenset({LT, LTEQ, EQ}),
    (LTEQ, 0): frozenset({LT, LTEQ, EQ}),
    (GT, 1): frozenset({GT, GTEQ, EQ}),
    (GT, 0): frozenset({GT}),
    (GTEQ, 1): frozenset({GT, GTEQ, EQ}),
    (GTEQ, 0): frozenset({GT, GTEQ, EQ}),
    (EQ, 0): frozenset({EQ}),
    (NEQ, -1): frozenset({LT, LTEQ, EQ}),
    (NEQ, 0): frozenset({NEQ, LT, GT}),
    (NEQ, 1): frozenset({GT, GTEQ, EQ}),
}

Values = tuple[Value, ...]
Compare = Callable[[str, Values, Values], bool | None]
Implies = Callable[[Constraint, Constraint], bool]


@dataclass(frozen=True, slots=True)
class Share:
    """What one constraint asks of the plan; shares of several constraints are intersected.

    Attributes:
        fields: only these field names may leave.
        without: these field names may not leave.
        start, end: record time, half open `[start, end)`.
        releases: at most this many releases.
        identifiers, times: the treatments that satisfy the constraint.
        longitudinal: pseudonyms stay the same across agreements of one recipient and purpose.
        elapsed: serving ends this long after the agreement.
        scoped: the plan's consent or objection scope holds this constraint.
    """

    fields: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    start: datetime | None = None
    end: datetime | None = None
    releases: int | None = None
    identifiers: frozenset[str] | None = None
    times: frozenset[str] | None = None
    longitudinal: bool | None = None
    elapsed: Duration | None = None
    scoped: Literal["consent", "objection"] | None = None


class Vector(NamedTuple):
    """One comparison that an operand answers: required values, the value seen, the answer.

    Values are spelled as in a policy: prefixed IRIs, or literals of the operand's datatype. Tests
    read every vector in the prefixed and in the full spelling of operand and values.
    """

    operator: str
    required: str | tuple[str, ...]
    seen: str | tuple[str, ...]
    answer: bool | None


@dataclass(frozen=True, slots=True)
class Operand:
    """One left operand: everything the rest of the house knows about it.

    Attributes:
        iri: the full IRI.
        datatype: datatype IRI of its values, None for IRIs.
        operators: IRIs it can be compared with; any other operator is undetermined.
        phases: when its value is known (see `phases_of` for those that depend on the operator).
        source: where its value comes from; only "application" may come from the requester.
        assurance: how it is held, seen from the provider (DECISIONS S6).
        fr, en: what people call it.
        compare: three-valued comparison of the value seen with the required one.
        implies: whether an inner constraint on this operand implies an outer one (sound).
        share: how it enters the plan; None when it is held by being evaluated again.
        private: its value is about learners and never enters a shared trace.
        duty_only: it has a meaning on duties and obligations only.
        phases_for: for a constraint whose phases depend on its operator.
        note: how it is held, in words, where the assurance alone would say too much.
        vectors: comparisons that the tests run.
        sourced: whether this version of the node has the source. Without one, nobody supplies a
            value: the operand is undetermined in its phase, and the linter refuses offers with it.
        least: the smallest value that it can have at all.
    """

    iri: str
    datatype: str | None
    operators: frozenset[str]
    phases: frozenset[Phase]
    source: Source
    assurance: Assurance
    fr: str
    en: str
    compare: Compare
    implies: Implies
    share: Callable[[Constraint], Share | None] | None = None
    private: bool = False
    duty_only: bool = False
    phases_for: Callable[[Constraint], frozenset[Phase]] | None = None
    note: tuple[str, str] = ("", "")
    vectors: tuple[Vector, ...] = ()
    sourced: bool = True
    least: int | None = None

    def label(self, lang: Language) -> str:
        """What people call this operand."""
        return self.fr if lang == "fr" else self.en

    def phases_of(self, constraint: Constraint) -> frozenset[Phase]:
        """The phases in which this constraint can be evaluated."""
        return self.phases if self.phases_for is None else self.phases_for(constraint)


def ordered(operator: str, seen: Values, required: Values) -> bool | None:
    """Comparison of single ordered literals (dateTime, date, duration, integer, decimal)."""
    if len(seen) != 1 or len(required) != 1:
        return None
    one, other = span(seen[0]), span(required[0])
    if one is not None and other is not None:
        return compare_times(operator.removeprefix(ODRL), one, other)
    sign = order(seen[0], required[0])
    if sign is None:
        return None
    return {
        EQ: sign == 0,
        NEQ: sign != 0,
        LT: sign < 0,
        LTEQ: sign <= 0,
        GT: sign > 0,
        GTEQ: sign >= 0,
    }.get(operator)


def ordered_implies(inner: Constraint, outer: Constraint) -> bool:
    """Whether every value allowed by an ordered inner constraint is allowed by the outer one."""
    if len(inner.right) != 1 or len(outer.right) != 1:
        return False
    sign = order(inner.right[0], outer.right[0])
    if sign is None:
        return False
    return inner.operator in _IMPLYING.get((outer.operator, sign), frozenset())


@dataclass(frozen=True, slots=True)
class Terms:
    """Comparison of IRIs in a hierarchy.

    `same` folds foreign spellings. `some` says that one fitting value among those seen is enough
    (memberships: a party is in many groups); otherwise all of them must fit (countries).
    `closed` says that terms outside the tree are not unknown, just other names (groups).
    `by_cover` lets `eq` accept a narrower term, for treatments where narrower means stricter.
    """

    tree: Mapping[str, Term]
    same: Callable[[str], str] = str
    some: bool = False
    closed: bool = False
    by_cover: bool = False

    def compare(self, operator: str, seen: Values, required: Values) -> bool | None:
        """Three-valued comparison; see the class."""
        have, want = self._names(seen), self._names(required)
        if have is None or want is None or not want or (not have and not self.some):
            return None
        if operator in {EQ, NEQ}:
            equal = self._equal(have, want)
            return equal if operator == EQ else _not(equal)
        if operator in {IS_A, IS_ANY_OF, IS_PART_OF}:
            if operator == IS_A and len(want) != 1:
                return None
            each = [self._under(name, want) for name in have]
            return _any(each) if self.some else _all(each)
        if operator == IS_NONE_OF:
            return _all([_not(self._touches(name, want)) for name in have])
        if operator == HAS_PART:
            return _all([_any([self._under(one, (name,)) for name in have]) for one in want])
        if operator == IS_ALL_OF:
            return _all([_any([self._under(name, (one,)) for name in have]) for one in want])
        return None

    def implies(self, inner: Constraint, outer: Constraint) -> bool:
        """Whether what the inner constraint allows is all allowed by the outer one."""
        mine, theirs = self._names(inner.right), self._names(outer.right)
        if mine is None or theirs is None or not mine or not theirs:
            return False
        if outer.operator in {IS_A, IS_ANY_OF, IS_PART_OF} or (
            outer.operator == EQ and self.by_cover
        ):
            if inner.operator not in {EQ, IS_A, IS_ANY_OF, IS_PART_OF}:
                return False
            return all(self._under(name, theirs) is True for name in mine)
        if outer.operator == IS_NONE_OF:
            if inner.operator == IS_NONE_OF:
                return all(any(covers(self.tree, m, t) for m in mine) for t in theirs)
            if self.some or inner.operator not in {EQ, IS_A, IS_ANY_OF, IS_PART_OF}:
                return False
            return all(self._apart(name, theirs) for name in mine)
        if outer.operator == EQ:
            return inner.operator == EQ and mine == theirs
        return False

    def _names(self, values: Values) -> tuple[str, ...] | None:
        found = [self.same(value.text) for value in values if value.datatype is None]
        return tuple(found) if len(found) == len(values) else None

    def _equal(self, have: tuple[str, ...], want: tuple[str, ...]) -> bool | None:
        if len(want) != 1 or (len(have) != 1 and not self.some):
            return None
        if self.by_cover:
            return _all([self._under(name, want) for name in have])
        return any(name == want[0] for name in have)

    def _under(self, name: str, want: tuple[str, ...]) -> bool | None:
        if any(covers(self.tree, one, name) for one in want):
            return True
        return False if self._known(name) else None

    def _touches(self, name: str, want: tuple[str, ...]) -> bool | None:
        """Whether the value is, or may be, among the terms: broader ones cannot be told."""
        if any(covers(self.tree, one, name) for one in want):
            return True
        if not self._known(name) or not all(map(self._known, want)):
            return None
        return None if not self._apart(name, want) else False

    def _apart(self, name: str, want: tuple[str, ...]) -> bool:
        """Whether no known term lies below both: then nothing narrower can be in both."""
        known = self._known(name) and all(map(self._known, want))
        return known and not any(
            covers(self.tree, name, term) and covers(self.tree, one, term)
            for term in (*self.tree, name)
            for one in want
        )

    def _known(self, name: str) -> bool:
        return self.closed or name in self.tree


def names(operator: str, seen: Values, required: Values) -> bool | None:
    """Comparison of sets of plain names (fields)."""
    have = _texts(seen)
    want = _texts(required)
    if have is None or want is None or not want:
        return None
    if operator in {IS_PART_OF, IS_ANY_OF}:
        return have <= want
    if operator == IS_NONE_OF:
        return not have & want
    return None


def names_imply(inner: Constraint, outer: Constraint) -> bool:
    """Whether a set of names allowed by the inner constraint is allowed by the outer one."""
    mine, theirs = _texts(inner.right), _texts(outer.right)
    if mine is None or theirs is None:
        return False
    if outer.operator in {IS_PART_OF, IS_ANY_OF}:
        return inner.operator in {IS_PART_OF, IS_ANY_OF} and mine <= theirs
    if outer.operator == IS_NONE_OF:
        if inner.operator == IS_NONE_OF:
            return mine >= theirs
        return inner.operator in {IS_PART_OF, IS_ANY_OF} and not mine & theirs
    return False


def exact(operator: str, seen: Values, required: Values) -> bool | None:
    """Comparison of single values for equality only."""
    if len(seen) != 1 or len(required) != 1 or seen[0].datatype != required[0].datatype:
        return None
    if parse(seen[0]) is None or parse(required[0]) is None:
        return None
    return {EQ: seen[0] == required[0], NEQ: seen[0] != required[0]}.get(operator)


def exactly_implies(inner: Constraint, outer: Constraint) -> bool:
    """Whether two constraints say the same."""
    return inner.operator == outer.operator and set(inner.right) == set(outer.right)


def single(constraint: Constraint) -> Value | None:
    """The one required value of a constraint, None when there are several."""
    return constraint.right[0] if len(constraint.right) == 1 else None


def _texts(values: Values) -> frozenset[str] | None:
    if any(value.is_iri or not value.text for value in values):
        return None
    return frozenset(value.text for value in values)


def _any(answers: list[bool | None]) -> bool | None:
    if True in answers:
        return True
    return None if None in answers else False


def _all(answers: list[bool | None]) -> bool | None:
    if False in answers:
        return False
    return None if None in answers else True


def _not(answer: bool | None, /) -> bool | None:  # noqa: FBT001  (a truth value, no option)
    return None if answer is None else not answer
