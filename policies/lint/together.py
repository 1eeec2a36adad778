"""Columns that reveal together what neither says alone: a date beside an absence.

Known by the words in their names, in French and English, and by their types. A pair that the
steward declares as special category data, with its condition, is no longer a finding; nor is one of
which the plan lets only one column leave.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from policies.lint.finding import Column, Declaration, Finding, by_row, conjuncts, finding
from policies.model import Constraint, Policy, Rule
from policies.operands import find
from policies.vocabulary import PREAU

_DATES: Final = frozenset({"date", "dateTime"})


class Pair(NamedTuple):
    """The code of a finding, and words of the two kinds of columns that make it."""

    code: str
    one: frozenset[str]
    other: frozenset[str]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DATED: Final = _words("date jour day time timestamp heure horodatage datetime")
PAIRS: Final = (
    Pair(
        "policy-lint-together-absence",
        _words("absence absences absent absente presence present attendance assiduite presente"),
        _DATED,
    ),
    Pair(
        "policy-lint-together-meals",
        _words("repas menu cantine meal meals lunch canteen diet"),
        _DATED,
    ),
    Pair(
        "policy-lint-together-origin",
        _words("nationalite nationality birthplace"),
        _words("langue language tongue"),
    ),
)


def together(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """Findings about columns that one permission releases together."""
    if not declaration.personal:
        return
    for index, rule in enumerate(policy.permissions):
        if not by_row(rule):
            continue
        left = [column for column in declaration.columns if _leaves(column, rule)]
        for pair in PAIRS:
            first = [c.name for c in left if _is(c, pair.one)]
            second = [c.name for c in left if _is(c, pair.other) and c.name not in first]
            if first and second:
                names = ", ".join([*first[:5], *second[:5]])
                path = f"permission[{index}]"
                yield finding(pair.code, path, field=names)


def _is(column: Column, words: frozenset[str]) -> bool:
    found = _spelled(column.name)
    dated = words is _DATED and column.type in _DATES
    return bool(found & words) or dated


def _spelled(name: str) -> frozenset[str]:
    """The words of a column's name, without accents: `dateAbsence` and `date_absence` alike."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", plain).lower()
    return frozenset(re.findall(r"[a-z]+", apart))


def _leaves(column: Column, rule: Rule) -> bool:
    """Whether a column may leave under a permission, undeclared as special, as far as we know."""
    if column.personal in {"direct", "special"}:
        return False
    times: set[str] | None = None
    for each in conjuncts(rule.constraints):
        operand = find(each.left) if isinstance(each, Constraint) else None
        if not isinstance(each, Constraint) or operand is None or operand.share is None:
            continue
        share = operand.share(each)
        if share is None:
            continue
        if column.name in share.without:
            return False
        if share.fields is not None and column.name not in share.fields:
            return False
        if share.times is not None:
            times = set(share.times) if times is None else times & share.times
    return not (times == {PREAU + "NoTime"} and column.type in _DATES)
