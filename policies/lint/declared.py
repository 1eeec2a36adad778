"""What the steward declared: an end, a legal basis, a notice, a retention, persons."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from policies import values
from policies.lint.finding import AUDIENCES, Declaration, Finding, conjuncts, finding
from policies.model import DURATION, AnyConstraint, Constraint, Duty, Policy, atoms
from policies.operands.base import LT, LTEQ
from policies.plan import BASES
from policies.vocabulary import ODRL, action_covers, compact

_DATE: Final = ODRL + "dateTime"
_OPEN: Final = (ODRL + "distribute", ODRL + "transfer")


def declared(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """Findings about what the steward declared."""
    yield from _ended(policy, declaration)
    yield from _end(policy, declaration)
    yield from _openness(policy, declaration)
    yield from _basis(declaration)
    yield from _retention(policy, declaration)
    yield from _persons(declaration)


def _ended(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """What is published can still be asked for."""
    until = values.instant(declaration.until or "")
    if declaration.now is not None and until is not None and until <= declaration.now:
        yield finding("policy-lint-ended", "until", until=str(declaration.until))
    for index, rule in enumerate(policy.permissions):
        for each in conjuncts(rule.constraints):
            if isinstance(each, Constraint) and _is_past(each, declaration.now):
                path = f"permission[{index}]"
                yield finding("policy-lint-ended", path, until=each.right[0].text)


def _end(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    """Every permission ends, except an open licence on data that are not about persons."""
    if declaration.until is not None and values.instant(declaration.until) is not None:
        return
    opened = any(rule.action in _OPEN for rule in policy.permissions)
    if opened and not declaration.personal:
        return
    for index, rule in enumerate(policy.permissions):
        if not any(_is_end(each) for each in conjuncts(rule.constraints)):
            yield finding("policy-lint-no-end", f"permission[{index}]")


def _is_end(each: AnyConstraint) -> bool:
    return isinstance(each, Constraint) and each.left == _DATE and each.operator in {LT, LTEQ}


def _is_past(each: Constraint, at: datetime | None) -> bool:
    """Whether a permission was over before it is published."""
    end = values.instant(each.right[0].text) if _is_end(each) and len(each.right) == 1 else None
    if at is None or end is None:
        return False
    return end < at or (end == at and each.operator == LT)


def _openness(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    if not declaration.personal:
        return
    for index, rule in enumerate(policy.permissions):
        if any(action_covers(action, rule.action) for action in _OPEN):
            yield finding(
                "policy-lint-open-personal", f"permission[{index}]", action=compact(rule.action)
            )


def _basis(declaration: Declaration) -> Iterator[Finding]:
    if not declaration.personal:
        return
    if declaration.basis not in BASES:
        yield finding("policy-lint-no-basis", "basis", known=", ".join(BASES))
        return
    audience = declaration.audience if declaration.audience in AUDIENCES else "unknown"
    if declaration.basis == "consent":
        if audience != "adults":
            yield finding("policy-lint-minors-on-consent", "audience", audience=audience)
        if not declaration.notice:
            yield finding("policy-lint-no-notice", "notice")
    elif audience != "adults" and declaration.basis != "public-task":
        yield finding(
            "policy-lint-minors-basis", "audience", audience=audience, basis=str(declaration.basis)
        )


def _persons(declaration: Declaration) -> Iterator[Finding]:
    """Rows about persons say about whom; rows about nobody identify nobody."""
    if declaration.personal and not declaration.subjects:
        yield finding("policy-lint-no-subjects", "subjects")
    if not declaration.personal and declaration.identifying:
        names = ", ".join(sorted(declaration.identifying)[:10])
        yield finding("policy-lint-not-personal", "personal", field=names)


def _retention(policy: Policy, declaration: Declaration) -> Iterator[Finding]:
    if declaration.retention_reason and declaration.retention_reason.strip():
        return
    default = declaration.retention_default
    if not declaration.personal or default is None:
        return
    limit = values.literal(default, DURATION)
    for path, text in _retentions(policy, declaration):
        sign = values.order(values.literal(text, DURATION), limit)
        if sign is None or sign > 0:
            yield finding("policy-lint-retention", path, retention=text, default=default)


def _retentions(policy: Policy, declaration: Declaration) -> Iterator[tuple[str, str]]:
    if declaration.retention is not None:
        yield "retention", declaration.retention
    for r, rule in enumerate(policy.permissions):
        for d, duty in enumerate(rule.duties):
            yield from _kept(duty, f"permission[{r}].duty[{d}]")
    for d, duty in enumerate(policy.obligations):
        yield from _kept(duty, f"obligation[{d}]")


def _kept(duty: Duty, path: str) -> Iterator[tuple[str, str]]:
    if duty.action != ODRL + "delete":
        return
    for atom in atoms(duty.constraints):
        if atom.left == ODRL + "elapsedTime" and atom.operator in {LT, LTEQ}:
            yield path, atom.right[0].text
